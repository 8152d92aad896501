"""What happened lately, by the tasks of the query service: for versions whose rows do not name the last task."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.vcloud.query import AnyOf, Condition
from app.vcloud.types import TaskRecord

# Recorded rows of VMs and vApps named their last task on every version below, though no document says so.
NEEDED_SINCE = (35,)


def conditions(moment: str) -> tuple[AnyOf, AnyOf]:
    """Return the filter for tasks on VMs and vApps that began or ended at a moment or later."""
    return (
        AnyOf((Condition("startDate", moment, "=ge="), Condition("endDate", moment, "=ge="))),
        AnyOf((Condition("objectType", "vm"), Condition("objectType", "vApp"))),
    )


def last_moments(rows: Iterable[TaskRecord], *, now: datetime, ahead: timedelta) -> dict[str, datetime]:
    """Return by urn when something last happened to it: the end of a task by our clock, or now if one goes on."""
    found: dict[str, datetime] = {}
    for row in rows:
        if row.object_id:
            at = now if row.ended_at is None else row.ended_at - ahead
            found[row.object_id] = max(at, found.get(row.object_id, at))
    return found
