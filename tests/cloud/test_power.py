"""Start, shut down, power off, restart, reset, suspend."""

import pytest

from app.cloud import operations, wishes
from app.cloud.rules import Action, VmState
from app.errors import AppError, NotFoundError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import accepted, ask, real_vm, vm_named
from vcdsim import Simulator
from vcdsim.faults import error

NO_TOOLS = "[ 21bbfe02 ] null - Cannot complete operation because VMware Tools is not running in this virtual machine."


def test_a_stopped_server_starts(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert vm_named("sandbox").state is VmState.ON
    assert vm_named("sandbox").state_since is not None


def test_shutting_down_ends_undeployed(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = ask(cast, "terminal", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert vm_named("terminal").state is VmState.OFF


def test_a_partly_off_server_is_freed_by_powering_off(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
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


def test_a_restarted_server_stays_on(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "terminal", Action.RESTART)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert accepted(cloud, "vappRebootGuest") == 1
    assert vm_named("terminal").state is VmState.ON


def test_a_server_is_reset(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "terminal", Action.RESET)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert accepted(cloud, "vappReset") == 1
    assert vm_named("terminal").state is VmState.ON


def test_a_suspended_server_can_be_resumed(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "terminal", Action.SUSPEND)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named("terminal").state is VmState.SUSPENDED
    ask(cast, "terminal", Action.RESUME)
    drain(cloud, clock)
    assert vm_named("terminal").state is VmState.ON


@pytest.mark.parametrize("holds", [True, False], ids=["deployed", "undeployed"])
def test_powering_off_a_suspended_server_discards_its_memory(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, *, holds: bool
) -> None:
    real_vm(cloud, "legacy-erp").is_deployed = holds
    asked = ask(cast, "legacy-erp", Action.POWER_OFF)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named("legacy-erp").state is VmState.OFF
    assert accepted(cloud, "vappDiscardSuspendedState") == 1
    assert operation(asked).finished_at is not None
    assert (clock.at - operation(asked).created_at).total_seconds() < 30  # no pause between the two commands


@pytest.mark.parametrize(("command", "action"), [("shutdown", Action.SHUT_DOWN), ("reboot", Action.RESTART)])
def test_a_guest_without_tools_is_called_so(
    cast: Cast, cloud: Simulator, clock: Clock, command: str, action: Action
) -> None:
    cloud.faults.add(command, task_error=error("INTERNAL_SERVER_ERROR", NO_TOOLS, 500))
    asked = ask(cast, "terminal", action)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "no_guest_tools")
    assert vm_named("terminal").state is VmState.ON


COMMANDS = [
    ("sandbox", Action.START, "powerOn", "vappDeploy", VmState.ON),
    ("terminal", Action.SHUT_DOWN, "shutdown", "vappShutdownGuest", VmState.OFF),
    ("terminal", Action.SHUT_DOWN, "undeploy", "vappUndeployPowerOff", VmState.OFF),
    ("terminal", Action.POWER_OFF, "undeploy", "vappUndeployPowerOff", VmState.OFF),
    ("terminal", Action.RESTART, "reboot", "vappRebootGuest", VmState.ON),
    ("terminal", Action.RESET, "reset", "vappReset", VmState.ON),
    ("terminal", Action.SUSPEND, "suspend", "vappSuspend", VmState.SUSPENDED),
    ("legacy-erp", Action.POWER_OFF, "discardSuspendedState", "vappDiscardSuspendedState", VmState.OFF),
    ("legacy-erp", Action.POWER_OFF, "undeploy", "vappUndeployPowerOff", VmState.OFF),
]


@pytest.mark.parametrize("case", COMMANDS, ids=lambda case: f"{case[1]}-{case[2]}")
@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_has_exactly_one_effect(
    cast: Cast, cloud: Simulator, clock: Clock, case: tuple[str, Action, str, str, VmState], fault: str
) -> None:
    name, action, command, task, state = case
    cloud.faults.add(command, drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = ask(cast, name, action)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named(name).state is state
    assert accepted(cloud, task) == 1


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
