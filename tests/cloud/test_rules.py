"""What may be done with a machine in which state, as a table."""

import pytest

from app.cloud.rules import Action, Blocked, Condition, VmState, allowed_actions, vm_state

ALWAYS = {Action.RENAME, Action.DELETE}
AWAKE = ALWAYS | {Action.RESIZE, Action.ADD_DISK, Action.GROW_DISK, Action.CHANGE_NETWORK, Action.TAKE_SNAPSHOT}


@pytest.mark.parametrize(
    ("status", "deployed", "state"),
    [
        (4, True, VmState.ON),
        (8, False, VmState.OFF),
        (8, True, VmState.PARTLY_OFF),
        (3, True, VmState.SUSPENDED),
        (0, False, VmState.BUILDING),
        (-1, False, VmState.FAILED),
        (5, True, VmState.UNKNOWN),
        (99, False, VmState.UNKNOWN),
    ],
)
def test_a_state_is_made_of_two_facts(status: int, deployed: bool, state: VmState) -> None:  # noqa: FBT001
    assert vm_state(status=status, deployed=deployed, gone=False) is state


def test_a_machine_in_the_recycle_bin_is_there_until_vcloud_has_it_no_more() -> None:
    assert vm_state(status=8, deployed=False, gone=False, recycled=True) is VmState.RECYCLED
    assert vm_state(status=8, deployed=False, gone=True, recycled=True) is VmState.GONE


def test_a_machine_that_is_gone_is_gone_whatever_it_was() -> None:
    assert vm_state(status=4, deployed=True, gone=True) is VmState.GONE


def allowed_in(condition: Condition) -> set[Action]:
    """The actions that may be asked now."""
    return {action for action, blocked in allowed_actions(condition).items() if blocked is None}


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (
            VmState.ON,
            AWAKE | {Action.SHUT_DOWN, Action.RESTART, Action.SUSPEND, Action.POWER_OFF, Action.RESET},
        ),
        (VmState.OFF, AWAKE | {Action.START, Action.REMOVE_DISK, Action.RESET_PASSWORD}),
        (VmState.PARTLY_OFF, AWAKE | {Action.START, Action.POWER_OFF}),
        (VmState.SUSPENDED, ALWAYS | {Action.RESUME, Action.POWER_OFF}),
        (VmState.BUILDING, set()),
        (VmState.FAILED, {Action.DELETE}),
        (VmState.UNKNOWN, set()),
        (VmState.RECYCLED, {Action.RESTORE, Action.ERASE}),
        (VmState.GONE, set()),
    ],
)
def test_each_state_allows_its_actions_and_explains_the_others(state: VmState, allowed: set[Action]) -> None:
    assert set(allowed_actions(Condition(state=state))) == set(Action)
    assert allowed_in(Condition(state=state)) == allowed


@pytest.mark.parametrize("state", [VmState.ON, VmState.OFF, VmState.PARTLY_OFF, VmState.SUSPENDED])
def test_a_snapshot_can_be_reverted_and_removed_and_holds_the_disks(state: VmState) -> None:
    without = allowed_in(Condition(state=state))
    found = allowed_in(Condition(state=state, has_snapshot=True))
    assert found == without - {Action.GROW_DISK, Action.REMOVE_DISK} | {Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT}


def test_protection_forbids_deleting_and_nothing_else() -> None:
    answers = allowed_actions(Condition(state=VmState.ON, is_protected=True))
    assert answers.pop(Action.DELETE) is Blocked.PROTECTED
    free = allowed_actions(Condition(state=VmState.ON))
    del free[Action.DELETE]
    assert answers == free


def test_a_running_operation_blocks_every_action() -> None:
    assert set(allowed_actions(Condition(state=VmState.ON), running_kind="start").values()) == {Blocked.BUSY}


def test_power_off_is_offered_when_the_guest_does_not_answer_for_a_minute() -> None:
    early = allowed_actions(Condition(state=VmState.ON), running_kind="shut_down", running_s=59)
    late = allowed_actions(Condition(state=VmState.ON), running_kind="shut_down", running_s=60)
    assert early[Action.POWER_OFF] is Blocked.BUSY
    assert late[Action.POWER_OFF] is None
    assert late[Action.START] is Blocked.BUSY
