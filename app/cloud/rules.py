"""What may be done with a machine in which state. Pure: no database, no clock, no web."""

from dataclasses import dataclass
from enum import StrEnum


class VmState(StrEnum):
    """What a person is told about a machine; made from vCloud's status, `deployed` and our recycle bin."""

    ON = "on"
    OFF = "off"
    PARTLY_OFF = "partly_off"  # powered off, but its resources are still held
    SUSPENDED = "suspended"
    BUILDING = "building"
    FAILED = "failed"  # vCloud could not build it
    UNKNOWN = "unknown"
    RECYCLED = "recycled"  # deleted here; kept switched off for a while, so that it can be restored
    GONE = "gone"  # no longer in vCloud


class Action(StrEnum):
    """What a person can ask of a machine. The value is also the kind of the operation that carries it out."""

    START = "start"
    RESUME = "resume"
    SHUT_DOWN = "shut_down"
    RESTART = "restart"  # asks the guest
    SUSPEND = "suspend"
    POWER_OFF = "power_off"  # like pulling the plug
    RESET = "reset"  # like the reset button
    RESIZE = "resize"  # processors and memory
    ADD_DISK = "add_disk"
    GROW_DISK = "grow_disk"
    REMOVE_DISK = "remove_disk"
    CHANGE_NETWORK = "change_network"  # cards: connected to what, address mode
    TAKE_SNAPSHOT = "take_snapshot"
    REVERT_SNAPSHOT = "revert_snapshot"
    REMOVE_SNAPSHOT = "remove_snapshot"
    RENAME = "rename"
    RESET_PASSWORD = "reset_password"  # noqa: S105 -- the name of an action
    DELETE = "delete"
    RESTORE = "restore"  # out of the recycle bin
    ERASE = "erase"  # out of the recycle bin, for good


class Blocked(StrEnum):
    """Why an action cannot be asked now."""

    BUSY = "busy"
    ALREADY_ON = "already_on"
    ALREADY_OFF = "already_off"
    NOT_ON = "not_on"
    RESUME_FIRST = "resume_first"
    NOT_SUSPENDED = "not_suspended"
    SWITCH_OFF_FIRST = "switch_off_first"
    HAS_SNAPSHOT = "has_snapshot"
    NO_SNAPSHOT = "no_snapshot"
    PROTECTED = "protected"
    NOT_RECYCLED = "not_recycled"
    RECYCLED = "recycled"
    BUILDING = "building"
    FAILED = "failed"
    UNKNOWN = "unknown"
    GONE = "gone"
    NOT_PERMITTED = "not_permitted"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What decides about the actions on a machine, besides who asks."""

    state: VmState
    has_snapshot: bool = False
    is_protected: bool = False


# vCloud's status numbers of a VM (vcloud.md 1.9).
_STATES = {
    -1: VmState.FAILED,
    0: VmState.BUILDING,
    3: VmState.SUSPENDED,
    4: VmState.ON,
    8: VmState.OFF,
}


def vm_state(*, status: int, deployed: bool, gone: bool, recycled: bool = False) -> VmState:
    """The state of a machine. "Off" means undeployed; off but deployed still holds memory and CPU."""
    if gone:
        return VmState.GONE
    if recycled:
        return VmState.RECYCLED
    state = _STATES.get(status, VmState.UNKNOWN)
    return VmState.PARTLY_OFF if state is VmState.OFF and deployed else state


_COLUMNS = (VmState.ON, VmState.OFF, VmState.PARTLY_OFF, VmState.SUSPENDED)
_OK = None
_TABLE: dict[Action, tuple[Blocked | None, Blocked | None, Blocked | None, Blocked | None]] = {
    #                       on                        off                  partly off      suspended
    Action.START: (Blocked.ALREADY_ON, _OK, _OK, Blocked.RESUME_FIRST),
    Action.RESUME: (Blocked.ALREADY_ON, Blocked.NOT_SUSPENDED, Blocked.NOT_SUSPENDED, _OK),
    Action.SHUT_DOWN: (_OK, Blocked.ALREADY_OFF, Blocked.NOT_ON, Blocked.RESUME_FIRST),
    Action.RESTART: (_OK, Blocked.ALREADY_OFF, Blocked.NOT_ON, Blocked.RESUME_FIRST),
    Action.SUSPEND: (_OK, Blocked.ALREADY_OFF, Blocked.NOT_ON, Blocked.RESUME_FIRST),
    Action.POWER_OFF: (_OK, Blocked.ALREADY_OFF, _OK, _OK),
    Action.RESET: (_OK, Blocked.ALREADY_OFF, Blocked.NOT_ON, Blocked.RESUME_FIRST),
    Action.RESIZE: (_OK, _OK, _OK, Blocked.RESUME_FIRST),
    Action.ADD_DISK: (_OK, _OK, _OK, Blocked.RESUME_FIRST),
    Action.GROW_DISK: (_OK, _OK, _OK, Blocked.RESUME_FIRST),
    Action.REMOVE_DISK: (Blocked.SWITCH_OFF_FIRST, _OK, Blocked.SWITCH_OFF_FIRST, Blocked.RESUME_FIRST),
    Action.CHANGE_NETWORK: (_OK, _OK, _OK, Blocked.RESUME_FIRST),
    Action.TAKE_SNAPSHOT: (_OK, _OK, _OK, Blocked.RESUME_FIRST),
    Action.REVERT_SNAPSHOT: (_OK, _OK, _OK, _OK),
    Action.REMOVE_SNAPSHOT: (_OK, _OK, _OK, _OK),
    Action.RENAME: (_OK, _OK, _OK, _OK),
    Action.RESET_PASSWORD: (
        Blocked.SWITCH_OFF_FIRST,
        _OK,
        Blocked.SWITCH_OFF_FIRST,
        Blocked.SWITCH_OFF_FIRST,
    ),
    Action.DELETE: (_OK, _OK, _OK, _OK),
    Action.RESTORE: (Blocked.NOT_RECYCLED,) * 4,
    Action.ERASE: (Blocked.NOT_RECYCLED,) * 4,
}
_ELSEWHERE = {
    VmState.BUILDING: Blocked.BUILDING,
    VmState.FAILED: Blocked.FAILED,
    VmState.UNKNOWN: Blocked.UNKNOWN,
    VmState.RECYCLED: Blocked.RECYCLED,
    VmState.GONE: Blocked.GONE,
}
_STILL_ALLOWED = {
    VmState.FAILED: {Action.DELETE},
    VmState.RECYCLED: {Action.RESTORE, Action.ERASE},
}
_NEEDS_SNAPSHOT = {Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT}
_NEEDS_NO_SNAPSHOT = {Action.GROW_DISK, Action.REMOVE_DISK}  # "A disk of a VM with snapshots cannot be resized"
POWER_OFF_AFTER_S = 60
"""A guest that did not answer *Shut down* for so long may be powered off from the same place."""


def allowed_actions(
    condition: Condition, *, running_kind: str | None = None, running_s: float = 0.0
) -> dict[Action, Blocked | None]:
    """For each action None (allowed) or the reason why not; the one table for page, API and worker.

    `running_kind` is the kind of the operation at work on the machine, `running_s` its age in seconds.
    """
    if running_kind is None:
        return {action: _blocked(action, condition) for action in Action}
    answers: dict[Action, Blocked | None] = dict.fromkeys(Action, Blocked.BUSY)
    if running_kind == Action.SHUT_DOWN and running_s >= POWER_OFF_AFTER_S:
        answers[Action.POWER_OFF] = None
    return answers


def _blocked(action: Action, condition: Condition) -> Blocked | None:
    state = condition.state
    if state in _ELSEWHERE:
        return None if action in _STILL_ALLOWED.get(state, ()) else _ELSEWHERE[state]
    by_state = _TABLE[action][_COLUMNS.index(state)]
    if by_state is not None:
        return by_state
    if action in _NEEDS_SNAPSHOT and not condition.has_snapshot:
        return Blocked.NO_SNAPSHOT
    if action in _NEEDS_NO_SNAPSHOT and condition.has_snapshot:
        return Blocked.HAS_SNAPSHOT
    return Blocked.PROTECTED if action is Action.DELETE and condition.is_protected else None
