"""Keeps the drift desk: what vCloud shows of machines becomes entries, moves them and settles them.

In as many statements for 10,000 machines as for one, and in none when nothing has changed.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import insert, select, update

from app.cloud.drift_models import IS_LIVE, Drift
from app.cloud.drift_rules import DriftState, Told, first_state, settled_by
from app.cloud.operation_models import Operation
from app.db import db

NAMED_MOST = 2_000  # so many machines are asked for by name; of more, all of the data center are read
_SIZES = ("cpu_count", "memory_mb")
_Values = dict[str, Any]
_Live = dict[tuple[uuid.UUID, str], SqlRow[Any]]


def write(vdc_id: uuid.UUID, told: Sequence[Told], run_id: uuid.UUID | None) -> None:
    """Take in what was told of machines of a data center, inside the caller's transaction."""
    if not told:
        return
    live = _live(vdc_id, {one.vm_id for one in told})
    fresh: list[tuple[Told, Mapping[str, Any]]] = []
    updates: dict[uuid.UUID, _Values] = {}
    for one in told:
        for change in one.changes:
            row = live.get((one.vm_id, change["what"])) or _left(live, one, change)
            if one.is_own(change["what"]):
                updates |= {row.id: _decided(row, one, change, run_id) for row in _settled_rows(live, one, change)}
            elif row is not None:
                updates[row.id] = _moved(row, one, change, run_id)
            else:
                fresh.append((one, change))
    inserts = _fresh_rows(vdc_id, fresh, run_id)
    if updates:
        db.session.execute(update(Drift), list(updates.values()))
    if inserts:
        db.session.execute(insert(Drift), inserts)


def _live(vdc_id: uuid.UUID, vm_ids: Collection[uuid.UUID]) -> _Live:
    query = select(
        Drift.id, Drift.vm_id, Drift.what, Drift.agreed, Drift.panel, Drift.vcloud, Drift.state, Drift.ignored_until,
        Drift.operation_id,
    ).where(Drift.vdc_id == vdc_id, IS_LIVE)  # fmt: skip
    if len(vm_ids) <= NAMED_MOST:
        query = query.where(Drift.vm_id.in_(vm_ids))
    return {(row.vm_id, row.what): row for row in db.session.execute(query)}


def _left(live: _Live, one: Told, change: Mapping[str, Any]) -> SqlRow[Any] | None:
    """Who comes back from another data center ends the entry that says it has gone there."""
    is_back = change["what"] == "existence" and change["after"]
    return live.get((one.vm_id, "vdc")) if is_back else None


def _settled_rows(live: _Live, one: Told, change: Mapping[str, Any]) -> list[SqlRow[Any]]:
    found = [live.get((one.vm_id, what)) for what in settled_by(change["what"])]
    return [row for row in found if row is not None]


def _decided(row: SqlRow[Any], one: Told, change: Mapping[str, Any], run_id: uuid.UUID | None) -> _Values:
    """The panel has changed the thing: that is agreed now, unless it was to restore it and came out otherwise."""
    now = change["after"] if row.what == change["what"] else row.vcloud
    is_restore = row.operation_id is not None and row.operation_id == one.operation_id
    if not is_restore:
        return _written(row, one, now, DriftState.SETTLED, run_id)
    is_back = now in (row.agreed, row.panel)
    return _written(row, one, now, DriftState.RESTORED if is_back else DriftState.OPEN, run_id)


def _moved(row: SqlRow[Any], one: Told, change: Mapping[str, Any], run_id: uuid.UUID | None) -> _Values:
    """It has changed in vCloud once more. Who ignored it has not seen this."""
    now = row.agreed if row.what == "vdc" and change["what"] == "existence" else change["after"]
    if now in (row.agreed, row.panel):
        return _written(row, one, now, DriftState.SETTLED, run_id)
    state = first_state(row.what, row.agreed, now)
    return _written(row, one, now, state, run_id)


def _written(row: SqlRow[Any], one: Told, vcloud: Any, state: DriftState, run_id: uuid.UUID | None) -> _Values:
    return {
        "id": row.id,
        "vcloud": vcloud,
        "state": state.value,
        "last_seen_at": one.at,
        "run_id": run_id,
        "ignored_until": None,
    }


def _fresh_rows(
    vdc_id: uuid.UUID, fresh: Sequence[tuple[Told, Mapping[str, Any]]], run_id: uuid.UUID | None
) -> list[_Values]:
    asked = _asked(vdc_id, {one.vm_id for one, change in fresh if change["what"] in _SIZES})
    found = []
    for one, change in fresh:
        what, before, after = change["what"], change["before"], change["after"]
        wish = asked.get((one.vm_id, what), {})
        panel = wish["asked"] if wish.get("got") == before else before
        if after != panel:
            found.append(
                {
                    "id": uuid.uuid4(),
                    "vdc_id": vdc_id,
                    "vm_id": one.vm_id,
                    "what": what,
                    "agreed": before,
                    "panel": panel,
                    "vcloud": after,
                    "state": first_state(what, before, after).value,
                    "found_at": one.at,
                    "last_seen_at": one.at,
                    "run_id": run_id,
                }
            )
    return found


def _asked(vdc_id: uuid.UUID, vm_ids: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, str], dict[str, Any]]:
    """Sizes that vCloud gave otherwise than the panel had asked: {"what", "asked", "got"} by machine and what."""
    if not vm_ids:
        return {}
    query = select(Operation.vm_id, Operation.facts).where(
        Operation.vdc_id == vdc_id, Operation.kind == "resize", Operation.state == "succeeded"
    )
    if len(vm_ids) <= NAMED_MOST:
        query = query.where(Operation.vm_id.in_(vm_ids))
    last = {row.vm_id: row.facts for row in db.session.execute(query.order_by(Operation.finished_at))}
    return {(vm_id, one["what"]): one for vm_id, facts in last.items() for one in facts.get("differences", ()) if vm_id}
