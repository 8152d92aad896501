"""The page of one operation: its steps, its log, and the explanation of a failure. Reads rows, decides nothing."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import get_locale, gettext, ngettext

from app import clock
from app.accounts.rules import Actor, Permission, can
from app.blueprints import filters
from app.blueprints.lines import name_of, position, step_words, title
from app.blueprints.operation_steps import StepLine, step_lines
from app.blueprints.vm_cards import machines, size_words
from app.cloud import explain as book
from app.cloud import rescue
from app.cloud.offers import CREATING
from app.cloud.operation_models import Operation
from app.cloud.passwords import PASSWORD_STAYS, STOPPED_STAYS
from app.cloud.rules import Action
from app.cloud.sizes import Size
from app.cloud.steps import KINDS
from app.texts import size_mb
from app.texts.operations import EXPLANATIONS, HELPERS, QUANTITIES

SLOWER_AFTER_S = 60
"""A page that has been open for so long asks less often."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """Something that the person can do about a failure."""

    title: str
    text: str = ""
    url: str = ""
    button: str = ""
    is_command: bool = False  # the button does it, instead of leading to a page


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What was asked for and what vCloud has made of it, in words."""

    what: str
    asked: str
    got: str


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
    differences: list[Difference]
    usual: str
    may_cancel: bool
    cancel_words: str
    machines: list[tuple[str, str, str]]
    vm_url: str
    has_password: bool
    password_until: datetime | None
    why: Why | None


def page(operation: Operation, reader: Actor) -> Page:
    """Everything the page of an operation says to this reader."""
    glyph, state_label = state(operation)
    age_s = (clock.now() - operation.created_at).total_seconds()
    may_change = can(reader, Permission.VM_CHANGE)
    usual = rescue.usual_time(operation.kind) if operation.is_active else None
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
        log=log_lines(operation),
        facts=_facts(operation),
        differences=differences(operation),
        usual=filters.duration(usual) if usual else "",
        may_cancel=may_change and rescue.may_cancel(operation),
        cancel_words=_cancel_words(operation),
        machines=machines(operation),
        vm_url=url_for("vms.show", vm_id=operation.vm_id) if operation.vm_id else "",
        has_password=operation.user_id == reader.user_id and has_password(operation),
        password_until=password_until(operation),
        why=explain(operation, may_change=may_change) if operation.error_code is not None else None,
    )


def log_lines(operation: Operation) -> list[str]:
    """What happened, a line each, as vCloud said it."""
    return [
        f"{filters.clock_time_s(event.at)}  {event.step:<12} {event.text}" for event in operation.events if event.text
    ]


def password_until(operation: Operation) -> datetime | None:
    """How long the password can still be opened; None while nobody has seen it."""
    shown_at = operation.password_shown_at
    return shown_at + PASSWORD_STAYS if shown_at is not None else None


def has_password(operation: Operation) -> bool:
    """Whether the person who asked can still open its password."""
    until = password_until(operation)
    is_over = until is not None and clock.now() > until
    return operation.state == "succeeded" and operation.password_sealed is not None and not is_over


def state(operation: Operation) -> tuple[str, str]:
    """Its state as a glyph and words."""
    if operation.is_active:
        return "busy", step_words(operation)
    if operation.state == "succeeded":
        return "on", gettext("Done")
    if operation.state == "cancelled":
        return "off", gettext("Cancelled") if operation.error_code else gettext("Given up")
    if operation.state == "needs_attention":
        return "warn", gettext("Needs attention")
    number, total = position(operation)
    return "bad", gettext("Failed at step %(number)s of %(total)s", number=number, total=total)


def _facts(operation: Operation) -> list[tuple[str, str]]:
    params = operation.params
    if operation.kind not in CREATING:
        return [(gettext("Server"), name_of(operation)), *_asked(params)]
    vm = operation.vm if len(params["machines"]) == 1 else None
    got = (
        [
            (gettext("System"), vm.guest_os),
            (gettext("Outer address"), vm.outer_ip),
            (gettext("Inner address"), vm.inner_ip),
        ]
        if vm
        else []
    )
    return [
        (gettext("Template"), params["template_name"]),
        (gettext("Size"), size_words(Size(**params["size"]))),
        (gettext("Network"), params["network_name"] or gettext("none")),
        ("vApp", params["vapp_name"]),
        *((label, value) for label, value in got if value),
    ]


def _asked(params: dict[str, Any]) -> list[tuple[str, str]]:
    """What was asked for, of kinds that ask for more than a state."""
    size = f"{params['cpu_count']}\xa0CPU · {size_mb(params['memory_mb'])}" if "cpu_count" in params else ""
    disk = size_mb(params["size_gb"] * 1024) if "size_gb" in params else ""
    asked = [(gettext("Size"), size), (gettext("Disk"), disk), (gettext("New name"), params.get("new_name", ""))]
    return [(label, value) for label, value in asked if value]


def differences(operation: Operation) -> list[Difference]:
    """What came out other than it was asked for, as the last step has read it back."""
    return [
        Difference(
            what=str(QUANTITIES[one["what"]]) % {"number": one.get("card", 0) + 1},
            asked=_value(one["what"], one["asked"]),
            got=_value(one["what"], one["got"]),
        )
        for one in operation.facts.get("differences", [])
    ]


def _value(what: str, value: Any) -> str:
    if value is None:
        return gettext("none")
    if what.endswith("_mb"):
        return size_mb(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value if part) or gettext("none")
    return gettext("not given yet") if value == "pending" else str(value)


def _cancel_words(operation: Operation) -> str:
    """What became of the wish to cancel, or what it would mean; nothing where neither is the case."""
    if operation.cancel_asked_at is not None:
        if operation.state == "succeeded":
            return gettext("You asked to cancel it. It was too late: vCloud had finished already.")
        if not operation.is_active or operation.error_code is not None:
            return ""
        if not KINDS[operation.kind].step(operation.step).may_cancel:
            return gettext("It is too late to cancel: this step cannot be stopped, the work goes on.")
        if operation.task_urn is not None and operation.facts.get("stop_asked") == operation.task_urn:
            return gettext("vCloud was asked to stop and has not done so. It may be too late.")
        return gettext("We ask vCloud to stop it.")
    if not rescue.may_cancel(operation):
        return ""
    if operation.kind in CREATING:
        return gettext("vCloud can still stop this step. What was made is removed.")
    return gettext("vCloud can still stop this step.")


def explain(operation: Operation, *, may_change: bool) -> Why:
    """A failure in plain words, with vCloud's own where it said something."""
    what, cause = EXPLANATIONS[operation.error_code or "internal"]
    now = operation.error_params.get("now", "")
    now_words = size_mb(now) if operation.error_code == "memory_mb_changed" else now
    said = str(operation.error_params.get("message") or "")
    known = book.explain(operation.error_params.get("minor_code"), said, language=str(get_locale()))
    return Why(
        what=str(what) % {"name": name_of(operation), "now": now_words},
        cause=f"{known.cause} {known.next_step}" if known else str(cause),
        helper=str(HELPERS[known.helper]) if known else "",
        request_id=str(operation.error_params.get("request_id") or ""),
        ways=_ways(operation, may_change=may_change),
    )


def _ways(operation: Operation, *, may_change: bool) -> list[Way]:
    if operation.is_active:
        return [Way(title=gettext("Wait a moment"), text=clean_up_words(operation))]
    going_on = [_way_on(operation)] if may_change and rescue.may_retry(operation) else []
    if operation.state == "needs_attention":
        text = gettext("Nothing more happens by itself. Send them the id at the side.")
        return [*going_on, *_ways_to_password(operation), Way(title=gettext("Let support look at it"), text=text)]
    if operation.kind in CREATING:
        again = url_for("vms.new", again=operation.id)
        text = gettext("Nothing is left of it, your settings are kept.")
        return [Way(title=gettext("Try again"), text=text, url=again, button=gettext("Change and try again"))]
    return [*_ways_past_guest(operation), *going_on, _way_to_server(operation)]


def clean_up_words(operation: Operation) -> str:
    """What happens after a failure, while it happens."""
    if KINDS[operation.kind].step(operation.step).undoes:
        return gettext("We remove the half-made server first.")
    return gettext("We look what the server is like now.")


def _way_on(operation: Operation) -> Way:
    url = url_for("operations.retry", operation_id=operation.id)
    text = gettext("We look at vCloud first, so nothing is done twice.")
    return Way(title=gettext("Go on from this step"), text=text, url=url, button=gettext("Go on"), is_command=True)


def _ways_to_password(operation: Operation) -> list[Way]:
    """A new one for the machine, where that of the operation is not kept any more."""
    if not rescue.is_too_late(operation):
        return []
    text = ngettext(
        "We keep a password for %(num)d day; it is erased now.",
        "We keep a password for %(num)d days; it is erased now.",
        STOPPED_STAYS.days,
    )
    if operation.vm_id is None:
        return [Way(title=gettext("It cannot go on"), text=text)]
    url = url_for("vms.ask_reset_password", vm_id=operation.vm_id)
    return [Way(title=gettext("Set a new password"), text=text, url=url, button=gettext("Reset the password…"))]


def _ways_past_guest(operation: Operation) -> list[Way]:
    """A system that does not answer, or cannot be asked, is not asked: like the plug or the reset button."""
    if operation.error_code not in ("guest_silent", "no_guest_tools"):
        return []
    text = gettext("What it has not written to its disk is lost.")
    if operation.kind == Action.RESTART:
        url = url_for("vms.reset", vm_id=operation.vm_id)
        return [Way(title=gettext("Reset it"), text=text, url=url, button=gettext("Reset the server…"))]
    url = url_for("vms.power_off", vm_id=operation.vm_id)
    return [Way(title=gettext("Power it off"), text=text, url=url, button=gettext("Power off…"))]


def _way_to_server(operation: Operation) -> Way:
    url = url_for("vms.show", vm_id=operation.vm_id)
    text = gettext("Its page shows its state now.")
    return Way(title=gettext("Look at the server"), text=text, url=url, button=gettext("Open the server"))
