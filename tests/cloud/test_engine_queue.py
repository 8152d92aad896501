"""The queue of a vApp: one thing at a time, the oldest first, nobody held up without need."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from app.cloud import operations, turns, wishes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, VmState
from app.db import db, transaction
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import vm_named
from vcdsim import Simulator
from vcdsim.faults import error

NEIGHBOURS = ("shop-web-1", "shop-web-2")


@pytest.fixture
def both_off(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    """Both machines of the vApp are off."""
    for name in NEIGHBOURS:
        wishes.ask(cast.owner, vm_named(name).id, Action.POWER_OFF, new_token())
    drain(cloud, clock)


def start(cast: Cast, clock: Clock, name: str) -> uuid.UUID:
    """Ask for a start; a second later the next one may ask."""
    clock.move(1)
    return wishes.ask(cast.owner, vm_named(name).id, Action.START, new_token())


def commands(cloud: Simulator) -> list[str]:
    """What was asked of machines so far, in order."""
    return [path for method, path in cloud.requests if method == "POST" and "/vApp/" in path]


@pytest.mark.usefixtures("both_off")
def test_the_second_one_of_a_vapp_waits_until_the_task_of_the_first_has_ended(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    first, second = (start(cast, clock, name) for name in NEIGHBOURS)
    before = len(commands(cloud))
    operations.advance(first)
    operations.advance(second)
    assert operation(second).waiting_for == "queue"
    assert operation(second).step_sent_at is None
    assert len(commands(cloud)) == before + 1
    drain(cloud, clock)
    assert [operation(one).state for one in (first, second)] == ["succeeded"] * 2
    assert [vm_named(name).state for name in NEIGHBOURS] == [VmState.ON] * 2


@pytest.mark.usefixtures("both_off")
def test_machines_of_other_vapps_go_on_meanwhile(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    first, other = start(cast, clock, NEIGHBOURS[0]), start(cast, clock, "sandbox")
    operations.advance(first)
    operations.advance(other)
    assert operation(other).task_urn is not None


@pytest.mark.usefixtures("both_off")
def test_of_two_that_wait_the_older_one_goes_first(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    first, second = (start(cast, clock, name) for name in NEIGHBOURS)
    with transaction():  # as if it had come second in the queue behind somebody who is gone by now
        db.session.get_one(Operation, first).waiting_for = "queue"
    operations.advance(second)
    assert operation(second).waiting_for == "queue"
    operations.advance(first)
    assert operation(first).task_urn is not None


@pytest.mark.usefixtures("both_off")
def test_waiting_in_the_queue_costs_nothing_of_the_time_of_an_operation(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("powerOn", stuck_task=True)
    first, second = (start(cast, clock, name) for name in NEIGHBOURS)
    drain(cloud, clock, turns=600)
    assert (operation(first).state, operation(first).error_code) == ("needs_attention", "deadline")
    assert operation(second).error_code != "deadline"


def test_a_guest_that_takes_its_time_holds_nobody_up(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("shutdown", stuck_task=True)
    silent = wishes.ask(cast.owner, vm_named(NEIGHBOURS[0]).id, Action.SHUT_DOWN, new_token())
    operations.advance(silent)
    assert operation(silent).task_urn is not None
    other = wishes.ask(cast.owner, vm_named(NEIGHBOURS[1]).id, Action.POWER_OFF, new_token())
    operations.advance(other)
    assert operation(other).task_urn is not None


@pytest.mark.usefixtures("both_off")
def test_a_command_that_was_lost_with_its_worker_holds_the_neighbour_up_only_until_it_is_settled(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    first, second = (start(cast, clock, name) for name in NEIGHBOURS)
    with transaction():
        row = db.session.get_one(Operation, first)
        row.state, row.step_sent_at, row.claimed_until = "running", clock.at, clock.at + turns.CLAIM
    operations.advance(second)
    assert operation(second).waiting_for == "queue"
    pass_time(cloud, clock, 31)
    operations.advance(second)
    assert operation(second).task_urn is not None


def test_a_vapp_that_somebody_else_works_on_is_waited_for(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    busy = error("BUSY_ENTITY", "The entity vm is busy completing an operation VAPP_UPDATE_VM.")
    cloud.faults.add("powerOn", times=3, error=busy)
    asked = start(cast, clock, "sandbox")
    operations.advance(asked)
    assert (operation(asked).waiting_for, operation(asked).state) == ("busy", "running")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


@pytest.mark.usefixtures("both_off")
def test_two_workers_do_not_pass_at_the_same_time(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    """Both have looked, both are about to send: only one of them does."""
    asked = [start(cast, clock, name) for name in NEIGHBOURS]
    together = Barrier(2)
    cloud.faults.add("powerOn", times=None, drop_request=True)

    def turn(operation_id: uuid.UUID) -> None:
        with app.app_context():
            claimed = turns.claim(operation_id)
            assert claimed is not None
            together.wait(10)
            turns.take(claimed)

    for _ in range(5):
        before = len(commands(cloud))
        run_at_once(turn, asked)
        assert {operation(one).waiting_for for one in asked} == {"queue", "unavailable"}
        assert len(commands(cloud)) == before + 1
        _forget_what_was_sent(asked)


def run_at_once(run: Callable[[uuid.UUID], None], ids: list[uuid.UUID]) -> None:
    """Each in a thread of its own; what one raises is raised."""
    with ThreadPoolExecutor(len(ids)) as threads:
        list(threads.map(run, ids))


def _forget_what_was_sent(asked: list[uuid.UUID]) -> None:
    """As before the first turn."""
    with transaction():
        for one in asked:
            row = db.session.get_one(Operation, one)
            row.task_urn = row.step_sent_at = row.waiting_for = None
