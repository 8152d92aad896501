"""Labels of enums: states, actions, reasons, roles."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.accounts.rules import Role, StaffRole, TokenScope
from app.cloud.rules import Action, Blocked, VmState

VM_STATES: Mapping[VmState, LazyString] = {
    VmState.ON: _l("On"),
    VmState.OFF: _l("Off"),
    VmState.PARTLY_OFF: _l("Partly off"),
    VmState.SUSPENDED: _l("Suspended"),
    VmState.BUILDING: _l("Being built"),
    VmState.FAILED: _l("Broken in vCloud"),
    VmState.UNKNOWN: _l("State unknown"),
    VmState.RECYCLED: _l("In the recycle bin"),
    VmState.GONE: _l("Gone from vCloud"),
}
HOLDERS: Mapping[str, LazyString] = {
    "server": _l("Server"),
    "router": _l("Router of a vApp"),
    "outside": _l("Outside your data centers"),
}
"""What holds an address of a network, by `HolderKind`."""
NETWORK_MODES: Mapping[str, LazyString] = {
    "bridged": _l("Directly outside"),
    "natRouted": _l("Outside through a gateway"),
    "isolated": _l("Inside only"),
}
"""Kinds of organization networks, in vCloud's words."""
STATE_GLYPHS: Mapping[VmState, str] = {
    VmState.ON: "on",
    VmState.OFF: "off",
    VmState.PARTLY_OFF: "warn",
    VmState.SUSPENDED: "suspended",
    VmState.BUILDING: "busy",
    VmState.FAILED: "bad",
    VmState.UNKNOWN: "warn",
    VmState.RECYCLED: "gone",
    VmState.GONE: "gone",
}
"""The shape that stands before the word."""

ACTIONS: Mapping[Action, LazyString] = {
    Action.START: _l("Start"),
    Action.RESUME: _l("Resume"),
    Action.SHUT_DOWN: _l("Shut down"),
    Action.RESTART: _l("Restart"),
    Action.SUSPEND: _l("Suspend"),
    Action.POWER_OFF: _l("Power off"),
    Action.RESET: _l("Reset"),
    Action.RESIZE: _l("Change CPU and memory"),
    Action.ADD_DISK: _l("Add a disk"),
    Action.GROW_DISK: _l("Grow a disk"),
    Action.REMOVE_DISK: _l("Remove a disk"),
    Action.CHANGE_NETWORK: _l("Change the network"),
    Action.TAKE_SNAPSHOT: _l("Take a snapshot"),
    Action.REVERT_SNAPSHOT: _l("Go back to the snapshot"),
    Action.REMOVE_SNAPSHOT: _l("Remove the snapshot"),
    Action.RENAME: _l("Rename"),
    Action.RESET_PASSWORD: _l("Reset the password"),
    Action.DELETE: _l("Delete"),
    Action.RESTORE: _l("Restore"),
    Action.ERASE: _l("Delete for good"),
}

BLOCKED: Mapping[Blocked, LazyString] = {
    Blocked.BUSY: _l("Another operation is at work on this server; wait until it ends."),
    Blocked.ALREADY_ON: _l("The server is on."),
    Blocked.ALREADY_OFF: _l("The server is off."),
    Blocked.NOT_ON: _l("Nothing runs inside that could be asked. Power off frees its resources."),
    Blocked.RESUME_FIRST: _l("The server is suspended. Resume it first."),
    Blocked.NOT_SUSPENDED: _l("The server is not suspended."),
    Blocked.SWITCH_OFF_FIRST: _l("The server must be off for this. Shut it down or power it off first."),
    Blocked.HAS_SNAPSHOT: _l(
        "vCloud does not change disks of a server that has a snapshot. Remove the snapshot first."
    ),
    Blocked.NO_SNAPSHOT: _l("The server has no snapshot."),
    Blocked.PROTECTED: _l("The server is protected against deletion. Take the protection off first."),
    Blocked.NOT_RECYCLED: _l("The server is not in the recycle bin."),
    Blocked.RECYCLED: _l("The server is in the recycle bin. Restore it first."),
    Blocked.BUILDING: _l("vCloud is still building this server."),
    Blocked.FAILED: _l("vCloud could not build this server."),
    Blocked.UNKNOWN: _l("vCloud does not say clearly whether it is on; we look again soon."),
    Blocked.GONE: _l("The server is no longer in vCloud."),
    Blocked.NOT_PERMITTED: _l("Your role in this account only looks. Ask the owner."),
}

ROLES: Mapping[Role, LazyString] = {
    Role.OWNER: _l("owner"),
    Role.TECHNICIAN: _l("technician"),
    Role.ACCOUNTANT: _l("accountant"),
    Role.VIEWER: _l("viewer"),
}
STAFF_ROLES: Mapping[StaffRole, LazyString] = {
    StaffRole.SUPPORT: _l("support"),
    StaffRole.ADMIN: _l("administrator"),
}
TOKEN_SCOPES: Mapping[TokenScope, LazyString] = {
    TokenScope.READ: _l("only read"),
    TokenScope.CHANGE: _l("read and change"),
}
PROBLEM_TITLES: Mapping[int, LazyString] = {
    400: _l("Not understood"),
    401: _l("Not signed in"),
    403: _l("Not allowed"),
    404: _l("Not found"),
    405: _l("Not possible here"),
    409: _l("Not possible now"),
    413: _l("Too large"),
    415: _l("Not JSON"),
    429: _l("Too many tries"),
    500: _l("Our mistake"),
    503: _l("Not available now"),
}
"""What a status of the API means."""
