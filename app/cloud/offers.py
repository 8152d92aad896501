"""What can be made where: templates that fit, what a data center has free, and what is wrong with a wish.

Reads only the mirror. vCloud has the last word when the wish is carried out.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from app.accounts.rules import Actor
from app.cloud.models import ACTIVE, Network, Operation, VApp, VappTemplate, Vdc, Vm
from app.cloud.rules import Action
from app.cloud.sizes import HARD_LIMITS, Bounds, Free, Size, bounds, misfit, name_errors, password_errors, size_errors
from app.db import db
from app.errors import AppError, NotFoundError

CREATE_KIND = "create"
ISOLATED = "isolated"
GROWING = (Action.ADD_DISK.value, Action.GROW_DISK.value)
"""Kinds of operations that take disk beside creation."""


@dataclass(frozen=True, kw_only=True)
class VmSpec:
    """The six fields of the form. `password` None: one is made. `network_id` None: the machine has no network."""

    vdc_id: uuid.UUID
    template_id: uuid.UUID
    network_id: uuid.UUID | None
    vapp_name: str
    vm_name: str
    size: Size
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A template in a virtual data center: what may be asked of it, or why it cannot be used now."""

    template: VappTemplate
    bounds: Bounds
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
    found = [_offer(template, free) for template in templates]
    return sorted(found, key=lambda offer: offer.reason is not None)


def networks(vdc_id: uuid.UUID) -> list[Network]:
    """The organization networks that a machine may be connected to: those with outer addresses first, by name."""
    rows = select(Network).where(Network.vdc_id == vdc_id, Network.gone_at.is_(None)).order_by(Network.name)
    return sorted(db.session.scalars(rows), key=lambda network: network.fence_mode == ISOLATED)


def free_of(vdc_id: uuid.UUID) -> Free:
    """What is left: the limits less all machines in the mirror, and all creations and growing disks under way.

    Machines that are off count as well, so that everything that exists could run at the same time.
    """
    vdc = db.session.get_one(Vdc, vdc_id)
    machines = list(db.session.scalars(select(Vm).where(Vm.vdc_id == vdc_id, Vm.gone_at.is_(None))))
    wanted = list(
        db.session.scalars(
            select(Operation).where(
                Operation.vdc_id == vdc_id, Operation.kind.in_((CREATE_KIND, *GROWING)), Operation.state.in_(ACTIVE)
            )
        )
    )
    coming = [
        Size(**operation.params["size"])
        for operation in wanted
        if operation.kind == CREATE_KIND and "vm_urn" not in operation.facts
    ]
    growing_gb = sum(_growth_gb(operation) for operation in wanted if operation.kind in GROWING)
    taken = Size(
        cpu_count=sum(vm.cpu_count for vm in machines) + sum(size.cpu_count for size in coming),
        memory_mb=sum(vm.memory_mb for vm in machines) + sum(size.memory_mb for size in coming),
        disk_gb=sum(vm.disk_gb for vm in machines) + sum(size.disk_gb for size in coming) + growing_gb,
    )
    cpu_limit = vdc.cpu_limit_mhz // vdc.vcpu_mhz if vdc.cpu_limit_mhz and vdc.vcpu_mhz else None
    disk_limit = vdc.storage_limit_mb // 1024 if vdc.storage_limit_mb is not None else None
    return Free(
        cpu_count=_left(cpu_limit, taken.cpu_count),
        memory_mb=_left(vdc.memory_limit_mb, taken.memory_mb),
        disk_gb=_left(disk_limit, taken.disk_gb),
        vm_count=_left(vdc.vm_quota, len(machines) + len(coming)),
    )


def _growth_gb(operation: Operation) -> int:
    """What a disk that is being added or grown takes beyond what the mirror knows."""
    disks = operation.vm.disks if operation.vm else []
    instance_id = operation.params.get("instance_id")
    has_mb = next((disk["size_mb"] for disk in disks if disk["instance_id"] == instance_id), 0)
    return max(0, int(operation.params["size_gb"]) - has_mb // 1024)


def _left(limit: int | None, taken: int) -> int | None:
    return None if limit is None else max(0, limit - taken)


def _offer(template: VappTemplate, free: Free) -> Offer:
    least = Size(cpu_count=template.cpu_count, memory_mb=template.memory_mb, disk_gb=template.disk_gb)
    most = Size(
        cpu_count=template.cpu_most or HARD_LIMITS.cpu_count,
        memory_mb=template.memory_mb_most or HARD_LIMITS.memory_mb,
        disk_gb=template.disk_gb_most or HARD_LIMITS.disk_gb,
    )
    limits = bounds(least, most, free)
    if len(template.vms) > 1:
        reason: AppError | None = AppError("template_has_many", count=len(template.vms))
    else:
        reason = misfit(limits, free, len(template.vms))
    return Offer(template=template, bounds=limits, reason=reason)


def check(actor: Actor, spec: VmSpec) -> list[AppError]:
    """Everything that is wrong with the wish, each error with its field; reads only the mirror.

    Raises NotFoundError when the virtual data center is not the actor's.
    """
    own_vdc(actor, spec.vdc_id)
    return list(errors_of(spec))


def errors_of(spec: VmSpec) -> Iterator[AppError]:
    template = db.session.get(VappTemplate, spec.template_id)
    if template is None or template.vdc_id != spec.vdc_id or template.gone_at is not None:
        yield AppError("template_gone", field="template_id")
        return
    offer = _offer(template, free_of(spec.vdc_id))
    if offer.reason is not None:
        offer.reason.field = "template_id"
        yield offer.reason
    else:
        yield from size_errors(spec.size, offer.bounds)
    yield from name_errors(spec.vm_name, spec.vapp_name, windows=template.is_windows)
    if spec.password is not None:
        yield from password_errors(spec.password)
    if spec.network_id is not None:
        network = db.session.get(Network, spec.network_id)
        if network is None or network.vdc_id != spec.vdc_id or network.gone_at is not None:
            yield AppError("network_gone", field="network_id")
    name_taken = select(VApp.id).where(VApp.vdc_id == spec.vdc_id, VApp.name == spec.vapp_name, VApp.gone_at.is_(None))
    if db.session.scalar(name_taken) is not None:
        yield AppError("vapp_name_taken", field="vapp_name", name=spec.vapp_name)
