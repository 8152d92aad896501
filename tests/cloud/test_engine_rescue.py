"""Giving an operation up, letting a stopped one go on, and what happens when nobody gets through with one."""

import uuid
from collections.abc import Callable

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.cloud import operations, outcomes, rescue, turns, vms
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.db import db, transaction
from app.errors import AppError, NotFoundError
from tests.support import straight
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.creating import instantiations, made
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import ask, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error

REFUSED = error("BAD_REQUEST", "There are insufficient CPU or memory resources to complete the operation.")


def create(cast: Cast) -> uuid.UUID:
    """Ask for a machine."""
    return vms.request_create(cast.owner, wish(), new_token())


def how(operation_id: uuid.UUID) -> tuple[str, str | None]:
    """State and error code of an operation."""
    row = operation(operation_id)
    return row.state, row.error_code


# ---- giving up -------------------------------------------------------------------------------------------------


def test_what_nobody_has_begun_is_cancelled_at_once_and_asks_nothing_of_vcloud(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked, before = create(cast), len(cloud.requests)
    rescue.cancel(cast.owner, asked)
    assert how(asked) == ("cancelled", "cancelled")
    drain(cloud, clock)
    assert len(cloud.requests) == before
    assert operation(asked).password_sealed is None


def test_a_worker_that_is_about_to_send_finds_the_operation_cancelled(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = create(cast)
    turn = turns.claim(asked)
    assert turn is not None
    rescue.cancel(cast.owner, asked)
    with pytest.raises(outcomes.LostClaimError):
        turns.take(turn)
    assert instantiations(cloud) == 0


@pytest.mark.parametrize("turns_before", [1, 2, 4, 6])
def test_a_creation_that_is_cancelled_half_way_leaves_nothing(
    cast: Cast, cloud: Simulator, clock: Clock, turns_before: int
) -> None:
    asked = create(cast)
    for _ in range(turns_before):
        operations.advance(asked)
        pass_time(cloud, clock, 3)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("cancelled", "cancelled")
    assert made(cloud) == []
    assert operation(asked).vm_id is None


def test_a_creation_cancelled_while_its_command_is_on_its_way_leaves_nothing(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    under_way: list[requests.PreparedRequest] = []

    def lose_the_first_command(adapter: HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        if (request.url or "").endswith("instantiateVAppTemplate") and not under_way:
            under_way.append(request)
            raise requests.ConnectionError("the line was cut")
        return straight.response(adapter, request, straight.ask(cloud, request))

    with straight.instead_of_sockets(lose_the_first_command):
        asked = create(cast)
        operations.advance(asked)
        rescue.cancel(cast.owner, asked)
        pass_time(cloud, clock, 5)
        while operation(asked).is_active and operation(asked).next_at <= clock.at:
            operations.advance(asked)
        straight.ask(cloud, under_way[0])  # only now it arrives
        drain(cloud, clock)
    assert how(asked) == ("cancelled", "cancelled")
    assert (instantiations(cloud), made(cloud)) == (1, [])


def test_vcloud_is_asked_once_to_cancel_the_task(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = create(cast)
    operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert sum(path.endswith("/action/cancel") for _, path in cloud.requests) == 1


def test_a_start_that_is_cancelled_shows_what_the_machine_is_like_then(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = ask(cast, "sandbox", Action.START)
    operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("cancelled", "cancelled")
    assert vm_named("sandbox").state is VmState.OFF


def test_a_task_that_has_ended_before_it_was_cancelled_goes_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", Action.START)
    operations.advance(asked)
    pass_time(cloud, clock, 20)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)
    assert operation(asked).cancel_asked_at is not None
    assert vm_named("sandbox").state is VmState.ON


def test_a_task_that_vcloud_does_not_cancel_goes_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("cancel", error=error("BAD_REQUEST", "The task cannot be canceled."))
    asked = ask(cast, "sandbox", Action.START)
    operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)


def test_waiting_for_a_silent_guest_can_be_given_up(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("shutdown", stuck_task=True)
    asked = ask(cast, "terminal", Action.SHUT_DOWN)
    operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("cancelled", "cancelled")


def test_a_step_that_cannot_be_stopped_says_so(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "terminal", Action.POWER_OFF)
    operations.advance(asked)
    with pytest.raises(AppError, match="cancel_too_late"):
        rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)


def test_pressing_cancel_twice_is_one_wish(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = create(cast)
    operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    rescue.cancel(cast.technician, asked)
    entries = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "operation.cancel")
    assert db.session.scalar(entries) == 1


@pytest.mark.parametrize("door", [rescue.cancel, rescue.retry])
def test_a_stranger_finds_nothing_and_a_viewer_may_not(
    cast: Cast, cloud: Simulator, clock: Clock, door: Callable[..., None]
) -> None:
    asked = create(cast)
    with pytest.raises(NotFoundError):
        door(cast.stranger, asked)
    with pytest.raises(AppError, match="not_permitted"):
        door(cast.viewer, asked)


# ---- going on --------------------------------------------------------------------------------------------------


def test_a_failed_operation_goes_on_from_its_failed_step(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("undeploy", error=REFUSED)
    asked = ask(cast, "terminal", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert how(asked) == ("failed", "refused")
    assert vm_named("terminal").state is VmState.PARTLY_OFF, "what it is like half way is shown"
    clock.move(3600)
    rescue.retry(cast.technician, asked)
    assert operation(asked).deadline_at > clock.at
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)
    assert vm_named("terminal").state is VmState.OFF
    assert sum(path.endswith("/power/action/shutdown") for _, path in cloud.requests) == 1
    assert "retry" in [event.kind for event in operation(asked).events]


def test_letting_it_go_on_twice_is_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("powerOn", error=REFUSED)
    asked = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    rescue.retry(cast.owner, asked)
    rescue.retry(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)
    assert sum(path.endswith("/power/action/powerOn") for _, path in cloud.requests) == 2


def test_one_that_succeeded_does_not_go_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    with pytest.raises(AppError, match="retry_impossible"):
        rescue.retry(cast.owner, asked)


def test_a_creation_whose_half_made_machine_was_removed_does_not_go_on(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("deploy", error=REFUSED)
    asked = create(cast)
    drain(cloud, clock)
    for actor in (cast.owner, cast.support):
        with pytest.raises(AppError, match="retry_impossible"):
            rescue.retry(actor, asked)


def test_a_creation_that_stands_still_goes_on_when_vcloud_does(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("instantiate", blocked_task=True)
    asked = create(cast)
    drain(cloud, clock)
    assert how(asked) == ("needs_attention", "deadline")
    cloud.act_on_task(next(one.id for one in cloud.world.tasks.values() if not one.is_final), "resume")
    rescue.retry(cast.owner, asked)
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)
    assert instantiations(cloud) == 1
    assert operation(asked).password_sealed is not None


def test_a_creation_whose_task_is_aborted_in_vcloud_fails_and_leaves_nothing(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("instantiate", abort_task=True)
    asked = create(cast)
    drain(cloud, clock)
    assert how(asked) == ("failed", "task_canceled")
    assert made(cloud) == []


def test_nothing_goes_on_beside_another_operation_or_after_a_newer_one(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("powerOn", error=REFUSED)
    asked = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    clock.move(1)
    ask(cast, "sandbox", Action.START)
    for _ in range(2):
        with pytest.raises(AppError, match="retry_outdated"):
            rescue.retry(cast.owner, asked)
        drain(cloud, clock)


def test_what_the_state_forbids_by_now_does_not_go_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("powerOn", error=REFUSED)
    asked = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    with transaction():
        vm = vm_named_in_transaction("sandbox")
        vm.status, vm.is_deployed = 4, True
    with pytest.raises(AppError, match="action_blocked") as refused:
        rescue.retry(cast.owner, asked)
    assert refused.value.params["reason"] == "already_on"


def vm_named_in_transaction(name: str) -> Vm:
    """The mirrored machine, to be changed."""
    return db.session.scalars(select(Vm).where(Vm.name == name)).one()


def test_staff_lets_a_stopped_clean_up_go_on(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("deploy", error=REFUSED)
    cloud.faults.add("delete", times=2, error=REFUSED)
    asked = create(cast)
    drain(cloud, clock)
    assert operation(asked).state == "needs_attention"
    with pytest.raises(AppError, match="retry_impossible"):
        rescue.retry(cast.owner, asked)
    rescue.retry(cast.support, asked)
    drain(cloud, clock)
    assert operation(asked).state == "needs_attention"
    rescue.retry(cast.support, asked)
    drain(cloud, clock)
    assert how(asked) == ("failed", "refused")
    assert made(cloud) == []
    entries = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "operation.retry")
    assert db.session.scalar(entries) == 2


# ---- the watchdog ----------------------------------------------------------------------------------------------


def test_what_breaks_off_each_time_is_brought_to_staff(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", Action.START)
    for number in range(turns.MOST_LOST_TURNS):
        turns.give_up_lost()
        assert operation(asked).is_active, number
        assert turns.claim(asked) is not None  # and its worker dies without a word
        clock.move(91)
    turns.give_up_lost()
    assert how(asked) == ("needs_attention", "turns_lost")


def test_a_word_in_between_begins_the_count_anew(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", Action.START)
    for _ in range(turns.MOST_LOST_TURNS - 1):
        turns.claim(asked)
        clock.move(91)
    operations.advance(asked)
    turns.claim(asked)
    clock.move(91)
    turns.give_up_lost()
    assert operation(asked).is_active


def test_what_only_waits_for_a_worker_goes_on_however_late(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", Action.START)
    clock.move(600)
    turns.give_up_lost()
    drain(cloud, clock)
    assert how(asked) == ("succeeded", None)


def test_the_usual_time_is_that_of_the_middle_one(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    assert rescue.usual_time("start") is None
    for _ in range(3):
        ask(cast, "sandbox", Action.START)
        drain(cloud, clock)
        ask(cast, "sandbox", Action.POWER_OFF)
        drain(cloud, clock)
    usual = rescue.usual_time("start")
    assert usual is not None
    assert 15 <= usual.total_seconds() <= 25
