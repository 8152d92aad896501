"""The drift desk as people use it: what is open, accepting it, leaving it for a while.

Nothing here changes vCloud; bringing something back is an ordinary operation, see `drift_restore`.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, Select, and_, delete, func, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor, Permission, can
from app.cloud.drift_models import IS_LIVE, Drift
from app.cloud.drift_rules import ABOUT_GONE, ALARM_AFTER, IGNORE_DAYS, KEEP_SETTLED, LIVE, DriftState
from app.cloud.models import Service, VApp, Vdc, Vm
from app.db import db, transaction
from app.errors import AppError, NotFoundError

Moment = datetime | BindParameter[datetime]


def wants_decision(now: Moment) -> ColumnElement[bool]:
    """Of `listed`: what somebody has to decide about, with what was ignored until now."""
    is_over = and_(Drift.state == DriftState.IGNORED, Drift.ignored_until <= now)
    return or_(Drift.state == DriftState.OPEN, is_over)


def is_alarming(now: datetime) -> ColumnElement[bool]:
    """Of `listed`: what has waited for a decision too long."""
    return and_(wants_decision(now), Drift.found_at < now - ALARM_AFTER)


def listed() -> Select[Any]:
    """Every entry of which both sides still differ; of a machine that is gone only that."""
    is_said = or_(Vm.gone_at.is_(None), Drift.what.in_(ABOUT_GONE))
    return select(Drift).join(Drift.vm).where(IS_LIVE, is_said)


def count(*conditions: ColumnElement[bool]) -> int:
    """How many of `listed` there are under these conditions."""
    return db.session.scalar(listed().where(*conditions).with_only_columns(func.count())) or 0


def number_open(now: Moment) -> ScalarSelect[int]:
    """How many want a decision in the data center of the statement around it."""
    here = listed().where(Drift.vdc_id == Vdc.id, wants_decision(now))
    return here.with_only_columns(func.count()).correlate(Vdc).scalar_subquery()


def open_of(vm_id: uuid.UUID) -> list[Drift]:
    """What wants a decision of one machine, the oldest first; one statement."""
    query = listed().where(Drift.vm_id == vm_id, wants_decision(clock.now())).order_by(Drift.found_at, Drift.what)
    return list(db.session.scalars(query))


def with_machines(query: Select[Any]) -> Select[Any]:
    """The query with all that a line of the desk shows, in one statement."""
    place = joinedload(Drift.vm).options(joinedload(Vm.vapp).load_only(VApp.name, VApp.networks), joinedload(Vm.vdc))
    return query.options(place, joinedload(Drift.operation))


def own(actor: Actor, drift_id: uuid.UUID) -> Drift:
    """An entry about a machine of the actor's account; NotFoundError else."""
    query = select(Drift).join(Drift.vdc).join(Vdc.service)
    row = db.session.scalar(query.where(Drift.id == drift_id, Service.account_id == actor.account_id))
    if row is None:
        raise NotFoundError
    return row


def accept(actor: Actor, drift_id: uuid.UUID, seen: str) -> None:
    """Take what vCloud has for right; `seen` is the `seen_key` that the person decided about. Safe to repeat.

    Raises AppError `not_permitted`, `drift_over` for an entry that is settled by now, `drift_moved` when vCloud has
    changed it again, and NotFoundError for another account's.
    """
    with transaction():
        row = to_decide(actor, drift_id, seen, done=DriftState.ACCEPTED)
        if row.state != DriftState.ACCEPTED:
            row.state, row.ignored_until = DriftState.ACCEPTED.value, None
            _decide(actor, row, "drift.accept")


def ignore(actor: Actor, drift_id: uuid.UUID, seen: str, days: int) -> None:
    """Leave it for so many days, one of `IGNORE_DAYS`; what moves meanwhile is open again. Raises like `accept`,
    and AppError `drift_days_bad`.
    """
    with transaction():
        row = to_decide(actor, drift_id, seen)
        if days not in IGNORE_DAYS:
            raise AppError("drift_days_bad", 400, field="days")
        row.state, row.ignored_until = DriftState.IGNORED.value, clock.now() + timedelta(days=days)
        _decide(actor, row, "drift.ignore", days=days)


def to_decide(actor: Actor, drift_id: uuid.UUID, seen: str, *, done: DriftState | None = None) -> Drift:
    """The entry, locked, if the actor may decide about it as he has seen it; raises like `accept`."""
    if not can(actor, Permission.VM_CHANGE):
        raise AppError("not_permitted", 403)
    row = own(actor, drift_id)
    db.session.refresh(row, with_for_update={"of": Drift})
    if row.state == done:
        return row
    if row.state not in (DriftState.OPEN, DriftState.IGNORED):
        raise AppError("drift_over")
    if row.seen_key != seen:
        raise AppError("drift_moved")
    return row


def _decide(actor: Actor, row: Drift, action: str, **details: object) -> None:
    row.decided_by_id, row.decided_at = actor.user_id, clock.now()
    audit.record(actor, action, object_id=row.id, vm_id=str(row.vm_id), what=row.what, vcloud=row.vcloud, **details)


def forget_settled() -> None:
    """Forget what was settled long ago; decisions stay in the audit, what happened on the machines' timelines."""
    long_ago = clock.now() - KEEP_SETTLED
    last_word = func.coalesce(Drift.decided_at, Drift.last_seen_at)
    with transaction():
        over = Drift.state.not_in(LIVE), Drift.last_seen_at < long_ago, last_word < long_ago
        db.session.execute(delete(Drift).where(*over))
