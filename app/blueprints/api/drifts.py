"""What was changed in vCloud and not by the panel: the list, accepting, leaving for a while.

Restoring is asked for like anything else: with the action of the machine that sets the value of `panel`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import ColumnElement

from app import clock
from app.accounts.rules import Permission
from app.blueprints import account_view, web
from app.blueprints.api.documents import Named
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.paging import PageQuery
from app.blueprints.api.schema import Note
from app.cloud import drift
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import IGNORE_DAYS, WHATS
from app.db import db

ABOUT_WHAT = "One of " + ", ".join(f"`{what}`" for what in WHATS) + "."


class Standing(StrEnum):
    """Where an entry stands."""

    OPEN = "open"
    NOTED = "noted"
    IGNORED = "ignored"
    ACCEPTED = "accepted"
    RESTORED = "restored"
    SETTLED = "settled"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing of a machine that vCloud has otherwise than both sides last had it; a value is {"value": …}."""

    id: uuid.UUID
    machine: Named
    what: Annotated[str, Note(about=ABOUT_WHAT)]
    panel: Annotated[dict[str, Any], Note(about="What the panel last asked for.")]
    vcloud: Annotated[dict[str, Any], Note(about="What vCloud has now.")]
    agreed: Annotated[dict[str, Any], Note(about="The last value that both sides had.")]
    state: Annotated[Standing, Note(about="A `noted` one wants no decision.")]
    seen: Annotated[str, Note(about="A name of what vCloud has now, for a decision about exactly that.")]
    found_at: datetime
    ignored_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Differences:
    """One page of them, the newest first; the header Link names its neighbours."""

    items: tuple[Difference, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class DifferenceQuery(PageQuery):
    """Which of them, among those of which both sides still differ."""

    vm: Annotated[uuid.UUID | None, Note(about="Only those of this machine.")] = None
    wants_decision: Annotated[bool, Note(about="Without those that are noted or ignored.")] = True


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A decision."""

    seen: Annotated[str, Note(about="As it was in the list.", most=64)]


@dataclass(frozen=True, kw_only=True)
class Postponement(Acceptance):
    """A decision for later."""

    days: Annotated[int, Note(about=" or ".join(map(str, IGNORE_DAYS)) + ".", least=1, most=max(IGNORE_DAYS))]


def _difference(row: Drift) -> Difference:
    return Difference(
        id=row.id,
        machine=Named(id=row.vm_id, name=row.vm.shown_name),
        what=row.what,
        panel={"value": row.panel},
        vcloud={"value": row.vcloud},
        agreed={"value": row.agreed},
        state=Standing(row.state),
        seen=row.seen_key,
        found_at=row.found_at,
        ignored_until=row.ignored_until,
    )


@endpoint("GET", "/drifts", tag="Machines", answer=Differences, query=DifferenceQuery)
def list_drifts(query: DifferenceQuery) -> Differences:
    """What was changed in vCloud and not by the panel."""
    wanted: list[ColumnElement[bool]] = [Drift.vdc_id.in_(account_view.vdc_ids())]
    wanted += [Drift.vm_id == query.vm] if query.vm else []
    wanted += [drift.wants_decision(clock.now())] if query.wants_decision else []
    total = drift.count(*wanted)
    newest = drift.listed().where(*wanted).order_by(Drift.found_at.desc(), Drift.id)
    rows = db.session.scalars(drift.with_machines(query.cut(newest)))
    items = tuple(_difference(row) for row in rows)
    return Differences(items=items, total=total, page=query.page, pages=query.last(total))


@endpoint(
    "POST",
    "/drifts/<uuid:drift_id>/accept",
    tag="Machines",
    answer=Difference,
    permission=Permission.VM_CHANGE,
    body=Acceptance,
)
def accept_drift(drift_id: uuid.UUID, body: Acceptance) -> Difference:
    """Take what vCloud has for right. Safe to repeat."""
    drift.accept(web.actor(), drift_id, body.seen)
    return _difference(drift.own(web.actor(), drift_id))


@endpoint(
    "POST",
    "/drifts/<uuid:drift_id>/ignore",
    tag="Machines",
    answer=Difference,
    permission=Permission.VM_CHANGE,
    body=Postponement,
)
def ignore_drift(drift_id: uuid.UUID, body: Postponement) -> Difference:
    """Leave it for some days; what moves meanwhile is open again."""
    drift.ignore(web.actor(), drift_id, body.seen, body.days)
    return _difference(drift.own(web.actor(), drift_id))
