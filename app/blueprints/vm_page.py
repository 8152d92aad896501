"""The page of one machine in values: its row, its disks and cards, what may be changed, what has happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.rules import Permission, can
from app.blueprints import account_view, drift_lines, lease_words, lines, machines, readings, vm_events, web
from app.blueprints.account_view import VdcLine
from app.blueprints.machines import Choice, Row
from app.blueprints.operation_page import has_password
from app.blueprints.readings import Reading
from app.cloud import disks, drift, leases
from app.cloud.models import Handler, Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, VmState
from app.db import db

TIMELINE_LINES = 20
TENANT_PORTAL_SINCE = (30, 0)
"""From this API version (vCloud Director 9.1) on, customers have `/tenant/ORG`; before it `/cloud/org/ORG`."""


@dataclass(frozen=True, kw_only=True)
class DiskLine:
    """A disk; without an address it cannot be grown or removed here, and `is_first` or `is_shared` says why."""

    name: str
    size_mb: int
    is_first: bool
    is_shared: bool
    grow_url: str
    remove_url: str


@dataclass(frozen=True, kw_only=True)
class VmPage:
    """The values of `vms/_vm.html`.

    `whys`: by section, the reasons against its actions (id, sentence) that are not said above it already.
    `why_ids`: the id of the place where each reason is said.
    """

    row: Row
    disks: list[DiskLine]
    whys: dict[str, list[tuple[str, str]]]
    why_ids: dict[str, str]
    erase_at: datetime | None
    lease: str  # what it will do to the vApp; empty: there is none
    is_lease_near: bool
    is_protected: bool
    may_protect: bool
    keep_h: int
    days: list[tuple[str, list[lines.Entry]]]
    password_url: str
    vcloud_url: str
    vdcs: list[VdcLine]  # its own alone
    reading: Reading
    drifts: list[drift_lines.DriftLine]

    @property
    def stamp(self) -> tuple[object, ...]:
        """Tells whether something moved."""
        vm = self.row.vm
        busy = self.row.busy
        return vm.seen_at, vm.condition, vm.missing_since, self.erase_at, busy, self.lease, self.reading, self.days


SECTIONS = {
    "size": (Action.RESIZE,),
    "disks": (Action.GROW_DISK, Action.ADD_DISK, Action.REMOVE_DISK),
    "network": (Action.CHANGE_NETWORK,),
    "password": (Action.RESET_PASSWORD,),
    "snapshot": (Action.TAKE_SNAPSHOT, Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT),
    "delete": (Action.DELETE,),
}
"""The actions of each section of the page."""


def page(vm: Vm) -> VmPage:
    """Everything the page of a machine says; four statements beside those of the frame."""
    row, operations = machines.row(vm), _operations(vm)
    whys, why_ids = _whys(row)
    lease = leases.next_end(vm.vapp, clock.now()) if vm.gone_at is None else None
    vdcs = [vdc for vdc in account_view.vdcs() if vdc.id == vm.vdc_id]
    return VmPage(
        row=row,
        disks=_disks(vm),
        whys=whys,
        why_ids=why_ids,
        erase_at=vm.guard.erase_at if vm.guard and vm.state is VmState.RECYCLED else None,
        lease=lease_words.say(lease) if lease else "",
        is_lease_near=lease is not None and lease.is_soon,
        is_protected=vm.condition.is_protected,
        may_protect=vm.gone_at is None and can(web.actor(), Permission.VM_CHANGE),
        keep_h=web.config().recycle_hours,
        days=_timeline(vm, operations),
        password_url=_password_url(operations),
        vcloud_url=_vcloud_url(vm),
        vdcs=vdcs,
        reading=readings.of(vdcs),
        drifts=drift_lines.lines(drift.open_of(vm.id)) if account_view.drift_count() else [],
    )


def _disks(vm: Vm) -> list[DiskLine]:
    first = disks.first_disks([disk["instance_id"] for disk in vm.disks])
    return [_disk(vm, disk, is_first=disk["instance_id"] in first) for disk in vm.disks]


def _disk(vm: Vm, disk: dict[str, Any], *, is_first: bool) -> DiskLine:
    def url(endpoint: str) -> str:
        return url_for(endpoint, vm_id=vm.id, disk=disk["instance_id"])

    is_shared = bool(disk["independent"])
    return DiskLine(
        name=disk["name"],
        size_mb=disk["size_mb"],
        is_first=is_first,
        is_shared=is_shared,
        grow_url="" if is_shared else url("vms.grow_disk"),
        remove_url="" if is_shared or is_first else url("vms.remove_disk"),
    )


def _whys(row: Row) -> tuple[dict[str, list[tuple[str, str]]], dict[str, str]]:
    ids = {choice.reason: choice.reason_id for choice in row.buttons}
    by_section: dict[str, list[tuple[str, str]]] = {}
    for section, actions in SECTIONS.items():
        shown = [choice for choice in map(row.choice, actions) if choice.reason and _is_shown(row.vm, choice)]
        new = {choice.reason: choice.reason_id for choice in reversed(shown) if choice.reason not in ids}
        by_section[section] = [(reason_id, reason) for reason, reason_id in new.items()]
        ids.update(new)
    return by_section, ids


def _is_shown(vm: Vm, choice: Choice) -> bool:
    """A server without a snapshot offers neither to go back to it nor to remove it."""
    if choice.action in (Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT):
        return vm.has_snapshot
    return choice.action is not Action.REMOVE_DISK or len(vm.disks) > 1


def _operations(vm: Vm) -> list[Operation]:
    recent = select(Operation).where(Operation.vm_id == vm.id).order_by(Operation.created_at.desc())
    return list(db.session.scalars(recent.limit(TIMELINE_LINES).options(joinedload(Operation.user))))


def _password_url(operations: list[Operation]) -> str:
    """Where the reader can still open the password that he asked for; empty if it is not kept any more."""
    own = (one for one in operations if one.user_id == web.actor().user_id and has_password(one))
    newest = next(own, None)
    return url_for("operations.show", operation_id=newest.id) if newest else ""


def _timeline(vm: Vm, operations: list[Operation]) -> list[tuple[str, list[lines.Entry]]]:
    told = db.session.execute(vm_events.in_vcloud(vm.id).limit(TIMELINE_LINES))
    return lines.timeline(operations, vm_events.entries(told))


def _vcloud_url(vm: Vm) -> str:
    """Where the customer finds his organization in vCloud Director itself; empty while that is not known.

    The addresses of single machines differ from release to release and are documented nowhere; those of the
    organization are (vCloud Director Tenant Portal Guide, "Log In to the Tenant Portal").
    """
    service = vm.vdc.service
    handler: Handler = service.handler
    if web.config().demo or not handler.api_version:
        return ""
    version = tuple(int(part) for part in handler.api_version.split(".")[:2] if part.isdigit())
    place = "tenant" if version >= TENANT_PORTAL_SINCE else "cloud/org"
    parts = urlsplit(handler.api_url)
    return f"{parts.scheme}://{parts.netloc}/{place}/{quote(service.org_name, safe='')}/"
