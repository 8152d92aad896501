"""Entries of the drift desk in words, for the customer's pages and those of staff."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.cloud import drift_restore
from app.cloud.drift_models import Drift
from app.cloud.drift_restore import Way
from app.texts.drift import NEVER, WHATS, value_lines


@dataclass(frozen=True, kw_only=True)
class DriftLine:
    """One entry. `never` says why it cannot be restored, empty where it can; `operation_id` is the last try."""

    id: uuid.UUID
    vm_id: uuid.UUID
    vm_name: str
    vdc_name: str
    what: str
    panel: list[str]
    vcloud: list[str]
    agreed: list[str]
    found_at: datetime
    ignored_until: datetime | None
    never: str
    operation_id: uuid.UUID | None
    is_restoring: bool
    seen: str


def lines(rows: Sequence[Drift]) -> list[DriftLine]:
    """Each of them; at most one statement, for networks."""
    ids = drift_restore.network_ids(rows)
    return [_line(row, ids) for row in rows]


def _line(row: Drift, ids: drift_restore.NetworkIds) -> DriftLine:
    way = drift_restore.way(row, ids)

    def words(value: object) -> list[str]:
        return value_lines(row.what, value, own_vdc=row.vm.vdc.urn)

    return DriftLine(
        id=row.id,
        vm_id=row.vm_id,
        vm_name=row.vm.shown_name,
        vdc_name=row.vm.vdc.name,
        what=str(WHATS[row.what]),
        panel=words(row.panel),
        vcloud=words(row.vcloud),
        agreed=words(row.agreed),
        found_at=row.found_at,
        ignored_until=row.ignored_until,
        never="" if isinstance(way, Way) else str(NEVER[way]),
        operation_id=row.operation_id,
        is_restoring=row.operation is not None and row.operation.is_active,
        seen=row.seen_key,
    )
