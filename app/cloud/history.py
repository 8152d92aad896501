"""What happened to machines, as vCloud showed it: by our operations, or by somebody in vCloud itself.

A change is {"what", "before", "after"}. `what` is one of "name", "state", "vapp" (its name), "cpu_count", "memory_mb",
"disks" ({id: MB}), "nics" ([{"index", "network", "ip", "mode", "is_connected"}]), "snapshot" (whether there is one),
"vdc" (urn of the data center; with "name", that of the new one, if it is of the same account), "lease" and "expired"
(see `leases`).
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, not_, or_, select

from app.cloud import drift_writing, sync_rules
from app.cloud.drift_rules import WHATS, Told, changes_of
from app.cloud.models import Service, Vdc, Vm
from app.cloud.operation_models import IS_ACTIVE, Operation
from app.cloud.sync_models import VmEvent
from app.db import db

Facts = dict[str, Any]
NIC_KEYS = ("index", "network", "ip", "mode", "is_connected")


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """The operations of a data center that may be what a change comes from."""

    on_vms: Mapping[uuid.UUID, tuple[uuid.UUID, str]]  # id of the machine -> (id of the operation, its kind)
    on_vapps: Mapping[str, uuid.UUID]  # urn of the vApp -> the creation that puts a machine into it
    on_names: Mapping[str, uuid.UUID]  # name of a new vApp -> its creation

    def cause(self, vm_id: uuid.UUID, changes: list[Facts]) -> uuid.UUID | None:
        """The operation that explains all of these changes of a machine; None: it was done in vCloud."""
        operation_id, kind = self.on_vms.get(vm_id, (None, ""))
        own = sync_rules.OWN_DOING.get(kind)
        # What a creation does to its own machine until it is ready is all its doing.
        explains = operation_id is not None and (own is None or all(change["what"] in own for change in changes))
        return operation_id if explains else None

    def own(self, vm_id: uuid.UUID) -> frozenset[str]:
        """What of a machine an operation at work may be changing."""
        operation_id, kind = self.on_vms.get(vm_id, (None, ""))
        return sync_rules.OWN_DOING.get(kind, frozenset(WHATS)) if operation_id is not None else frozenset()

    def maker(self, vapp_urn: str, vapp_name: str) -> uuid.UUID | None:
        """The creation that a new machine of this vApp comes from."""
        return self.on_vapps.get(vapp_urn) or self.on_names.get(vapp_name)


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What a reading has shown to have happened to a machine; see `VmEvent`."""

    vm_id: uuid.UUID
    kind: str
    at: datetime
    found: list[Facts]
    operation_id: uuid.UUID | None


def at_work(vdc_id: uuid.UUID) -> AtWork:
    """The operations at work in a data center, inside the caller's transaction."""
    found = db.session.execute(
        select(Operation.id, Operation.kind, Operation.vm_id, Operation.vapp_urn, Operation.claims_name)
        .outerjoin(Operation.vm)
        .where(
            # Of a machine that was moved here meanwhile, too: it was asked for where the machine was then.
            or_(Operation.vdc_id == vdc_id, Vm.vdc_id == vdc_id),
            IS_ACTIVE,
            # One that no worker has taken up has done nothing, nor has one that found the machine changed.
            Operation.started_at.is_not(None),
            not_(func.coalesce(Operation.error_code, "").like("%\\_changed", escape="\\")),
        )
    ).all()
    making = [row for row in found if row.kind not in sync_rules.OWN_DOING]
    made = _made_by({row.id: row.kind for row in making})
    return AtWork(
        on_vms=made | {row.vm_id: (row.id, row.kind) for row in found if row.vm_id is not None},
        on_vapps={row.vapp_urn: row.id for row in making if row.vapp_urn is not None},
        on_names={row.claims_name: row.id for row in making if row.claims_name is not None},
    )


def _made_by(making: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, tuple[uuid.UUID, str]]:
    """The machines that were seen to appear by these creations, also before the creation itself has found them."""
    if not making:
        return {}
    appeared = select(VmEvent.vm_id, VmEvent.operation_id).where(
        VmEvent.operation_id.in_(making), VmEvent.kind == "appeared"
    )
    return {row.vm_id: (row.operation_id, making[row.operation_id]) for row in db.session.execute(appeared)}


def facts_of(vm: Vm) -> Facts:
    """What of a machine is worth telling when it changes. One that was never read whole has only what is listed."""
    facts: Facts = {
        "name": vm.name,
        "state": vm.state.value,
        "vapp": vm.vapp.name,
        "cpu_count": vm.cpu_count,
        "memory_mb": vm.memory_mb,
    }
    if vm.read_at is not None:
        facts["disks"] = {disk["instance_id"]: disk["size_mb"] for disk in vm.disks}
        facts["nics"] = [{key: nic[key] for key in NIC_KEYS} for nic in vm.nics]
        facts["snapshot"] = vm.has_snapshot
    return facts


def changes(before: Facts, after: Facts) -> list[Facts]:
    """What differs; what was not known before has not changed."""
    return [
        {"what": what, "before": value, "after": after[what]} for what, value in before.items() if value != after[what]
    ]


def note(vdc_id: uuid.UUID, happened: Sequence[Happened], *, at_work: AtWork, run_id: uuid.UUID | None) -> None:
    """Write down what happened, inside the caller's transaction; one line for a machine and a run.

    In as many statements for ten machines as for one. What the panel did not do goes to the drift desk, too.
    """
    if not happened:
        return
    drift_writing.write(vdc_id, [_told(one, at_work) for one in happened], run_id)
    lines, fresh = _lines_of(run_id, {one.vm_id for one in happened}), list[Facts]()
    for one in _by_machine(happened):
        line = lines.get(one.vm_id)
        if line is None:
            fresh.append(
                {
                    "vm_id": one.vm_id,
                    "at": one.at,
                    "kind": one.kind,
                    "changes": one.found,
                    "operation_id": one.operation_id,
                    "run_id": run_id,
                }
            )
            continue
        _go_on(line, one.found, one.operation_id)
    if fresh:
        write_lines(vdc_id, fresh)


def write_lines(vdc_id: uuid.UUID, lines: Sequence[Facts]) -> None:
    """Write new lines of timelines of a data center's machines: `VmEvent` without the account."""
    account_id = db.session.scalar(select(Service.account_id).join(Service.vdc).where(Vdc.id == vdc_id))
    db.session.execute(insert(VmEvent), [{"account_id": account_id, **line} for line in lines])


def add_to_lines(run_id: uuid.UUID, more: Sequence[Facts]) -> None:
    """Add `VmEvent` values to the lines that this run has written of the same machines already."""
    lines = _lines_of(run_id, {one["vm_id"] for one in more})
    for one in more:
        _go_on(lines[one["vm_id"]], one["changes"], one["operation_id"])


def _go_on(line: VmEvent, changes: Sequence[Facts], operation_id: uuid.UUID | None) -> None:
    line.changes = [*line.changes, *changes]
    if line.operation_id != operation_id:  # the operation explains only a part of it
        line.operation_id = None


def _by_machine(happened: Iterable[Happened]) -> Iterable[Happened]:
    """One for each machine: it may be in two vApps that were read one after the other."""
    found: dict[uuid.UUID, Happened] = {}
    for one in happened:
        before = found.get(one.vm_id)
        if before is not None:
            cause = one.operation_id if one.operation_id == before.operation_id else None
            one = replace(before, found=[*before.found, *one.found], operation_id=cause)  # noqa: PLW2901
        found[one.vm_id] = one
    return found.values()


def _told(one: Happened, at_work: AtWork) -> Told:
    changed = changes_of(one.kind, one.found)
    return Told(vm_id=one.vm_id, at=one.at, changes=changed, operation_id=one.operation_id, own=at_work.own(one.vm_id))


def _lines_of(run_id: uuid.UUID | None, vm_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, VmEvent]:
    """What this run has already written down of these machines."""
    if run_id is None:
        return {}
    known = select(VmEvent).where(VmEvent.run_id == run_id, VmEvent.vm_id.in_(vm_ids))
    return {line.vm_id: line for line in db.session.scalars(known)}
