"""The steps of an operation in words: what is done, what runs, what comes. Reads rows, decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from app import clock
from app.blueprints import filters
from app.cloud.operation_models import Operation, OperationEvent
from app.cloud.steps import KINDS
from app.texts.operations import STEPS, WAITING


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One step: `mark` is done, now, fail or todo; `progress` only where vCloud tells one."""

    name: str
    mark: str
    label: str
    note: str
    took: str
    progress: int | None


def step_lines(operation: Operation) -> list[StepLine]:
    """The steps of the kind, in order, with what the events tell of them; without those that were not needed."""
    skipped = {event.step for event in operation.events if event.kind == "skip"}
    return [_step_line(operation, step.name) for step in KINDS[operation.kind].steps if step.name not in skipped]


def _step_line(operation: Operation, name: str) -> StepLine:
    begun_at, ended_at = _span(operation.events, name)
    mark, note = _mark(operation, name, ended_at)
    until = ended_at or operation.finished_at or clock.now()
    return StepLine(
        name=name,
        mark=mark,
        label=str(STEPS[name]),
        note=note,
        took=filters.stopwatch(until - begun_at) if begun_at else "",
        progress=operation.progress if mark == "now" else None,
    )


def _mark(operation: Operation, name: str, ended_at: datetime | None) -> tuple[str, str]:
    stopped = operation.error_code is not None or not operation.is_active
    present = operation.facts.get("failed_step", operation.step)
    if ended_at is not None and name != operation.facts.get("failed_step"):
        return "done", ""
    if name != present:
        return "todo", gettext("Not started") if stopped else ""
    if stopped:
        return ("todo", gettext("Cancelled here")) if operation.error_code == "cancelled" else ("fail", "")
    if operation.waiting_for is not None:
        return "now", str(WAITING[operation.waiting_for])
    return "now", gettext("vCloud reports %(number)s\xa0%%.", number=operation.progress) if operation.progress else ""


def _span(events: list[OperationEvent], step: str) -> tuple[datetime | None, datetime | None]:
    """When the step began, and when it ended; one that goes on after a failure begins anew."""
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    for event in events:
        if event.step != step:
            continue
        if event.kind in ("begin", "retry"):
            begun_at, ended_at = event.at, None
        elif event.kind in ("done", "error"):
            ended_at = event.at
    return begun_at, ended_at
