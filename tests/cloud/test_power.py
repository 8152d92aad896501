"""Start, shut down, power off."""

import uuid

import pytest
from sqlalchemy import select

from app.cloud import operations, wishes
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.db import db
from app.errors import AppError, NotFoundError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time
from vcdsim import Simulator
from vcdsim.faults import error


def vm_named(name: str) -> Vm:
    """The mirrored machine as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Vm).where(Vm.name == name)).one()


def ask(cast: Cast, name: str, action: Action) -> uuid.UUID:
    """Ask for an action as the owner."""
    return wishes.ask(cast.owner, vm_named(name).id, action, new_token())


def test_a_stopped_server_starts(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert vm_named("sandbox").state is VmState.ON
    assert vm_named("sandbox").state_since is not None


def test_shutting_down_ends_undeployed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = ask(cast, "terminal", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert vm_named("terminal").state is VmState.OFF


def test_a_partly_off_server_is_freed_by_powering_off(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    assert vm_named("grafana").state is VmState.PARTLY_OFF
    ask(cast, "grafana", Action.POWER_OFF)
    drain(cloud, clock)
    assert vm_named("grafana").state is VmState.OFF


@pytest.mark.parametrize(("name", "action"), [("grafana", Action.START), ("legacy-erp", Action.RESUME)])
def test_a_partly_off_server_starts_and_a_suspended_one_resumes(
    cast: Cast, cloud: Simulator, clock: Clock, name: str, action: Action
) -> None:
    ask(cast, name, action)
    drain(cloud, clock)
    assert vm_named(name).state is VmState.ON


def test_neighbours_in_the_vapp_are_not_touched(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    ask(cast, "shop-web-1", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert vm_named("shop-web-1").state is VmState.OFF
    assert vm_named("shop-web-2").state is VmState.ON


@pytest.mark.parametrize(
    ("name", "action", "reason"),
    [
        ("terminal", Action.START, "already_on"),
        ("sandbox", Action.SHUT_DOWN, "already_off"),
        ("sandbox", Action.POWER_OFF, "already_off"),
        ("legacy-erp", Action.SHUT_DOWN, "resume_first"),
    ],
)
def test_an_action_that_does_not_fit_the_state_is_refused_with_the_reason(
    cast: Cast, cloud: Simulator, clock: Clock, name: str, action: Action, reason: str
) -> None:
    with pytest.raises(AppError, match="action_blocked") as refused:
        ask(cast, name, action)
    assert refused.value.params["reason"] == reason


def test_a_second_action_waits_for_the_first(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    ask(cast, "sandbox", Action.START)
    with pytest.raises(AppError, match="action_blocked") as refused:
        ask(cast, "sandbox", Action.START)
    assert refused.value.params["reason"] == "busy"


def test_the_same_click_twice_is_one_operation(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm_id, token = vm_named("sandbox").id, new_token()
    first = wishes.ask(cast.owner, vm_id, Action.START, token)
    assert wishes.ask(cast.owner, vm_id, Action.START, token) == first
    drain(cloud, clock)
    assert wishes.ask(cast.owner, vm_id, Action.START, token) == first


def test_a_guest_that_does_not_answer_can_be_powered_off_after_a_minute(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("shutdown", stuck_task=True)
    asked = ask(cast, "terminal", Action.SHUT_DOWN)
    operations.advance(asked)
    pass_time(cloud, clock, 60)
    ask(cast, "terminal", Action.POWER_OFF)
    assert operation(asked).state == "cancelled"


def test_a_guest_that_never_stops_is_told_at_the_deadline(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("shutdown", stuck_task=True)
    asked = ask(cast, "terminal", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "guest_silent")
    assert vm_named("terminal").state is VmState.ON


@pytest.mark.parametrize(("name", "action"), [("sandbox", Action.START), ("terminal", Action.SHUT_DOWN)])
@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_changes_nothing_about_the_end(
    cast: Cast, cloud: Simulator, clock: Clock, name: str, action: Action, fault: str
) -> None:
    for command in ("powerOn", "shutdown", "undeploy"):
        cloud.faults.add(command, drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = ask(cast, name, action)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named(name).state is (VmState.ON if action is Action.START else VmState.OFF)


def test_a_refusal_of_vcloud_is_kept_in_its_words(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    words = "There are insufficient CPU or memory resources to complete the operation."
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", words))
    asked = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert words in operation(asked).error_params["message"]


def test_somebody_elses_server_does_not_exist(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(NotFoundError):
        wishes.ask(cast.stranger, vm_named("sandbox").id, Action.START, new_token())


def test_a_viewer_may_not_press_buttons(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="not_permitted"):
        wishes.ask(cast.viewer, vm_named("sandbox").id, Action.START, new_token())
