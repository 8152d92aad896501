"""Operations in words: the strip of a running one and the timeline of those that ended. Reads rows, decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import url_for
from flask_babel import gettext

from app.blueprints import filters
from app.cloud.operation_models import Operation
from app.cloud.steps import KINDS
from app.texts.operations import BUSY_STATES, OPERATIONS, STEPS, WAITING


@dataclass(frozen=True, kw_only=True)
class Line:
    """A running operation in short. `progress` is that of the whole, 0 to 100."""

    url: str
    title: str
    label: str
    step: str
    detail: str
    progress: int
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a timeline."""

    at: datetime
    text: str
    who: str
    url: str = ""
    note: str = ""


def name_of(operation: Operation) -> str:
    """The machine's name as it was when the operation was asked for."""
    return str(operation.params["vm_name"])


def title(operation: Operation) -> str:
    """What it does, or how it ended."""
    running, ended_well, ended_badly = OPERATIONS[operation.kind]
    if operation.state == "cancelled":
        what = str(running) % {"name": name_of(operation)}
        is_wish = operation.error_code is not None  # else another operation has taken its place
        return gettext("%(what)s: cancelled", what=what) if is_wish else gettext("%(what)s: given up", what=what)
    if operation.state == "succeeded":
        sentence = ended_well
    else:
        sentence = running if operation.is_active and operation.error_code is None else ended_badly
    return str(sentence) % {"name": name_of(operation)}


def brief(operation: Operation) -> Line:
    """The strip of a running operation."""
    return Line(
        url=url_for("operations.show", operation_id=operation.id),
        title=title(operation),
        label=str(BUSY_STATES[operation.kind]),
        step=step_words(operation),
        detail=_detail(operation),
        progress=progress(operation),
        started_at=operation.created_at,
    )


def step_words(operation: Operation) -> str:
    """ "Step 2 of 6", or why it waits."""
    if operation.error_code is not None:
        undoes = KINDS[operation.kind].step(operation.step).undoes
        return gettext("Removing what was made") if undoes else gettext("Looking at the server")
    if operation.cancel_asked_at is not None and KINDS[operation.kind].step(operation.step).may_cancel:
        return gettext("Being cancelled")
    if operation.waiting_for is not None:
        return str(WAITING[operation.waiting_for])
    if operation.state == "queued":
        return gettext("Waiting for its turn")
    number, total = position(operation)
    return gettext("Step %(number)s of %(total)s", number=number, total=total)


def _detail(operation: Operation) -> str:
    """What `step_words` says, with the name of the step where the work goes on."""
    words = step_words(operation)
    plain = operation.state == "running" and operation.error_code is None and operation.waiting_for is None
    return gettext("%(step)s: %(what)s", step=words, what=str(STEPS[operation.step])) if plain else words


def progress(operation: Operation) -> int:
    """How much of the whole is done, by steps and vCloud's own percentage of the present one."""
    number, total = position(operation)
    return int((number - 1 + (operation.progress or 0) / 100) / total * 100)


def position(operation: Operation) -> tuple[int, int]:
    """The number of the present step, or of the failed one, and how many there are."""
    names = [step.name for step in KINDS[operation.kind].steps]
    present = operation.facts.get("failed_step", operation.step)
    return (names.index(present) + 1 if present in names else len(names)), len(names)


def timeline(
    operations: list[Operation], others: Iterable[Entry] = (), *, most: int | None = None
) -> list[tuple[str, list[Entry]]]:
    """Days with their entries, newest first and at most so many; `others` are no operations."""
    entries = [
        Entry(
            at=operation.finished_at or operation.created_at,
            text=title(operation),
            url=url_for("operations.show", operation_id=operation.id),
            note=_took_words(operation),
            who=operation.user.name,
        )
        for operation in operations
    ]
    entries += others
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return [(name, list(group)) for name, group in groupby(entries[:most], key=lambda entry: filters.day(entry.at))]


def _took_words(operation: Operation) -> str:
    if operation.finished_at is None:
        return ""
    return gettext("in %(time)s", time=filters.duration(operation.finished_at - operation.created_at))
