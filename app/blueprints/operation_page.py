"""The page of one operation: its steps, its log, and the explanation of a failure. Reads rows, decides nothing."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import get_locale, gettext

from app import clock
from app.blueprints import filters
from app.blueprints.lines import name_of, position, step_words, title
from app.cloud import explain as book
from app.cloud.models import Operation, OperationEvent
from app.cloud.offers import CREATING
from app.cloud.passwords import PASSWORD_STAYS
from app.cloud.steps import KINDS
from app.texts import EXPLANATIONS, HELPERS, STEPS, WAITING, size_mb

SLOWER_AFTER_S = 60
"""A page that has been open for so long asks less often."""


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One step: `mark` is done, now, fail or todo; `progress` only where vCloud tells one."""

    mark: str
    label: str
    note: str
    took: str
    progress: int | None


@dataclass(frozen=True, kw_only=True)
class Way:
    """Something that the person can do about a failure."""

    title: str
    text: str = ""
    url: str = ""
    button: str = ""


@dataclass(frozen=True, kw_only=True)
class Why:
    """An explained failure: what happened, why, who can help, what to do, best first. vCloud's words are in the log."""

    what: str
    cause: str
    helper: str
    request_id: str  # under which the reason stands in vCloud's own log
    ways: list[Way]


@dataclass(frozen=True, kw_only=True)
class Page:
    """The values of `operations/_operation.html`."""

    id: uuid.UUID
    name: str
    title: str
    glyph: str
    state_label: str
    who: str
    finished_at: datetime | None
    is_active: bool
    poll_s: int
    started_at: datetime
    moved_at: datetime
    took: str
    steps: list[StepLine]
    log: list[str]
    facts: list[tuple[str, str]]
    vm_url: str
    has_password: bool
    password_until: datetime | None
    why: Why | None


def page(operation: Operation, reader_id: uuid.UUID) -> Page:
    """Everything the page of an operation says to this reader."""
    glyph, state_label = _state(operation)
    age_s = (clock.now() - operation.created_at).total_seconds()
    return Page(
        id=operation.id,
        name=name_of(operation),
        title=title(operation),
        glyph=glyph,
        state_label=state_label,
        who=operation.user.name,
        finished_at=operation.finished_at,
        is_active=operation.is_active,
        poll_s=2 if age_s < SLOWER_AFTER_S else 5,
        started_at=operation.created_at,
        moved_at=operation.moved_at,
        took=filters.stopwatch((operation.finished_at or clock.now()) - operation.created_at),
        steps=step_lines(operation),
        log=[
            f"{filters.clock_time_s(event.at)}  {event.step:<12} {event.text}"
            for event in operation.events
            if event.text
        ],
        facts=_facts(operation),
        vm_url=url_for("vms.show", vm_id=operation.vm_id) if operation.vm_id else "",
        has_password=operation.user_id == reader_id and _has_password(operation),
        password_until=password_until(operation),
        why=explain(operation) if operation.error_code is not None else None,
    )


def password_until(operation: Operation) -> datetime | None:
    """How long the password can still be opened; None while nobody has seen it."""
    shown_at = operation.password_shown_at
    return shown_at + PASSWORD_STAYS if shown_at is not None else None


def _has_password(operation: Operation) -> bool:
    until = password_until(operation)
    is_over = until is not None and clock.now() > until
    return operation.state == "succeeded" and operation.password_sealed is not None and not is_over


def _state(operation: Operation) -> tuple[str, str]:
    if operation.is_active:
        return "busy", step_words(operation)
    if operation.state == "succeeded":
        return "on", gettext("Done")
    if operation.state == "cancelled":
        return "off", gettext("Given up")
    if operation.state == "needs_attention":
        return "warn", gettext("Needs attention")
    number, total = position(operation)
    return "bad", gettext("Failed at step %(number)s of %(total)s", number=number, total=total)


def _facts(operation: Operation) -> list[tuple[str, str]]:
    params = operation.params
    if "size" not in params:
        return [(gettext("Server"), name_of(operation))]
    size = params["size"]
    sizes = [f"{size['cpu_count']}\xa0CPU", size_mb(size["memory_mb"]), size_mb(size["disk_gb"] * 1024)]
    return [
        (gettext("Template"), params["template_name"]),
        (gettext("Size"), ", ".join(sizes)),
        (gettext("Network"), params["network_name"] or gettext("none")),
        ("vApp", params["vapp_name"]),
    ]


def step_lines(operation: Operation) -> list[StepLine]:
    """The steps of the kind, in order, with what the events tell of them."""
    return [_step_line(operation, step.name) for step in KINDS[operation.kind].steps]


def _step_line(operation: Operation, name: str) -> StepLine:
    begun_at, ended_at = _span(operation.events, name)
    mark, note = _mark(operation, name, ended_at)
    until = ended_at or operation.finished_at or clock.now()
    return StepLine(
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
        return "fail", ""
    if operation.waiting_for is not None:
        return "now", str(WAITING[operation.waiting_for])
    return "now", gettext("vCloud reports %(number)s\xa0%%.", number=operation.progress) if operation.progress else ""


def _span(events: list[OperationEvent], step: str) -> tuple[datetime | None, datetime | None]:
    begun_at = next((event.at for event in events if event.step == step and event.kind == "begin"), None)
    ended_at = next((event.at for event in events if event.step == step and event.kind in ("done", "error")), None)
    return begun_at, ended_at


def explain(operation: Operation) -> Why:
    """A failure in plain words, with vCloud's own where it said something."""
    what, cause = EXPLANATIONS[operation.error_code or "internal"]
    said = str(operation.error_params.get("message") or "")
    known = book.explain(operation.error_params.get("minor_code"), said, language=str(get_locale()))
    return Why(
        what=str(what) % {"name": name_of(operation)},
        cause=f"{known.cause} {known.next_step}" if known else str(cause),
        helper=str(HELPERS[known.helper]) if known else "",
        request_id=str(operation.error_params.get("request_id") or ""),
        ways=_ways(operation),
    )


def _ways(operation: Operation) -> list[Way]:
    if operation.is_active:
        return [Way(title=gettext("Wait a moment"), text=gettext("We remove the half-made server first."))]
    if operation.state == "needs_attention":
        text = gettext("Nothing more happens by itself. Send them the id at the side.")
        return [Way(title=gettext("Let support look at it"), text=text)]
    if operation.kind in CREATING:
        again = url_for("vms.new", again=operation.id)
        text = gettext("The half-made server was removed, your settings are kept.")
        return [Way(title=gettext("Try again"), text=text, url=again, button=gettext("Change and try again"))]
    return [*_ways_of_silent_guest(operation), _way_to_server(operation)]


def _ways_of_silent_guest(operation: Operation) -> list[Way]:
    if operation.error_code != "guest_silent":
        return []
    url = url_for("vms.power_off", vm_id=operation.vm_id)
    text = gettext("What it has not written to its disk is lost.")
    return [Way(title=gettext("Power it off"), text=text, url=url, button=gettext("Power off…"))]


def _way_to_server(operation: Operation) -> Way:
    url = url_for("vms.show", vm_id=operation.vm_id)
    text = gettext("Its page shows its state now.")
    return Way(title=gettext("Look at the server and try again"), text=text, url=url, button=gettext("Open the server"))
