"""Overview: what needs somebody, the machines by state, what is running, what happened last."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from app import clock
from app.accounts.rules import Permission, can
from app.blueprints import account_view, lease_words, lines, operation_page, readings, vm_events, web
from app.blueprints.frame import news
from app.blueprints.readings import Reading
from app.blueprints.vm_list import group_labels
from app.cloud import leases, vm_search
from app.cloud.leases import Lease
from app.cloud.models import VApp, Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import VmState
from app.cloud.sync_models import VmEvent
from app.cloud.vm_filter import State, VmFilter
from app.db import db
from app.texts.labels import STATE_GLYPHS, VM_STATES

bp = Blueprint("dashboard", __name__)
EVENT_LINES = 8
FAILURES_FOR = timedelta(days=3)


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Something that waits for the person."""

    glyph: str
    label: str
    name: str
    text: str
    url: str
    button: str


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number of machines in one state, as a link to them."""

    glyph: str
    label: str
    count: int
    url: str


@dataclass(frozen=True, kw_only=True)
class View:
    """The values of the page."""

    todo: list[Todo]
    tiles: list[Tile]
    total: int
    running: list[lines.Line]
    days: list[tuple[str, list[lines.Entry]]]
    reading: Reading

    @property
    def is_first_visit(self) -> bool:
        """Whether there is nothing yet but the first step."""
        return not (self.total or self.running or self.days)


@bp.get("/")
@web.requires(Permission.ACCOUNT_SEE, else_to="staff.accounts")
def overview() -> web.Answer:
    """The page; staff have their own. A role that sees no machines has nothing here yet."""
    actor = web.actor()
    view = _view() if can(actor, Permission.VM_SEE) else None
    may_create = can(actor, Permission.VM_CREATE)
    return render_template("dashboard/overview.html", view=view, may_create=may_create, now=clock.now())


@bp.get("/live")
@web.requires(Permission.VM_SEE)
def live() -> web.Answer:
    """Its moving part."""
    view, latest = _view(), news()
    answer = web.fragment("dashboard/_overview.html", (latest, view), view=view, news=latest)
    readings.keep_fresh(account_view.vdcs())
    return answer


def _view() -> View:
    numbers = account_view.vm_counts()
    recent = _recent()
    return View(
        todo=[*_failed(), *_to_mend(), *_leases()],
        tiles=_tiles(numbers),
        total=numbers["all"],
        running=[lines.brief(operation) for operation in recent if operation.is_active],
        days=_days([operation for operation in recent if not operation.is_active]),
        reading=readings.shown(),
    )


def _recent() -> list[Operation]:
    own = select(Operation).where(Operation.account_id == web.actor().account_id)
    newest = own.order_by(Operation.state.in_(ACTIVE).desc(), Operation.created_at.desc()).limit(2 * EVENT_LINES)
    return list(db.session.scalars(newest.options(joinedload(Operation.user))))


def _days(operations: list[Operation]) -> list[tuple[str, list[lines.Entry]]]:
    """The last of what operations did and what was done in vCloud."""
    newest = vm_events.of_account(web.actor().account_id).order_by(VmEvent.at.desc()).limit(EVENT_LINES)
    told = db.session.scalars(newest.options(vm_events.WITH_NAMES))
    return lines.timeline(operations, vm_events.entries_of_all(told), most=EVENT_LINES)


def _tiles(numbers: dict[str, int]) -> list[Tile]:
    glyphs = {
        "on": "on",
        "off": "off",
        "suspended": "suspended",
        "attention": "warn" if numbers["attention"] else "off",
    }
    labels = group_labels()
    return [
        Tile(glyph=glyph, label=labels[key], count=numbers[key], url=url_for("vms.index", state=key))
        for key, glyph in glyphs.items()
    ]


def _to_mend() -> list[Todo]:
    """Machines in a state that somebody should know of."""
    wanted = VmFilter(conditions=(State(("attention",)),))
    found = select(Vm).where(vm_search.condition(wanted, account_view.vdc_ids())).order_by(Vm.name)
    return [_mend(vm) for vm in db.session.scalars(found.limit(EVENT_LINES))]


def _mend(vm: Vm) -> Todo:
    texts = {
        VmState.PARTLY_OFF: gettext("is off, but vCloud still holds its CPU and memory. Power off frees them."),
        VmState.FAILED: gettext("could not be built by vCloud."),
    }
    text = texts.get(vm.state, gettext("is in a state that vCloud does not explain."))
    url = url_for("vms.show", vm_id=vm.id)
    return Todo(
        glyph=STATE_GLYPHS[vm.state],
        label=str(VM_STATES[vm.state]),
        name=vm.name,
        text=text,
        url=url,
        button=gettext("Open"),
    )


def _leases() -> list[Todo]:
    """VApps that vCloud is about to stop, lock or delete because their time is over."""
    now = clock.now()
    ending = leases.near_end(account_view.vdc_ids(), now, most=EVENT_LINES)
    return [_ending(vapp, lease) for vapp in ending if (lease := leases.next_end(vapp, now))]


def _ending(vapp: VApp, lease: Lease) -> Todo:
    return Todo(
        glyph="warn",
        label=gettext("Lease"),
        name=vapp.name,
        text=f"{lease_words.say(lease)} {gettext('Ask your provider to lengthen it.')}",
        url=url_for("vms.index", q=vapp.name),
        button=gettext("Open"),
    )


def _failed() -> list[Todo]:
    """The last operation of a machine, or of a name, when it did not end well lately."""
    later = aliased(Operation)
    own, since = web.actor().account_id, clock.now() - FAILURES_FOR
    name = "vm_name"  # see lines.name_of
    newer = select(later.id).where(
        later.account_id == own,
        later.created_at > Operation.created_at,
        later.params[name].as_string() == Operation.params[name].as_string(),
    )
    failed = select(Operation).where(
        Operation.account_id == own,
        Operation.created_at > since,
        Operation.error_code.is_not(None),
        Operation.state.not_in(ACTIVE),
        ~newer.exists(),
    )
    return [_failure(o) for o in db.session.scalars(failed.order_by(Operation.created_at.desc()).limit(EVENT_LINES))]


def _failure(operation: Operation) -> Todo:
    return Todo(
        glyph="bad" if operation.state == "failed" else "warn",
        label=lines.title(operation),
        name=lines.name_of(operation),
        text=operation_page.explain(operation, may_change=False).what,
        url=url_for("operations.show", operation_id=operation.id),
        button=gettext("See why"),
    )
