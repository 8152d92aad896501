"""Taking a snapshot, going back to it, removing it."""

import uuid
from datetime import timedelta

import pytest

from app.cloud import operations, snapshots
from app.cloud.rules import Action, VmState
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import accepted, ask, real_vm, vm_named
from vcdsim import Simulator


def take(cast: Cast, name: str, *, memory: bool = False, replace: bool = False) -> uuid.UUID:
    """Ask for a snapshot as the owner."""
    return snapshots.request_snapshot(cast.owner, vm_named(name).id, new_token(), memory=memory, replace=replace)


def taken(cast: Cast, cloud: Simulator, clock: Clock, name: str, *, memory: bool = False) -> None:
    """Have a snapshot of the machine."""
    asked = take(cast, name, memory=memory)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


def test_a_snapshot_is_taken_and_removed(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    taken(cast, cloud, clock, "sandbox")
    assert vm_named("sandbox").has_snapshot
    taken_at = vm_named("sandbox").snapshot_at
    assert taken_at is not None
    assert clock.at - taken_at < timedelta(minutes=1)
    asked = ask(cast, "sandbox", Action.REMOVE_SNAPSHOT)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert (vm_named("sandbox").has_snapshot, vm_named("sandbox").snapshot_at) == (False, None)


def test_going_back_restores_what_the_snapshot_remembers(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    taken(cast, cloud, clock, "sandbox")
    real_vm(cloud, "sandbox").memory_mb = 4096
    asked = ask(cast, "sandbox", Action.REVERT_SNAPSHOT)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    vm = vm_named("sandbox")
    assert (vm.memory_mb, vm.has_snapshot) == (1024, True)


def test_a_snapshot_with_memory_brings_a_running_machine_back(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    taken(cast, cloud, clock, "terminal", memory=True)
    ask(cast, "terminal", Action.SHUT_DOWN)
    drain(cloud, clock)
    assert vm_named("terminal").state is VmState.OFF
    ask(cast, "terminal", Action.REVERT_SNAPSHOT)
    drain(cloud, clock)
    assert vm_named("terminal").state is VmState.ON


def test_without_memory_the_machine_comes_back_off_and_frees_its_resources(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    taken(cast, cloud, clock, "terminal")
    assert vm_named("terminal").state is VmState.ON
    ask(cast, "terminal", Action.REVERT_SNAPSHOT)
    drain(cloud, clock)
    assert vm_named("terminal").state is VmState.OFF


def test_memory_of_a_machine_that_is_off_is_refused_at_its_field(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="snapshot_memory_needs_on") as refused:
        take(cast, "sandbox", memory=True)
    assert refused.value.field == "memory"


def test_a_snapshot_is_replaced_only_by_agreement(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    taken(cast, cloud, clock, "sandbox")
    first_at = vm_named("sandbox").snapshot_at
    with pytest.raises(AppError, match="snapshot_in_place") as refused:
        take(cast, "sandbox")
    assert refused.value.field == "replace"
    asked = take(cast, "sandbox", replace=True)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named("sandbox").snapshot_at != first_at


def test_a_snapshot_taken_elsewhere_meanwhile_is_not_replaced(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    taken(cast, cloud, clock, "sandbox")
    kept = real_vm(cloud, "sandbox").snapshot
    real_vm(cloud, "sandbox").snapshot = None
    ask(cast, "sandbox", Action.START)
    drain(cloud, clock)  # so that the mirror knows of no snapshot
    asked = take(cast, "sandbox")
    real_vm(cloud, "sandbox").snapshot = kept
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "snapshot_changed")
    assert real_vm(cloud, "sandbox").snapshot is kept


@pytest.mark.parametrize("action", [Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT])
def test_without_a_snapshot_there_is_nothing_to_do(cast: Cast, cloud: Simulator, clock: Clock, action: Action) -> None:
    with pytest.raises(AppError, match="action_blocked") as refused:
        ask(cast, "sandbox", action)
    assert refused.value.params["reason"] == "no_snapshot"


COMMANDS = {
    "createSnapshot": "vappCreateSnapshot",
    "revertSnapshot": "vappRevertToCurrentSnapshot",
    "removeSnapshots": "vappRemoveAllSnapshots",
}


def begin(cast: Cast, command: str) -> uuid.UUID:
    """Ask for the operation that sends this command."""
    if command == "createSnapshot":
        return take(cast, "sandbox", replace=True)
    return ask(cast, "sandbox", Action.REVERT_SNAPSHOT if command == "revertSnapshot" else Action.REMOVE_SNAPSHOT)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_has_exactly_one_effect(
    cast: Cast, cloud: Simulator, clock: Clock, command: str, fault: str
) -> None:
    taken(cast, cloud, clock, "sandbox")
    before = accepted(cloud, COMMANDS[command])
    cloud.faults.add(command, drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = begin(cast, command)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert accepted(cloud, COMMANDS[command]) == before + 1
    assert (real_vm(cloud, "sandbox").snapshot is None) == (command == "removeSnapshots")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_task_that_vcloud_forgets_is_not_begun_again(
    cast: Cast, cloud: Simulator, clock: Clock, command: str
) -> None:
    taken(cast, cloud, clock, "sandbox")
    before = accepted(cloud, COMMANDS[command])
    asked = begin(cast, command)
    for _ in range(3):
        operations.advance(asked)
    pass_time(cloud, clock, 60)
    assert accepted(cloud, COMMANDS[command]) == before + 1
    for task in [task for task in cloud.world.tasks.values() if task.operation_name == COMMANDS[command]]:
        del cloud.world.tasks[task.id]
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert accepted(cloud, COMMANDS[command]) == 0
