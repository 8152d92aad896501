"""What can be made where: templates that fit, networks, vApps, and what a data center has free.

Reads only the mirror. vCloud has the last word when the wish is carried out.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, false, func, literal, or_, select, true

from app.accounts.rules import Actor
from app.cloud.models import Network, VApp, VappTemplate, Vdc, Vm, VmGuard
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import Action
from app.cloud.sizes import HARD_LIMITS, Bounds, Free, Size, bounds, default_names, misfit, total
from app.db import db
from app.errors import AppError, NotFoundError

CREATE_KIND = "create"
CREATE_IN_VAPP_KIND = "create_in_vapp"
CREATING = (CREATE_KIND, CREATE_IN_VAPP_KIND)
"""Kinds of operations that make machines."""
ISOLATED = "isolated"
ALIKE = 8
"""Names that begin with the same so many letters are alike: a number at the end takes fewer of the 15 of Windows."""
GROWING = (Action.ADD_DISK.value, Action.GROW_DISK.value, Action.RESIZE.value)
"""Kinds of operations that let a machine take more."""


@dataclass(frozen=True, kw_only=True)
class TemplateMachine:
    """A machine of a template; `name` is its name there, `default_name` one that a computer can have."""

    urn: str
    name: str
    default_name: str
    is_windows: bool
    size: Size


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A template in a virtual data center: what may be asked of all its machines, or why it cannot be used now."""

    template: VappTemplate
    machines: list[TemplateMachine]
    bounds: Bounds
    free: Free  # what the data center has left
    reason: AppError | None


def own_vdc(actor: Actor, vdc_id: uuid.UUID) -> Vdc:
    """The virtual data center, if it is the actor's; NotFoundError else."""
    vdc = db.session.get(Vdc, vdc_id)
    if vdc is None or vdc.service.account_id != actor.account_id:
        raise NotFoundError
    return vdc


def offers(vdc_id: uuid.UUID) -> list[Offer]:
    """Every template of the virtual data center, those that fit first, by name."""
    free = free_of(vdc_id)
    templates = db.session.scalars(
        select(VappTemplate)
        .where(VappTemplate.vdc_id == vdc_id, VappTemplate.gone_at.is_(None))
        .order_by(VappTemplate.name)
    )
    found = [offer_of(template, free) for template in templates]
    return sorted(found, key=lambda offer: offer.reason is not None)


def networks(vdc_id: uuid.UUID) -> list[Network]:
    """The organization networks that a machine may be connected to: those with outer addresses first, by name."""
    rows = select(Network).where(Network.vdc_id == vdc_id, Network.gone_at.is_(None)).order_by(Network.name)
    return sorted(db.session.scalars(rows), key=lambda network: network.fence_mode == ISOLATED)


def vapps(vdc_id: uuid.UUID, *also: ColumnElement[bool], most: int | None = None) -> list[Row[uuid.UUID, str, str]]:
    """The vApps that a machine can be added to, as (id, urn, name), by name; `also`: what else they must fulfil."""
    rows = select(VApp.id, VApp.urn, VApp.name).where(_is_open(vdc_id), *also).order_by(VApp.name)
    return list(db.session.execute(rows.limit(most)))


def count_vapps(vdc_id: uuid.UUID, *also: ColumnElement[bool]) -> tuple[int, int]:
    """How many of them there are, and how many of these fulfil `also`."""
    counts = select(func.count(), func.count(case((and_(true(), *also), 1)))).where(_is_open(vdc_id))
    total, found = db.session.execute(counts.select_from(VApp)).one()
    return total, found


def _is_open(vdc_id: uuid.UUID) -> ColumnElement[bool]:
    """A vApp of this data center that is neither being built nor in the recycle bin."""
    in_making = select(Operation.claims_name).where(
        Operation.vdc_id == vdc_id, Operation.kind == CREATE_KIND, Operation.state.in_(ACTIVE)
    )
    put_away = VApp.name.endswith(
        literal("-deleted-") + func.substr(VApp.urn, func.length(VApp.urn) - 7)
    )  # put_away_suffix
    here = and_(VApp.vdc_id == vdc_id, VApp.gone_at.is_(None), VApp.status > 0)
    return and_(here, VApp.name.not_in(in_making), ~put_away)


def names_taken(vdc_id: uuid.UUID, names: Iterable[str]) -> set[str]:
    """The names of machines in the mirror that begin like one of these: new ones should be called otherwise.

    Only a vApp forbids to have a name twice.
    """
    alike = [Vm.name.startswith(name, autoescape=True) for name in sorted({name[:ALIKE] for name in names})]
    found = select(Vm.name).where(Vm.vdc_id == vdc_id, Vm.gone_at.is_(None), or_(false(), *alike))
    return set(db.session.scalars(found)) if alike else set()


def free_of(vdc_id: uuid.UUID, storage_profile: str | None = None) -> Free:
    """What is left: the limits less all machines in the mirror, and all creations and growth under way.

    Machines that are off count as well, so that everything that exists could run at the same time; those in the
    recycle bin only hold their disks. `storage_profile` is where the disks go, None: the data center's default.
    """
    vdc = db.session.get_one(Vdc, vdc_id)
    wanted = list(
        db.session.scalars(
            select(Operation).where(
                Operation.vdc_id == vdc_id, Operation.kind.in_((*CREATING, *GROWING)), Operation.state.in_(ACTIVE)
            )
        )
    )
    creating = [operation for operation in wanted if operation.kind in CREATING]
    half_made = {urn for operation in creating for urn in operation.facts.get("vm_urns", ())}
    profile = _profile(vdc, storage_profile)
    held, count, on_profile_gb = _held(vdc_id, half_made, profile.get("name"))  # half-made: as they will be
    coming = [Size(**operation.params["size"]) for operation in creating]
    growing = [_growth(operation, operation.vm) for operation in wanted if operation.kind in GROWING and operation.vm]
    taken = total([held, *coming, *growing])
    cpu_limit = vdc.cpu_limit_mhz // vdc.vcpu_mhz if vdc.cpu_limit_mhz and vdc.vcpu_mhz else None
    disk_limit = vdc.storage_limit_mb // 1024 if vdc.storage_limit_mb is not None else None
    disk_gb = _left(disk_limit, taken.disk_gb)
    profile_gb = _left_on(profile, on_profile_gb, total([*coming, *growing]).disk_gb)
    is_tighter = profile_gb is not None and (disk_gb is None or profile_gb < disk_gb)
    return Free(
        cpu_count=_left(cpu_limit, taken.cpu_count),
        memory_mb=_left(vdc.memory_limit_mb, taken.memory_mb),
        disk_gb=profile_gb if is_tighter else disk_gb,
        vm_count=_left(vdc.vm_quota, count + sum(len(one.params["machines"]) for one in creating)),
        disk_profile=profile["name"] if is_tighter else None,
    )


def _profile(vdc: Vdc, name: str | None) -> dict[str, Any]:
    """The storage profile of this name, else the default one; empty if vCloud told of none."""
    named = [one for one in vdc.storage_profiles if one["name"] == name]
    default: list[dict[str, Any]] = [one for one in vdc.storage_profiles if one["is_default"]]
    return next(iter(named + default), {})


def _left_on(profile: dict[str, Any], held_gb: int, coming_gb: int) -> int | None:
    """What a storage profile has left in GB, None without limit.

    vCloud may count more than disks (the memory of what runs, templates), and does not yet count what is younger than
    the last reading: the larger of its sum and ours is taken. What is under way counts wherever it goes.
    """
    limit_mb: int | None = profile.get("limit_mb")
    used_mb: int = max(profile.get("used_mb") or 0, held_gb * 1024)
    return None if limit_mb is None else max(0, (limit_mb - used_mb) // 1024 - coming_gb)


def _held(vdc_id: uuid.UUID, but_urns: set[str], profile_name: str | None) -> tuple[Size, int, int]:
    """What all machines but these take together, how many they are, and the GB of those on a storage profile.

    In the recycle bin they hold only their disks. The database adds it up: there may be many thousands of machines.
    """
    works = Vm.id.not_in(select(VmGuard.vm_id).where(VmGuard.recycled_at.is_not(None)))
    disk_gb = (Vm.disk_mb + 1023) // 1024  # as Vm.disk_gb
    cpus, memories = (func.sum(case((works, column), else_=0)) for column in (Vm.cpu_count, Vm.memory_mb))
    on_profile = func.sum(case((Vm.storage_profile == profile_name, disk_gb), else_=0))
    sums = select(cpus, memories, func.sum(disk_gb), func.count(), on_profile).where(
        Vm.vdc_id == vdc_id, Vm.gone_at.is_(None), Vm.urn.not_in(but_urns)
    )
    cpu_count, memory_mb, disk, count, on_profile_gb = db.session.execute(sums).one()
    held = Size(cpu_count=int(cpu_count or 0), memory_mb=int(memory_mb or 0), disk_gb=int(disk or 0))
    return held, count, int(on_profile_gb or 0)


def _growth(operation: Operation, vm: Vm) -> Size:
    """What an operation takes beyond what the mirror knows its machine to have."""
    asked = operation.params
    if operation.kind == Action.RESIZE.value:
        cpu_count, memory_mb = max(0, asked["cpu_count"] - vm.cpu_count), max(0, asked["memory_mb"] - vm.memory_mb)
        return Size(cpu_count=cpu_count, memory_mb=memory_mb, disk_gb=0)
    has_mb = next((disk["size_mb"] for disk in vm.disks if disk["instance_id"] == asked.get("instance_id")), 0)
    return Size(cpu_count=0, memory_mb=0, disk_gb=max(0, asked["size_gb"] - has_mb // 1024))


def _left(limit: int | None, taken: int) -> int | None:
    return None if limit is None else max(0, limit - taken)


def offer_of(template: VappTemplate, free: Free) -> Offer:
    """What may be asked of a template. One of several machines is made as it is: it fits as a whole or not at all."""
    machines = machines_of(template)
    least = total(machine.size for machine in machines)
    most = Size(
        cpu_count=template.cpu_most or HARD_LIMITS.cpu_count,
        memory_mb=template.memory_mb_most or HARD_LIMITS.memory_mb,
        disk_gb=template.disk_gb_most or HARD_LIMITS.disk_gb,
    )
    limits = bounds(least, most if len(machines) == 1 else least, free)
    reason = misfit(limits, free, len(machines))
    return Offer(template=template, machines=machines, bounds=limits, free=free, reason=reason)


def machines_of(template: VappTemplate) -> list[TemplateMachine]:
    """The machines that a template makes, in its order."""
    are_windows = ["windows" in vm["guest_os"].lower() for vm in template.vms]
    names = default_names([vm["name"] for vm in template.vms], are_windows)
    return [
        TemplateMachine(
            urn=vm["urn"],
            name=vm["name"],
            default_name=name,
            is_windows=is_windows,
            size=Size(
                cpu_count=vm["cpu_count"] or 1,
                memory_mb=vm["memory_mb"] or 0,
                disk_gb=-(-(vm["disk_mb"] or 0) // 1024),
            ),
        )
        for vm, name, is_windows in zip(template.vms, names, are_windows, strict=True)
    ]
