"""Machines in words: the state of one and what can be asked of it. The list has rows of its own, in `vm_list`."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext
from markupsafe import Markup

from app.accounts.rules import Permission, can
from app.blueprints import filters, lines, web
from app.cloud import wishes
from app.cloud.models import Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, Blocked, VmState
from app.texts.labels import ACTIONS, BLOCKED, STATE_GLYPHS, VM_STATES
from app.texts.operations import BUSY_SINCE

ICONS = {
    Action.START: "play-fill",
    Action.RESUME: "play-fill",
    Action.SHUT_DOWN: "stop-fill",
    Action.RESTART: "arrow-clockwise",
    Action.SUSPEND: "pause",
    Action.POWER_OFF: "power",
    Action.RESET: "lightning-charge",
    Action.RESIZE: "sliders",
    Action.ADD_DISK: "plus-lg",
    Action.GROW_DISK: "arrows-angle-expand",
    Action.REMOVE_DISK: "trash",
    Action.CHANGE_NETWORK: "diagram-3",
    Action.TAKE_SNAPSHOT: "camera",
    Action.REVERT_SNAPSHOT: "arrow-counterclockwise",
    Action.REMOVE_SNAPSHOT: "trash",
    Action.RENAME: "pencil",
    Action.RESET_PASSWORD: "key",
    Action.DELETE: "trash",
    Action.RESTORE: "arrow-counterclockwise",
    Action.ERASE: "trash",
}
POWER = (
    Action.START,
    Action.RESUME,
    Action.SHUT_DOWN,
    Action.RESTART,
    Action.SUSPEND,
    Action.POWER_OFF,
    Action.RESET,
)
"""The actions that switch a machine."""
_AT_ONCE = {*POWER, Action.RESTORE} - {Action.POWER_OFF, Action.RESET}
_NATURAL = {VmState.ON: Action.SHUT_DOWN, VmState.SUSPENDED: Action.RESUME, VmState.RECYCLED: Action.RESTORE}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An action as a button; `reason` says why it cannot be pressed now. `asks`: its address has a form first."""

    action: Action
    label: str
    icon: str
    url: str
    asks: bool
    reason: str
    reason_id: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A machine on the screen: the mirror's facts with the running operation on top."""

    vm: Vm
    glyph: str
    label: str
    busy: lines.Line | None
    choices: list[Choice]

    @property
    def age(self) -> Markup:
        """Since when the state is as it is; one that was so when first seen may be older."""
        seen_beginning = self.vm.gone_at or self.vm.state_since
        return filters.since(seen_beginning) if seen_beginning else filters.since_at_least(self.vm.first_seen_at)

    @property
    def buttons(self) -> list[Choice]:
        """The natural next action, with its reason if it cannot be pressed now; or the way out."""
        natural = _NATURAL.get(self.vm.state, Action.START)
        next_one = [choice for choice in self.choices if choice.action is natural]
        needs_plug = self.busy is not None or self.vm.state is VmState.PARTLY_OFF
        plug = [choice for choice in self.choices if choice.action is Action.POWER_OFF and not choice.reason]
        if not needs_plug or not plug:
            restart = [choice for choice in self.choices if choice.action is Action.RESTART and not choice.reason]
            return next_one + restart
        return plug if next_one[0].reason else next_one + plug

    @property
    def others(self) -> list[Choice]:
        """The rest of what switches the machine, for the menu."""
        buttons = self.buttons
        return [choice for choice in self.choices if choice.action in POWER and choice not in buttons]

    def choice(self, action: str) -> Choice:
        """The choice of that action."""
        return next(choice for choice in self.choices if choice.action == action)

    @property
    def login(self) -> str:
        """How one signs in to it."""
        return login(self.vm)

    @property
    def hint(self) -> str:
        """What the state means for the person, where it is not plain."""
        if self.busy is None and self.vm.state is VmState.PARTLY_OFF:
            return gettext("It is off, but vCloud still holds its CPU and memory. Power off frees them.")
        return ""


def login(vm: Vm) -> str:
    """How one signs in to the machine from outside; empty while it has no address, or where there is no command."""
    address = vm.outer_ip or vm.inner_ip
    return f"ssh root@{address}" if address and "windows" not in vm.guest_os.lower() else ""


def row(vm: Vm) -> Row:
    """What is shown of this machine; one query for its running operation."""
    running = wishes.running_operation(vm.id)
    may = can(web.actor(), Permission.VM_CHANGE)
    answers = wishes.answers(vm, running) if may else dict.fromkeys(Action, Blocked.NOT_PERMITTED)
    return Row(
        vm=vm,
        glyph=STATE_GLYPHS[vm.state],
        label=str(VM_STATES[vm.state]),
        busy=lines.brief(running) if running else None,
        choices=[_choice(vm, action, _reason(answers[action], running)) for action in Action],
    )


def _reason(blocked: Blocked | None, running: Operation | None) -> str:
    """Why an action cannot be asked now; an operation at work is named."""
    if blocked is Blocked.BUSY and running is not None:
        return str(BUSY_SINCE[running.kind]) % {"time": filters.clock_time(running.created_at)}
    return str(BLOCKED[blocked]) if blocked else ""


def _choice(vm: Vm, action: Action, reason: str) -> Choice:
    return Choice(
        action=action,
        label=str(ACTIONS[action]),
        icon=ICONS[action],
        url=url_for(f"vms.{action.value}", vm_id=vm.id),
        asks=_asks(vm, action),
        reason=reason,
        reason_id=f"why-{action.value}-{vm.id}",
    )


def _asks(vm: Vm, action: Action) -> bool:
    if action is Action.POWER_OFF:  # only a machine at work can lose something by it
        return vm.state is not VmState.PARTLY_OFF
    return action not in _AT_ONCE
