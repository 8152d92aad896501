"""Writes what a listing says: every machine with state, sizes and name, in as many statements for 10 as for 1,000.

Only vApps whose fingerprint moved are looked at closer. What a listing does not tell (disks, cards, snapshots) comes
from the documents of these vApps afterwards.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, insert, literal_column, or_, select, update
from sqlalchemy import Row as SqlRow

from app import vcloud
from app.cloud import drift_writing, history, leases, moves
from app.cloud.drift_rules import Told, changes_of
from app.cloud.models import VApp, Vm, VmGuard
from app.cloud.rules import vm_state
from app.cloud.sync_rules import Listed
from app.db import db

NAMED_MOST, NAMED_AT_ONCE = 10_000, 2_000
"""So many machines are asked for by name, and by one statement; of more, all of the data center are read."""
WRITTEN_AT_ONCE = 1_000
"""So many new machines are written by one statement: the rows of all would take more memory than the listing."""
_Values = dict[str, Any]
_VAPPS: Select[*tuple[Any, ...]] = select(
    VApp.id,
    VApp.urn,
    VApp.name,
    VApp.record_key,
    VApp.seen_at,
    VApp.gone_at,
    VApp.runtime_ends_at,
    VApp.is_expired,
)
_VMS: Select[*tuple[Any, ...]] = select(
    Vm.id,
    Vm.urn,
    Vm.vapp_id,
    Vm.name,
    Vm.status,
    Vm.is_deployed,
    Vm.cpu_count,
    Vm.memory_mb,
    Vm.state_since,
    Vm.seen_at,
    Vm.gone_at,
    Vm.missing_since,
    VmGuard.recycled_at,
).outerjoin(VmGuard, VmGuard.vm_id == Vm.id)
# Run by the connection, not by the session, and with what is the same in all rows written out: half the time.
_NONE: ColumnElement[Any] = literal_column("'[]'")
_NEW_VAPP = insert(VApp).values(networks=_NONE)
_NEW_VM = insert(Vm).values(disks=_NONE, nics=_NONE, disk_mb=literal_column("0"))


@dataclass(kw_only=True)
class _Writing:
    """One listing on its way into the mirror."""

    vdc_id: uuid.UUID
    at: datetime
    run_id: uuid.UUID
    is_first: bool
    names: dict[uuid.UUID, str]  # of vApps
    ids: dict[str, uuid.UUID]  # of vApps, by urn
    runtime_ends: dict[uuid.UUID, datetime | None]  # of the leases of vApps
    locked: dict[uuid.UUID, bool] = field(default_factory=dict)  # vApps that vCloud has locked by lease, or unlocked
    inserts: list[_Values] = field(default_factory=list)  # new machines that are not written yet
    new: int = 0
    arrived: set[uuid.UUID] = field(default_factory=set)  # from another data center: that they came is told already
    updates: list[_Values] = field(default_factory=list)
    events: list[_Values] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)  # the same, for the drift desk
    missing: list[uuid.UUID] = field(default_factory=list)


def apply_listing(
    vdc_id: uuid.UUID, listed: Mapping[str, Listed], at: datetime, run_id: uuid.UUID, *, is_first: bool
) -> dict[str, int]:
    """Write a complete listing as it was at `at`, inside the caller's transaction; returns {"new", "changed"}.

    A row that is newer is left as it is. What is not listed is noted as missing, which is not yet gone. On the first
    reading nothing is told to have appeared: it was there before us.
    """
    stored = {row.urn: row for row in db.session.execute(_VAPPS.where(VApp.vdc_id == vdc_id))}
    moved = {urn: item for urn, item in listed.items() if not _is_known(stored.get(urn), item)}
    absent = [row for urn, row in stored.items() if urn not in listed and row.gone_at is None and row.seen_at < at]
    if not moved and not absent:
        return {"new": 0, "changed": 0}
    writing = _Writing(
        vdc_id=vdc_id,
        at=at,
        run_id=run_id,
        is_first=is_first,
        names={row.id: row.name for row in stored.values()},
        ids={urn: row.id for urn, row in stored.items()},
        runtime_ends={row.id: row.runtime_ends_at for row in stored.values()},
    )
    _write_vapps(writing, stored, moved)
    unlisted = [{"id": row.id, "record_key": None, "read_key": None} for row in absent if row.record_key is not None]
    if unlisted:
        db.session.execute(update(VApp), unlisted)
    _compare_vms(writing, moved, [row.id for row in absent])
    _execute(writing)
    return {
        "new": writing.new,
        "changed": sum(event["kind"] != "appeared" for event in writing.events),
    }


def _is_known(row: SqlRow[Any] | None, item: Listed) -> bool:
    return row is not None and row.record_key == item.key and row.gone_at is None


def _write_vapps(writing: _Writing, stored: Mapping[str, SqlRow[Any]], moved: Mapping[str, Listed]) -> None:
    inserts, updates = [], []
    for urn, item in moved.items():
        record, row = item.record, stored.get(urn)
        said = {
            "name": record.name,
            "status": int(record.status),
            "is_deployed": record.deployed,
            "is_expired": record.expired,
            "record_key": item.key,
            "seen_at": writing.at,
        }
        if row is None:
            vapp_id = writing.ids[urn] = uuid.uuid4()
            inserts.append({"id": vapp_id, "vdc_id": writing.vdc_id, "urn": urn, **said})
        elif row.seen_at <= writing.at:
            updates.append({"id": row.id, "gone_at": None, **said})
            if row.is_expired != record.expired:
                writing.locked[row.id] = record.expired
        writing.names[writing.ids[urn]] = record.name
    if inserts:
        db.session.connection().execute(_NEW_VAPP, inserts)
    if updates:
        db.session.execute(update(VApp), updates)


def _compare_vms(writing: _Writing, moved: Mapping[str, Listed], absent: Sequence[uuid.UUID]) -> None:
    stored = _stored_vms(writing, moved, absent)
    elsewhere = _take_over(writing, moved, stored)
    at_work = history.at_work(writing.vdc_id)
    for item in moved.values():
        for record in item.vms:
            if record.id in elsewhere:
                continue
            row = stored.pop(record.id, None)
            if row is None:
                _add(writing, item, record, at_work)
            elif row.seen_at <= writing.at:
                _compare(writing, item, record, row, at_work)
        if len(writing.inserts) >= WRITTEN_AT_ONCE:
            _insert(writing)
    _insert(writing)
    writing.missing += [
        row.id
        for row in stored.values()
        if row.gone_at is None and row.missing_since is None and row.seen_at < writing.at
    ]


def _stored_vms(writing: _Writing, moved: Mapping[str, Listed], absent: Sequence[uuid.UUID]) -> dict[str, SqlRow[Any]]:
    """The machines that are listed in one of these vApps, or were in one of them or of the absent ones."""
    vapp_ids = [*(writing.ids[urn] for urn in moved), *absent]
    urns = [vm.id for item in moved.values() for vm in item.vms]
    query, found = _VMS.where(Vm.vdc_id == writing.vdc_id), dict[str, SqlRow[Any]]()
    if writing.is_first:
        return {}
    if len(vapp_ids) + len(urns) > NAMED_MOST:
        touched = set(vapp_ids) | set(urns)
        return {row.urn: row for row in db.session.execute(query) if row.vapp_id in touched or row.urn in touched}
    for start in range(0, max(len(vapp_ids), len(urns)), NAMED_AT_ONCE):
        some = slice(start, start + NAMED_AT_ONCE)
        named = or_(Vm.vapp_id.in_(vapp_ids[some]), Vm.urn.in_(urns[some]))
        found |= {row.urn: row for row in db.session.execute(query.where(named))}
    return found


def _take_over(writing: _Writing, moved: Mapping[str, Listed], stored: dict[str, SqlRow[Any]]) -> set[str]:
    """Add those to `stored` that come from another data center; returns those that are there again by now."""
    homes = {vm.id: writing.ids[item.record.id] for item in moved.values() for vm in item.vms if vm.id not in stored}
    known = moves.bring_over(writing.vdc_id, homes, writing.at, writing.run_id)
    if known.here:
        here = _VMS.where(Vm.vdc_id == writing.vdc_id, Vm.urn.in_(known.here))
        arrived = {row.urn: row for row in db.session.execute(here)}
        writing.arrived |= {row.id for row in arrived.values()}
        stored |= arrived
    return known.elsewhere


def _add(writing: _Writing, item: Listed, record: vcloud.VmRecord, at_work: history.AtWork) -> None:
    vm_id = uuid.uuid4()
    writing.inserts.append(
        {
            "id": vm_id,
            "vdc_id": writing.vdc_id,
            "vapp_id": writing.ids[item.record.id],
            "urn": record.id,
            "name": record.name,
            "status": int(record.status),
            "is_deployed": record.deployed,
            "cpu_count": record.cpu_count or 0,
            "memory_mb": record.memory_mb or 0,
            "guest_os": record.guest_os,
            "storage_profile": record.storage_profile_name,
            "inner_ip": record.ip,
            "addresses": f"\n{record.ip}" if record.ip else "",
            "network_names": f"\n{record.network_name}" if record.network_name else "",
            "first_seen_at": writing.at,
            "seen_at": writing.at,
        }
    )
    if not writing.is_first:
        _tell(writing, vm_id, "appeared", [], at_work, at_work.maker(item.record.id, item.record.name))


def _compare(
    writing: _Writing, item: Listed, record: vcloud.VmRecord, row: SqlRow[Any], at_work: history.AtWork
) -> None:
    said = {
        "vapp_id": writing.ids[item.record.id],
        "name": record.name,
        "status": int(record.status),
        "is_deployed": record.deployed,
        "cpu_count": row.cpu_count if record.cpu_count is None else record.cpu_count,
        "memory_mb": row.memory_mb if record.memory_mb is None else record.memory_mb,
    }
    back, lease = row.gone_at is not None, leases.lock(writing.locked.get(row.vapp_id))
    if (
        not lease
        and not back
        and row.missing_since is None
        and all(getattr(row, name) == value for name, value in said.items())
    ):
        return
    found = history.changes(
        _facts(row._asdict(), writing.names, row.recycled_at), _facts(said, writing.names, row.recycled_at)
    )
    has_new_state = back or any(change["what"] == "state" for change in found)
    since = writing.at if has_new_state else row.state_since
    fresh = {"state_since": since, "seen_at": writing.at, "gone_at": None, "missing_since": None}
    writing.updates.append({"id": row.id, **said, **fresh})
    if found or back or lease:
        cause = at_work.cause(row.id, found)
        if cause is None:
            found += leases.stop(found, writing.runtime_ends.get(row.vapp_id), writing.at)
        found += lease
        _tell(writing, row.id, "returned" if back else "changed", found, at_work, cause)


def _facts(said: Mapping[str, Any], names: Mapping[uuid.UUID, str], recycled_at: datetime | None) -> history.Facts:
    state = vm_state(status=said["status"], deployed=said["is_deployed"], gone=False, recycled=recycled_at is not None)
    return {
        "name": said["name"],
        "state": state.value,
        "vapp": names[said["vapp_id"]],
        "cpu_count": said["cpu_count"],
        "memory_mb": said["memory_mb"],
    }


def _tell(
    writing: _Writing,
    vm_id: uuid.UUID,
    kind: str,
    found: list[history.Facts],
    at_work: history.AtWork,
    operation_id: uuid.UUID | None,
) -> None:
    changed = changes_of(kind, found)
    writing.told.append(
        Told(vm_id=vm_id, at=writing.at, changes=changed, operation_id=operation_id, own=at_work.own(vm_id))
    )
    writing.events.append(
        {
            "vm_id": vm_id,
            "at": writing.at,
            "kind": kind,
            "changes": found,
            "operation_id": operation_id,
            "run_id": writing.run_id,
        }
    )


def _insert(writing: _Writing) -> None:
    if writing.inserts:
        db.session.connection().execute(_NEW_VM, writing.inserts)
    writing.new += len(writing.inserts)
    writing.inserts.clear()


def _execute(writing: _Writing) -> None:
    if writing.updates:
        db.session.execute(update(Vm), writing.updates)
    more = [event for event in writing.events if event["vm_id"] in writing.arrived]
    fresh = [event for event in writing.events if event["vm_id"] not in writing.arrived]
    if more:
        history.add_to_lines(writing.run_id, more)
    if fresh:
        history.write_lines(writing.vdc_id, fresh)
    drift_writing.write(writing.vdc_id, writing.told, writing.run_id)
    if writing.missing:
        late = update(Vm).where(Vm.id == bindparam("vm_id")).values(missing_since=writing.at)
        db.session.connection().execute(late, [{"vm_id": vm_id} for vm_id in writing.missing])
