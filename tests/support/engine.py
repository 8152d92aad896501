"""Turning the operation engine by hand: time passes for the panel and for the simulated vCloud together."""

import uuid

from sqlalchemy import func, select

from app import clock as app_clock
from app.cloud import operations
from app.cloud.models import Vdc
from app.cloud.operation_models import ACTIVE, Operation
from app.db import db
from tests.support.clock import Clock
from vcdsim import Simulator


def drain(cloud: Simulator, clock: Clock, *, turns: int = 200) -> None:
    """Give every operation its turns until all rest; fails when they never do."""
    for _ in range(turns):
        for operation_id in operations.due():
            operations.advance(operation_id)
        next_at = db.session.scalar(select(func.min(Operation.next_at)).where(Operation.state.in_(ACTIVE)))
        db.session.rollback()
        if next_at is None:
            return
        pass_time(cloud, clock, max(0.0, (next_at - app_clock.now()).total_seconds()))
    raise AssertionError(f"operations were still at work after {turns} rounds")


def drain_late(cloud: Simulator, clock: Clock, operation_id: uuid.UUID) -> None:
    """As `drain`, but nobody looks at what vCloud works on until the time of the operation is over.

    For tests that begin with a task that got stuck: to look at it until then takes hundreds of turns.
    """
    while operation(operation_id).task_urn is None:
        operations.advance(operation_id)
    left = operation(operation_id).deadline_at - clock.at
    db.session.rollback()
    pass_time(cloud, clock, left.total_seconds() + 1)
    drain(cloud, clock)


def pass_time(cloud: Simulator, clock: Clock, seconds: float) -> None:
    """Let time pass on both sides."""
    clock.move(seconds)
    cloud.advance(seconds)


def operation(operation_id: uuid.UUID) -> Operation:
    """The row as it is now."""
    db.session.rollback()
    return db.session.get_one(Operation, operation_id)


def vdc_of(name: str) -> Vdc:
    """The mirrored virtual data center of that name."""
    return db.session.scalars(select(Vdc).where(Vdc.name == name)).one()
