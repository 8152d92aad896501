"""Double submits, two tabs, two people, a state that has just changed: one effect, and a clear answer to everybody."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.cloud import operations, rescue, vms, wishes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.creating import instantiations, made
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import vm_named
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error

AT_ONCE = 6


def at_once(app: Flask, *calls: Callable[[], object]) -> list[object]:
    """What each call answers when all are made at the same instant; an AppError is its code and its reason."""
    together = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        with app.app_context():
            together.wait(10)
            try:
                return call()
            except AppError as refused:
                return refused.code, refused.params.get("reason")

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def operations_count() -> int:
    """How many operations there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count(Operation.id))) or 0


def test_one_form_sent_many_times_at_once_makes_one_server_and_answers_all_alike(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    spec, token = wish(), new_token()
    answers = at_once(app, *[lambda: vms.request_create(cast.owner, spec, token)] * AT_ONCE)
    assert len(set(answers)) == 1
    drain(cloud, clock)
    assert (len(made(cloud)), instantiations(cloud)) == (1, 1)


def test_two_tabs_with_one_name_make_one_server_and_tell_the_other(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    spec = wish()
    answers = at_once(app, *[lambda: vms.request_create(cast.owner, spec, new_token())] * AT_ONCE)
    assert Counter(type(answer) for answer in answers) == {uuid.UUID: 1, tuple: AT_ONCE - 1}
    assert {answer for answer in answers if isinstance(answer, tuple)} == {("vapp_name_taken", None)}
    drain(cloud, clock)
    assert len(made(cloud)) == 1


def test_two_members_who_press_one_button_start_the_server_once(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id = vm_named("sandbox").id
    people = [cast.owner, cast.technician] * (AT_ONCE // 2)
    answers = at_once(app, *[lambda who=who: wishes.ask(who, vm_id, Action.START, new_token()) for who in people])
    refusals = [answer for answer in answers if isinstance(answer, tuple)]
    assert len(refusals) == AT_ONCE - 1
    assert set(refusals) <= {("action_blocked", "busy"), ("vm_busy", None)}
    drain(cloud, clock)
    assert sum(path.endswith("/power/action/powerOn") for _, path in cloud.requests) == 1


def test_opposite_wishes_at_once_are_one_operation(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm_id = vm_named("terminal").id
    wanted = (Action.SHUT_DOWN, Action.POWER_OFF, Action.SUSPEND)
    at_once(app, *[lambda action=action: wishes.ask(cast.owner, vm_id, action, new_token()) for action in wanted])
    assert operations_count() == 1
    drain(cloud, clock)
    db.session.rollback()
    assert db.session.scalars(select(Operation.state)).all() == ["succeeded"]


@pytest.mark.parametrize("bells", [2, 5])
def test_many_workers_at_one_operation_are_one(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock, bells: int
) -> None:
    asked = vms.request_create(cast.owner, wish(), new_token())
    for _ in range(60):
        at_once(app, *[lambda: operations.advance(asked)] * bells)
        if not operation(asked).is_active:
            break
        pass_time(cloud, clock, 10)
    assert operation(asked).state == "succeeded"
    assert (len(made(cloud)), instantiations(cloud)) == (1, 1)


def test_an_action_on_a_state_that_has_just_changed_is_refused_in_words(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id = vm_named("sandbox").id
    wishes.ask(cast.technician, vm_id, Action.START, new_token())
    drain(cloud, clock)
    with pytest.raises(AppError, match="action_blocked") as refused:  # the page still offers it
        wishes.ask(cast.owner, vm_id, Action.START, new_token())
    assert refused.value.params["reason"] == "already_on"


def test_what_somebody_did_in_vcloud_meanwhile_is_no_failure(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = wishes.ask(cast.owner, vm_named("sandbox").id, Action.START, new_token())
    cloud.world.vms[vm_named("sandbox").urn.rpartition(":")[2]].power = "on"
    cloud.world.vms[vm_named("sandbox").urn.rpartition(":")[2]].is_deployed = True
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


def test_cancelled_by_two_and_let_go_on_by_two_at_once(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", "No."))
    asked = wishes.ask(cast.owner, vm_named("sandbox").id, Action.START, new_token())
    drain(cloud, clock)
    at_once(app, *[lambda who=who: rescue.retry(who, asked) for who in (cast.owner, cast.technician, cast.support)])
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert [event.kind for event in operation(asked).events].count("retry") == 1


def test_letting_an_old_one_go_on_while_a_new_one_is_asked_is_one_of_the_two(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", "No."))
    vm_id = vm_named("sandbox").id
    old = wishes.ask(cast.owner, vm_id, Action.START, new_token())
    drain(cloud, clock)
    clock.move(1)
    at_once(
        app,
        lambda: rescue.retry(cast.owner, old),
        lambda: wishes.ask(cast.technician, vm_id, Action.START, new_token()),
    )
    db.session.rollback()
    active = select(func.count(Operation.id)).where(Operation.state.in_(("queued", "running")))
    assert db.session.scalar(active) == 1
    drain(cloud, clock)
    assert sum(path.endswith("/power/action/powerOn") for _, path in cloud.requests) == 2
