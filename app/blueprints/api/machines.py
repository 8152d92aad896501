"""Machines: the list, one of them, a new one, protection against deletion. What else is asked of them: `actions`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from app.accounts.rules import Permission, can
from app.blueprints import account_view, web
from app.blueprints.api import documents
from app.blueprints.api.documents import Machine, Machines
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.operations import OperationState, operation_state
from app.blueprints.api.paging import PageQuery
from app.blueprints.api.schema import WHOLE_MOST, NewPassword, Note
from app.cloud import deletion, vm_search, vms, wishes
from app.cloud.models import Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import Action, Blocked
from app.cloud.sizes import Size
from app.cloud.vm_filter import FIELDS, VmFilter, parse
from app.cloud.vms import VmSpec
from app.db import db
from app.errors import AppError

COLUMNS: dict[str, tuple[Any, ...]] = {
    "name": (Vm.name,),
    "state": (Vm.state_rank, Vm.name),
    "size": (Vm.cpu_count, Vm.memory_mb, Vm.disk_mb, Vm.name),
}


class Sort(StrEnum):
    """The order of the list; with a hyphen the other way round."""

    NAME = "name"
    NAME_DOWN = "-name"
    STATE = "state"
    STATE_DOWN = "-state"
    SIZE = "size"
    SIZE_DOWN = "-size"


@dataclass(frozen=True, kw_only=True)
class MachinesQuery(PageQuery):
    """Which machines, in which order."""

    q: Annotated[
        str,
        Note(about="The filter language of the list, such as `status:on vapp:web ram:>=8gb 10.0.`", most=200),
    ] = ""
    sort: Sort = Sort.STATE


@dataclass(frozen=True, kw_only=True)
class WantedSize:
    """Processors, memory and disk of a new machine."""

    cpu_count: Annotated[int, Note(least=1, most=WHOLE_MOST)]
    memory_mb: Annotated[int, Note(about="A multiple of 4.", least=4, most=WHOLE_MOST)]
    disk_gb: Annotated[int, Note(least=1, most=WHOLE_MOST)]


@dataclass(frozen=True, kw_only=True)
class NewMachine:
    """A machine to be made, in a new vApp or in an existing one. A template of several machines makes all of them."""

    vdc_id: uuid.UUID
    template_id: uuid.UUID
    vm_name: Annotated[str, Note(about="Also the name of the new vApp, unless that has one of its own.", most=200)]
    size: Annotated[WantedSize | None, Note(about="Left out: as the template has it.")] = None
    network_id: Annotated[uuid.UUID | None, Note(about="Left out: no network.")] = None
    vapp_id: Annotated[uuid.UUID | None, Note(about="An existing vApp. Left out: a new one.")] = None
    vapp_name: Annotated[str | None, Note(about="The name of the new vApp.", most=200)] = None
    machine_names: Annotated[
        tuple[Annotated[str, Note(most=200)], ...],
        Note(about="One for each machine of a template of several; left out: as in the template.", most=100),
    ] = ()
    password: NewPassword = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Protection:
    """Whether a machine is protected against deletion."""

    is_protected: bool


@endpoint("GET", "/vms", tag="Machines", answer=Machines, query=MachinesQuery)
def list_vms(query: MachinesQuery) -> Machines:
    """The machines of the account that the filter finds; those in the recycle bin or gone have to be asked for."""
    found = vm_search.condition(_filter(query.q), account_view.vdc_ids())
    total = db.session.scalar(select(func.count()).select_from(Vm).where(found)) or 0
    rows = select(Vm).join(Vm.vapp).where(found).order_by(*_order(query.sort))
    machines = list(db.session.scalars(query.cut(rows).options(contains_eager(Vm.vapp), joinedload(Vm.vdc))))
    busy = _running(machines)
    items = tuple(documents.machine_line(vm, busy.get(vm.id)) for vm in machines)
    return Machines(items=items, total=total, page=query.page, pages=query.last(total))


def _filter(text: str) -> VmFilter:
    read = parse(text)
    for problem in read.problems:
        part = f"{problem.field}:{problem.value}".strip(":")
        raise AppError("filter_unreadable", 400, field="q", part=part, known=", ".join(FIELDS))
    return read


def _order(sort: Sort) -> list[Any]:
    columns = (*COLUMNS[sort.value.removeprefix("-")], Vm.id)
    return [column.desc() for column in columns] if sort.value.startswith("-") else list(columns)


def _running(machines: Sequence[Vm]) -> dict[uuid.UUID | None, uuid.UUID]:
    """The operation at work on each machine."""
    at_work = select(Operation.vm_id, Operation.id).where(
        Operation.vm_id.in_([vm.id for vm in machines]), Operation.state.in_(ACTIVE)
    )
    return dict(db.session.execute(at_work).all())


@endpoint("GET", "/vms/<uuid:vm_id>", tag="Machines", answer=Machine)
def show_vm(vm_id: uuid.UUID) -> Machine:
    """A machine: state, sizes, disks, cards, snapshot, and what can be asked of it now."""
    vm = web.get_vm(vm_id)
    running = wishes.running_operation(vm.id)
    may = can(web.actor(), Permission.VM_CHANGE)
    answers = wishes.answers(vm, running) if may else dict.fromkeys(Action, Blocked.NOT_PERMITTED)
    return documents.machine(vm, running.id if running else None, answers)


@endpoint(
    "POST",
    "/vms",
    tag="Machines",
    answer=OperationState,
    permission=Permission.VM_CREATE,
    status=202,
    body=NewMachine,
    is_asked=True,
    refusals=frozenset({404}),
)
def create_vm(body: NewMachine, form_token: str) -> OperationState:
    """Ask for a machine, or for all that a template makes."""
    if body.vapp_id is not None and body.vapp_name is not None:
        raise AppError("vapp_named_twice", 400, field="vapp_name")
    spec = VmSpec(
        vdc_id=body.vdc_id,
        template_id=body.template_id,
        network_id=body.network_id,
        vm_name=body.vm_name,
        vapp_name="" if body.vapp_id else body.vapp_name or body.vm_name,
        vapp_id=body.vapp_id,
        size=Size(**vars(body.size)) if body.size else None,
        machine_names=body.machine_names,
        password=body.password,
    )
    try:
        operation_id = vms.request_create(web.actor(), spec, form_token)
    except AppError as error:
        if error.field in ("cpu_count", "memory_mb", "disk_gb"):
            error.field = f"size.{error.field}"
        raise
    return operation_state(web.get_operation(operation_id))


@endpoint(
    "POST",
    "/vms/<uuid:vm_id>/protection",
    tag="Machines",
    answer=Machine,
    permission=Permission.VM_CHANGE,
    body=Protection,
)
def protect_vm(vm_id: uuid.UUID, body: Protection) -> Machine:
    """Protect a machine against deletion, or no longer. Safe to repeat."""
    deletion.protect(web.actor(), vm_id, on=body.is_protected)
    return show_vm(vm_id)
