"""The list of machines: from the mirror alone, filtered, sorted and paged by the database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for
from flask_babel import pgettext
from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from app import clock
from app.blueprints import lines, machines, web
from app.blueprints.paging import Paging, paging
from app.cloud.models import ACTIVE, Operation, Service, VApp, Vdc, Vm
from app.cloud.offers import CREATING
from app.db import db

SHOW_GONE_FOR = timedelta(days=7)

PRESENT = Vm.gone_at.is_(None)
ON = and_(PRESENT, Vm.status == 4)
SUSPENDED = and_(PRESENT, Vm.status == 3)
OFF = and_(PRESENT, Vm.status == 8, Vm.is_deployed.is_(False))
BUILDING = and_(PRESENT, Vm.status == 0)
ATTENTION = and_(PRESENT, or_(Vm.status.not_in((0, 3, 4, 8)), and_(Vm.status == 8, Vm.is_deployed.is_(True))))
"""Partly off, broken or in a state that we do not understand; the words come from `cloud.rules.vm_state`."""

FILTERS: dict[str, ColumnElement[bool]] = {"on": ON, "off": OFF, "attention": ATTENTION, "suspended": SUSPENDED}
RANK = case((ATTENTION, 0), (BUILDING, 1), (ON, 2), (SUSPENDED, 3), (OFF, 4), else_=5)
SORTS: dict[str, tuple[Any, ...]] = {
    "name": (Vm.name,),
    "state": (RANK,),
    "size": (Vm.cpu_count, Vm.memory_mb, Vm.disk_mb),
}


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of the list and all that stands around it."""

    rows: list[machines.Row]
    creating: list[lines.Line]
    counts: dict[str, int]
    word: str
    state: str
    sort: str
    paging: Paging
    seen_at: datetime | None
    live_url: str
    stamp: object = field(repr=False)

    @property
    def is_moving(self) -> bool:
        """Whether anything on it is being changed."""
        return bool(self.creating) or any(row.busy for row in self.rows)

    @property
    def filters(self) -> list[tuple[str, str, int]]:
        """The quick filters: key, label, number."""
        keys = ("all", "on", "off", "suspended", "attention")
        some = [key for key in keys if key != "suspended" or self.counts[key] or key == self.state]
        return [(key, group_labels()[key], self.counts[key]) for key in some]


def group_labels() -> dict[str, str]:
    """What the groups of machines are called."""
    return {
        "all": pgettext("several servers", "All"),
        "on": pgettext("several servers", "On"),
        "off": pgettext("several servers", "Off"),
        "suspended": pgettext("several servers", "Suspended"),
        "attention": pgettext("several servers", "Need attention"),
    }


def own_vms() -> Select[Vm]:
    """All machines of the account on the screen; those gone from vCloud for a while."""
    shown = or_(PRESENT, Vm.gone_at > clock.now() - SHOW_GONE_FOR)
    account_id = web.actor().account_id
    return select(Vm).join(Vm.vdc).join(Vdc.service).where(Service.account_id == account_id, shown)


def counts() -> dict[str, int]:
    """How many machines there are in all and in each group."""
    own = own_vms().with_only_columns(
        func.count(case((PRESENT, 1))), *(func.count(case((where, 1))) for where in FILTERS.values())
    )
    numbers = db.session.execute(own).one()
    return dict(zip(("all", *FILTERS), numbers, strict=True))


def listing() -> Listing:
    """The page of the list that the address asks for."""
    word, state, sort = _arguments()
    found = own_vms().join(Vm.vapp).where(_matches(word), FILTERS.get(state, or_(PRESENT, ~PRESENT)))
    pages = paging(found)
    ordered = found.order_by(*_order(sort)).offset(pages.offset).limit(pages.size)
    vms = list(db.session.scalars(ordered.options(contains_eager(Vm.vapp), joinedload(Vm.vdc))))
    rows, creating = machines.rows(vms), _creating()
    moving = [(line.url, line.step, line.progress) for line in (*creating, *(row.busy for row in rows if row.busy))]
    query = request.query_string.decode()
    return Listing(
        rows=rows,
        creating=creating,
        counts=counts(),
        word=word,
        state=state,
        sort=sort,
        paging=pages,
        seen_at=min((vm.seen_at for vm in vms), default=None),
        live_url=url_for("vms.live_index") + (f"?{query}" if query else ""),
        stamp=(moving, [(vm.id, vm.seen_at, vm.status, vm.is_deployed) for vm in vms]),
    )


def _arguments() -> tuple[str, str, str]:
    state, sort = request.args.get("state", "all"), request.args.get("sort", "state")
    return (
        request.args.get("q", "").strip()[:100],
        state if state in FILTERS else "all",
        sort if sort.removeprefix("-") in SORTS else "state",
    )


def _matches(word: str) -> ColumnElement[bool]:
    """Machines that have the word in name, addresses, system or vApp; in any case of letters."""
    columns = (Vm.name, Vm.inner_ip, Vm.outer_ip, Vm.guest_os, VApp.name)
    tests = [column.icontains(word, autoescape=True) for column in columns]
    return or_(*tests) if word else ~false()


def _order(sort: str) -> list[Any]:
    columns = SORTS[sort.removeprefix("-")]
    directed = [column.desc() for column in columns] if sort.startswith("-") else list(columns)
    return [*directed, Vm.name, Vm.id]


def _creating() -> list[lines.Line]:
    """Creations under way: their machines are not in the mirror yet."""
    query = (
        select(Operation)
        .where(
            Operation.account_id == web.actor().account_id, Operation.kind.in_(CREATING), Operation.state.in_(ACTIVE)
        )
        .order_by(Operation.created_at)
    )
    return [lines.brief(operation) for operation in db.session.scalars(query)]
