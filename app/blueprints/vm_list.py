"""The list of machines: from the mirror alone, filtered, sorted and paged by the database.

A page has up to 100 rows, so a row is made of plain values with as little work as possible; bench/pages.py measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from flask import request, url_for
from flask_babel import gettext, pgettext
from markupsafe import escape
from sqlalchemy import Integer, Result, Select, bindparam, case, func, select
from sqlalchemy import Row as SqlRow

from app.accounts.rules import Permission, can
from app.blueprints import account_view, filters, lines, readings, web
from app.blueprints.paging import SIZES, Paging, paging
from app.blueprints.readings import Reading
from app.blueprints.vm_filter_words import examples, problem_words
from app.cloud import vm_search
from app.cloud.models import VApp, Vm, VmGuard
from app.cloud.offers import CREATING
from app.cloud.rules import Action, Condition, VmState, allowed_actions, vm_state
from app.cloud.vm_filter import State, VmFilter, parse
from app.cloud.vm_search import VDC_IDS
from app.db import db
from app.texts import size_mb
from app.texts.labels import STATE_GLYPHS, VM_STATES

ENDLESS = 10**9
"""More machines than any list has."""
MOST_LETTERS = 200
TABS = ("on", "off", "suspended", "attention", "building", "deleted", "gone")
"""The states that the address can ask for apart from the filter; `all` is none of them."""
SORTS: dict[str, tuple[Any, ...]] = {
    "name": (Vm.name,),
    "state": (Vm.state_rank, Vm.name),
    "size": (Vm.cpu_count, Vm.memory_mb, Vm.disk_mb, Vm.name),
}


QUICK = {Action.START: VmState.OFF, Action.RESUME: VmState.SUSPENDED}
"""What a row offers as its one button, and in which state."""


class ListRow(NamedTuple):
    """A machine in the list, in the order in which the template takes it apart; every text is safe HTML.

    `quick`: the one action that needs no thought, or empty.
    """

    id: str
    name: str
    kind: str
    glyph: str
    label: str
    age: str
    busy: lines.Line | None
    size: str
    disk: str
    address: str
    second_address: str
    quick: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of the list and all that stands around it.

    `understood`: the filter as it was read; `kept`: what the address says beside it, for the next filter;
    `has_ids`: the tick boxes have their ids without the help of the script; `elsewhere`: where else the filter finds
    something, as in `filters`.
    """

    page_sizes = SIZES
    most_letters = MOST_LETTERS
    rows: list[ListRow]
    creating: list[lines.Line]
    counts: dict[str, int]
    text: str
    understood: str
    problems: list[str]
    help: list[tuple[str, str]]
    state: str
    sort: str
    paging: Paging
    reading: Reading
    may_change: bool
    live_url: str
    csv_url: str
    has_ids: bool
    kept: list[tuple[str, str]]
    elsewhere: list[tuple[str, str, int]]
    zone: str
    stamp: object = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the account has nothing to list at all."""
        return not (self.creating or any(self.counts.values()))

    @property
    def is_moving(self) -> bool:
        """Whether anything on it is being changed."""
        return bool(self.creating) or any(row.busy for row in self.rows)

    @property
    def filters(self) -> list[tuple[str, str, int]]:
        """The quick filters: key, label, number."""
        always, labels = ("all", "on", "off", "attention"), group_labels()
        some = [key for key in ("all", *TABS) if key in always or self.counts[key] or key == self.state]
        return [(key, labels[key], self.counts[key]) for key in some]


def group_labels() -> dict[str, str]:
    """What the groups of machines are called."""
    return {
        "all": pgettext("several servers", "All"),
        "on": pgettext("several servers", "On"),
        "off": pgettext("several servers", "Off"),
        "suspended": pgettext("several servers", "Suspended"),
        "attention": pgettext("several servers", "Need attention"),
        "building": pgettext("several servers", "Being built"),
        "deleted": pgettext("several servers", "In the recycle bin"),
        "gone": pgettext("several servers", "Gone from vCloud"),
    }


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the address asks for."""

    text: str
    typed: VmFilter
    state: str
    sort: str

    @property
    def wanted(self) -> VmFilter:
        """What was typed, together with the state of the quick filter."""
        tab = () if self.state == "all" else (State((self.state,)),)
        return VmFilter(conditions=(*self.typed.conditions, *tab))

    def rows(self, *columns: Any, pages: Paging | None = None) -> Result[Any]:
        """These columns of the machines that are asked for, in order. vApp and guard are joined."""
        place = "all" if pages is None else "first" if pages.offset == 0 else "later"
        limits = {} if pages is None else {"size": pages.size, "offset": pages.offset}
        return db.session.execute(_statement(self.wanted, self.sort, place, columns), limits | _here())

    def total(self) -> int:
        """How many machines are found."""
        if not self.typed.conditions:
            return account_view.vm_counts()[self.state]
        condition = vm_search.condition(self.wanted, VDC_IDS)
        return db.session.scalar(select(func.count()).select_from(Vm).where(condition), _here()) or 0


def _here() -> dict[str, Any]:
    return {"vdc_ids": account_view.vdc_ids()}


@lru_cache(256)  # to build a statement takes as long as to execute it, and open pages ask again and again
def _statement(wanted: VmFilter, sort: str, place: str, columns: tuple[Any, ...]) -> Select[Any]:
    ordered = SORTS[sort.removeprefix("-")]
    # The id decides between equals, in the same direction, so that an index can be read either way.
    order = [column.desc() if sort.startswith("-") else column for column in (*ordered, Vm.id)]
    condition = vm_search.condition(wanted, VDC_IDS)
    found = select(*columns).join(Vm.vapp).outerjoin(Vm.guard).order_by(*order)
    size, offset = bindparam("size", type_=Integer), bindparam("offset", type_=Integer)
    if place == "all":
        return found.where(condition)
    if place == "later":  # the page is found in an index alone: nothing is joined for the rows before it
        return found.where(Vm.id.in_(select(Vm.id).where(condition).order_by(*order).offset(offset).limit(size)))
    return found.where(condition).limit(size)


def wish() -> Wish:
    """Read the address; what it says wrongly is left out."""
    text = request.args.get("q", "").strip()[:MOST_LETTERS]
    state, sort = request.args.get("state", "all"), request.args.get("sort", "state")
    return Wish(
        text=text,
        typed=parse(text),
        state=state if state in TABS else "all",
        sort=sort if sort.removeprefix("-") in SORTS else "state",
    )


def listing() -> Listing:
    """The page of the list that the address asks for."""
    asked = wish()
    pages, found = _page(asked)
    may = can(web.actor(), Permission.VM_CHANGE)
    rows, creating = _rows(found, may=may), _creating()
    moving = [(line.url, line.step, line.progress) for line in (*creating, *(row.busy for row in rows if row.busy))]
    query, reading = request.query_string.decode(), readings.shown()
    return Listing(
        rows=rows,
        creating=creating,
        counts=account_view.vm_counts(),
        text=asked.text,
        understood=str(asked.typed),
        problems=[problem_words(problem) for problem in asked.typed.problems],
        help=examples(),
        state=asked.state,
        sort=asked.sort,
        paging=pages,
        reading=reading,
        may_change=may,
        live_url=url_for("vms.live_index") + (f"?{query}" if query else ""),
        csv_url=url_for("vms.table") + (f"?{query}" if query else ""),
        has_ids="ids" in request.args,
        kept=[(name, request.args[name]) for name in ("state", "sort", "rows") if name in request.args],
        elsewhere=[] if found else _elsewhere(asked),
        zone=filters.zone_name(),
        stamp=(moving, reading, account_view.vm_counts(), [tuple(row) for row in found]),
    )


def _elsewhere(asked: Wish) -> list[tuple[str, str, int]]:
    """Nobody knows of a server that he misses that it is in the recycle bin, or that it was deleted in vCloud."""
    if asked.state != "all" or asked.typed.states or not asked.typed.conditions:
        return []
    labels, counts = group_labels(), account_view.vm_counts()
    totals = {key: replace(asked, state=key).total() for key in ("deleted", "gone") if counts[key]}
    return [(key, labels[key], total) for key, total in totals.items() if total]


def _page(asked: Wish) -> tuple[Paging, Sequence[SqlRow[Any]]]:
    """The rows of the page that the address asks for; they come first, for when they are few none need be counted."""
    wanted = paging(ENDLESS, SIZES)
    found = asked.rows(*COLUMNS, pages=wanted).all()
    is_end = len(found) < wanted.size and (len(found) > 0 or wanted.number == 1)
    pages = paging(wanted.offset + len(found) if is_end else asked.total(), SIZES)
    if pages.number != wanted.number:  # a page beyond the last one
        found = asked.rows(*COLUMNS, pages=pages).all()
    return pages, found


COLUMNS = (
    Vm.id,
    Vm.name,
    Vm.status,
    Vm.is_deployed,
    Vm.gone_at,
    Vm.has_snapshot,
    Vm.cpu_count,
    Vm.memory_mb,
    Vm.disk_mb,
    Vm.guest_os,
    Vm.inner_ip,
    Vm.outer_ip,
    Vm.state_since,
    Vm.first_seen_at,
    Vm.missing_since,
    Vm.read_at.is_(None).label("is_unread"),  # disks and cards are not known yet
    VApp.name.label("vapp_name"),
    VmGuard.recycled_at,
    func.coalesce(VmGuard.is_protected, False).label("is_protected"),
    # The cards are long; they only tell why a machine has no address.
    case((Vm.inner_ip.is_(None) & Vm.outer_ip.is_(None), Vm.nics)).label("nics"),
)


def state_of(row: SqlRow[Any]) -> VmState:
    """The state of a machine of the list."""
    return vm_state(
        status=row.status, deployed=row.is_deployed, gone=row.gone_at is not None, recycled=row.recycled_at is not None
    )


def _rows(found: Sequence[SqlRow[Any]], *, may: bool) -> list[ListRow]:
    """The rows in words. What many of them say alike is put into words, and made safe, once."""
    busy = {operation.vm_id: lines.brief(operation) for operation in account_view.active_operations()}
    said, quick = _Sayings(), cache(_quick)

    def row_of(row: SqlRow[Any]) -> ListRow:
        state = state_of(row)
        line = busy.get(row.id)
        system = said.plain(row.guest_os.removesuffix(" (64-bit)"))
        address, second = said.addresses(row)
        return ListRow(
            id=str(row.id),
            name=str(escape(row.name)),
            # Machines are mostly called after their vApp, which then need not be named again.
            kind=system if row.name.startswith(row.vapp_name) else f"{system} · {said.plain(row.vapp_name)}",
            glyph=STATE_GLYPHS[state],
            label=said.state(state),
            age=said.age(row),
            busy=line,
            size=f"{row.cpu_count} CPU · {said.size(row.memory_mb)}",
            disk=said.unread if row.is_unread else said.disk(row.disk_mb),
            address=address,
            second_address=second,
            quick=quick(state, row.has_snapshot, row.is_protected) if may and line is None else "",
        )

    return [row_of(row) for row in found]


class _Sayings:
    """Words of rows as safe HTML, each made once for a page."""

    def __init__(self) -> None:
        self.plain = cache(lambda text: str(escape(text)))
        self.state = cache(lambda state: str(escape(VM_STATES[state])))
        self.size = cache(lambda size_mb_: str(escape(size_mb(size_mb_))))
        self.disk = cache(lambda size_mb_: str(escape(gettext("%(size)s disk", size=size_mb(size_mb_)))))
        self._time = filters.short_times()
        self._since = str(escape(gettext("since %(time)s", time="{}")))
        self._at_least = str(escape(gettext("since %(time)s or earlier", time="{}")))
        self._none_yet, self._no_network = str(escape(gettext("none yet"))), str(escape(gettext("no network")))
        self._inner_only = str(escape(gettext("inner only")))
        self.unread = str(escape(gettext("disks are being read")))
        self._missing = str(escape(gettext("not in vCloud's list since %(time)s", time="{}")))

    def age(self, row: SqlRow[Any]) -> str:
        """Since when the state is as it is, one that was so when first seen or longer; or that it is not listed."""
        if row.missing_since and not row.gone_at:
            return self._missing.format(self._time(row.missing_since))
        began = row.gone_at or row.recycled_at or row.state_since
        return self._since.format(self._time(began)) if began else self._at_least.format(self._time(row.first_seen_at))

    def addresses(self, row: SqlRow[Any]) -> tuple[str, str]:
        """The address from outside and what stands under it."""
        if row.outer_ip:
            return str(escape(row.outer_ip)), str(escape(row.inner_ip or ""))
        if row.inner_ip:
            return str(escape(row.inner_ip)), self._inner_only if filters.is_inner(row.inner_ip) else ""
        if row.is_unread:
            return "", ""
        return (self._none_yet if any(card["network"] for card in row.nics or ()) else self._no_network), ""


def _quick(state: VmState, has_snapshot: bool, is_protected: bool) -> str:  # noqa: FBT001  a cache wants values
    """A machine that needs attention needs a look first, so nothing is quick there."""
    action = next((action for action, needed in QUICK.items() if needed is state), None)
    condition = Condition(state=state, has_snapshot=has_snapshot, is_protected=is_protected)
    return action.value if action and allowed_actions(condition)[action] is None else ""


def _creating() -> list[lines.Line]:
    """Creations under way: their machines are not in the mirror yet."""
    creations = [one for one in account_view.active_operations() if one.kind in CREATING and one.vm_id is None]
    return [lines.brief(operation) for operation in creations]
