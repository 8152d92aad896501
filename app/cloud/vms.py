"""Asking for machines: what is wished, what is wrong with it, and the operation that will make them.

The wish is checked against the mirror when it is asked for and by vCloud when it is carried out: in `create_vapp`,
or in `create_in_vapp` where a vApp is named to which the machine shall be added.
"""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Row, select

from app.accounts.rules import Actor, Permission, can
from app.cloud import offers, operations
from app.cloud.create_in_vapp import CREATE_IN_VAPP
from app.cloud.create_vapp import CREATE
from app.cloud.models import Network, VApp, VappTemplate, Vdc, Vm
from app.cloud.offers import ISOLATED, Offer, own_vdc
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.passwords import make_password
from app.cloud.sizes import (
    Size,
    machine_names_errors,
    password_errors,
    size_errors,
    total,
    vapp_name_errors,
    vm_name_errors,
)
from app.db import db, transaction
from app.errors import AppError


@dataclass(frozen=True, kw_only=True)
class VmSpec:
    """The six fields of the form.

    `network_id` None: the machine has no network. `vapp_id` None: a new vApp of the name `vapp_name` is made. `size`
    None: as the template has it, which a template of several machines always wants; they are called `machine_names`,
    or as in the template, and `vm_name` is the name of the whole. `password` None: one is made.
    """

    vdc_id: uuid.UUID
    template_id: uuid.UUID
    network_id: uuid.UUID | None
    vm_name: str
    vapp_name: str = ""
    vapp_id: uuid.UUID | None = None
    size: Size | None = None
    machine_names: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)


# ---- what is wrong with a wish -----------------------------------------------------------------------------------


def check(actor: Actor, spec: VmSpec) -> list[AppError]:
    """Everything that is wrong with the wish, each error with its field; reads only the mirror.

    Raises NotFoundError when the virtual data center is not the actor's.
    """
    own_vdc(actor, spec.vdc_id)
    return list(errors_of(spec))


def errors_of(spec: VmSpec) -> Iterator[AppError]:
    """The errors of a wish, in the order of the form; reads only the mirror."""
    template = db.session.get(VappTemplate, spec.template_id)
    if template is None or template.vdc_id != spec.vdc_id or template.gone_at is not None:
        yield AppError("template_gone", field="template_id")
        return
    offer = offers.offer_of(template, offers.free_of(spec.vdc_id))
    if offer.reason is not None:
        offer.reason.field = "template_id"
        yield offer.reason
    elif spec.size is not None:
        yield from _size_errors(spec.size, offer)
    yield from _name_errors(spec, offer)
    if spec.password is not None:
        yield from password_errors(spec.password)
    if spec.network_id is not None:
        network = db.session.get(Network, spec.network_id)
        if network is None or network.vdc_id != spec.vdc_id or network.gone_at is not None:
            yield AppError("network_gone", field="network_id")
    yield from _new_vapp_errors(spec) if spec.vapp_id is None else _vapp_errors(spec, spec.vapp_id, offer)


def _size_errors(size: Size, offer: Offer) -> Iterator[AppError]:
    if len(offer.machines) == 1:
        yield from size_errors(size, offer.bounds)
    else:
        yield AppError("template_of_many_has_sizes", field="cpu_count", count=len(offer.machines))


def _name_errors(spec: VmSpec, offer: Offer) -> Iterator[AppError]:
    machines = offer.machines
    if len(machines) == 1:
        yield from vm_name_errors(spec.vm_name, windows=machines[0].is_windows)
        return
    yield from vm_name_errors(spec.vm_name, windows=False)
    template_names, are_windows = [one.name for one in machines], [one.is_windows for one in machines]
    yield from machine_names_errors(_names(spec, offer), template_names, are_windows)


def _new_vapp_errors(spec: VmSpec) -> Iterator[AppError]:
    yield from vapp_name_errors(spec.vapp_name)
    same = select(VApp.id).where(VApp.vdc_id == spec.vdc_id, VApp.name == spec.vapp_name, VApp.gone_at.is_(None))
    if db.session.scalar(same) is not None or _is_claimed(spec.vdc_id, spec.vapp_name):
        yield AppError("vapp_name_taken", field="vapp_name", name=spec.vapp_name)


def _vapp_errors(spec: VmSpec, vapp_id: uuid.UUID, offer: Offer) -> Iterator[AppError]:
    vapp = next(iter(offers.vapps(spec.vdc_id, VApp.id == vapp_id)), None)
    if vapp is None:
        yield AppError("vapp_gone", field="vapp_id")
        return
    if len(offer.machines) > 1:
        yield AppError("template_of_many_in_vapp", field="vapp_id", count=len(offer.machines))
    same = select(Vm.id).where(Vm.vapp_id == vapp_id, Vm.name == spec.vm_name, Vm.gone_at.is_(None))
    if db.session.scalar(same) is not None or _is_claimed(spec.vdc_id, _claim(spec, vapp)):
        yield AppError("vm_name_taken", field="vm_name", name=spec.vm_name, vapp=vapp.name)


def _is_claimed(vdc_id: uuid.UUID, name: str) -> bool:
    """Whether a creation under way will take this name."""
    claims = select(Operation.id).where(
        Operation.vdc_id == vdc_id, Operation.claims_name == name, Operation.state.in_(ACTIVE)
    )
    return db.session.scalar(claims) is not None


def _claim(spec: VmSpec, vapp: VApp | Row[uuid.UUID, str, str] | None) -> str:
    """The name of which there can be only one: that of the new vApp, or of the machine within its vApp."""
    return f"{vapp.urn} {spec.vm_name}" if vapp else spec.vapp_name


# ---- the request -------------------------------------------------------------------------------------------------


def request_create(actor: Actor, spec: VmSpec, form_token: str) -> uuid.UUID:
    """Ask for a machine, or for all that a template makes; returns the id of the operation.

    The same form sent again answers the first operation. Raises the first AppError of `check`, `not_permitted`,
    `form_reused` when the token was used for another wish, or NotFoundError.
    """
    if not can(actor, Permission.VM_CREATE):
        raise AppError("not_permitted", 403)
    with transaction():
        account_id = own_vdc(actor, spec.vdc_id).service.account_id
        # One at a time in a data center: what one wish takes, the next one must not count as free.
        db.session.execute(select(Vdc.id).where(Vdc.id == spec.vdc_id).with_for_update())
        if operations.find(form_token) is None:
            for error in errors_of(spec):
                raise error
        vapp = db.session.get_one(VApp, spec.vapp_id) if spec.vapp_id else None
        operation_id = operations.add(
            CREATE_IN_VAPP if vapp else CREATE,
            actor,
            account_id=account_id,
            vdc_id=spec.vdc_id,
            vapp_urn=vapp.urn if vapp else None,
            form_token=form_token,
            claims_name=_claim(spec, vapp),
            params=_params(spec, vapp),  # those of a form sent again may be wrong: then they are not the same
            password=spec.password or make_password(),
        )
    operations.ring(operation_id)
    return operation_id


def _params(spec: VmSpec, vapp: VApp | None) -> dict[str, Any]:
    """The wish in vCloud's terms, without the password: the urns stay right whatever happens to the mirror."""
    template = db.session.get_one(VappTemplate, spec.template_id)
    network = db.session.get_one(Network, spec.network_id) if spec.network_id else None
    offer = offers.offer_of(template, offers.free_of(spec.vdc_id))
    sizes = [spec.size] if spec.size else [machine.size for machine in offer.machines]
    machines = [
        {
            "name": name,
            "template_name": machine.name,
            "template_vm_urn": machine.urn,
            "size": asdict(size),
            "is_resized": spec.size is not None,
        }
        for name, machine, size in zip(_names(spec, offer), offer.machines, sizes, strict=False)
    ]
    return {
        "vapp_name": vapp.name if vapp else spec.vapp_name,
        "vapp_urn": vapp.urn if vapp else None,
        "vm_name": spec.vm_name,
        "size": asdict(total(sizes)),
        "machines": machines,
        "template_name": template.name,
        "template_urn": template.urn,
        "network_name": network.name if network else None,
        "network_urn": network.urn if network else None,
        "is_isolated": network is not None and network.fence_mode == ISOLATED,
    }


def _names(spec: VmSpec, offer: Offer) -> tuple[str, ...]:
    if len(offer.machines) == 1:
        return (spec.vm_name,)
    return spec.machine_names or tuple(machine.default_name for machine in offer.machines)
