"""Every sentence that is not in a template: labels of enums, sentences of errors, and the catalogues of translations.

Rules and the database know codes only; this module says them in the language of the person who reads.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask
from flask_babel import Babel, Domain, format_decimal, get_locale, gettext, lazy_gettext, ngettext
from flask_babel.speaklater import LazyString

from app.accounts.rules import Role, StaffRole, TokenScope
from app.cloud.explain import Helper
from app.cloud.rules import Action, Blocked, VmState
from app.errors import AppError

_l = lazy_gettext
LANGUAGES = (("en", "English"), ("ru", "Русский"))
"""The languages we speak, each by its own name."""
CATALOGUES = Path(__file__).parent / "translations"


class PoDomain(Domain):
    """Reads the `.po` files themselves at first use, so that no compiled file can be stale or missing."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the present language; an empty one for English, which is the source."""
        locale = str(get_locale() or "")
        if locale not in self.cache:
            self.cache[locale] = _catalogue(CATALOGUES / locale / "LC_MESSAGES" / "messages.po")
        translations: NullTranslations = self.cache[locale]
        return translations


def _catalogue(path: Path) -> NullTranslations:
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    return Translations(compiled)


def init(app: Flask) -> None:
    """Give the application its languages; who reads, and where, is told by `app.blueprints.web`."""
    babel = Babel()
    babel.domain_instance = PoDomain()
    babel.init_app(app)
    app.jinja_env.filters.update(size=size_mb)


def size_mb(megabytes: int) -> str:
    """A size of memory or disk in the unit that reads best: "512 MB", "4 GB", "1.5 GB", with a no-break space."""
    if megabytes < 1024:
        return gettext("%(number)s\xa0MB", number=format_decimal(megabytes))
    return gettext("%(number)s\xa0GB", number=format_decimal(round(megabytes / 1024, 1)))


# ---- Labels of enums ---------------------------------------------------------------------------------------------

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
    Blocked.SWITCH_OFF_FIRST: _l("The server must be off for this. Shut it down first."),
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

# ---- Operations: what they are called while they run, when they have ended well, when they have not ----------------

OPERATIONS: Mapping[str, tuple[LazyString, LazyString, LazyString]] = {
    "create": (_l("Creating %(name)s"), _l("%(name)s is ready"), _l("Creation of %(name)s stopped")),
    "create_in_vapp": (_l("Creating %(name)s"), _l("%(name)s is ready"), _l("Creation of %(name)s stopped")),
    "start": (_l("Starting %(name)s"), _l("%(name)s is on"), _l("%(name)s did not start")),
    "resume": (_l("Resuming %(name)s"), _l("%(name)s is on"), _l("%(name)s did not resume")),
    "shut_down": (_l("Asked %(name)s to shut down"), _l("%(name)s is off"), _l("%(name)s did not shut down")),
    "power_off": (_l("Powering %(name)s off"), _l("%(name)s is off"), _l("%(name)s could not be powered off")),
    "reset_password": (
        _l("Resetting the password of %(name)s"),
        _l("%(name)s has a new password"),
        _l("%(name)s did not get a new password"),
    ),
    "add_disk": (_l("Adding a disk to %(name)s"), _l("%(name)s has a new disk"), _l("%(name)s did not get a new disk")),
    "grow_disk": (
        _l("Growing a disk of %(name)s"),
        _l("A disk of %(name)s has grown"),
        _l("The disk of %(name)s did not grow"),
    ),
    "remove_disk": (
        _l("Removing a disk of %(name)s"),
        _l("A disk of %(name)s is removed"),
        _l("The disk of %(name)s could not be removed"),
    ),
    "change_network": (
        _l("Changing the network of %(name)s"),
        _l("The network of %(name)s is changed"),
        _l("The network of %(name)s could not be changed"),
    ),
    "take_snapshot": (
        _l("Taking a snapshot of %(name)s"),
        _l("%(name)s has a snapshot"),
        _l("No snapshot of %(name)s was taken"),
    ),
    "revert_snapshot": (
        _l("Taking %(name)s back to its snapshot"),
        _l("%(name)s is as in its snapshot"),
        _l("%(name)s did not go back to its snapshot"),
    ),
    "remove_snapshot": (
        _l("Removing the snapshot of %(name)s"),
        _l("The snapshot of %(name)s is removed"),
        _l("The snapshot of %(name)s could not be removed"),
    ),
    "delete": (_l("Deleting %(name)s"), _l("%(name)s is in the recycle bin"), _l("%(name)s could not be deleted")),
    "restore": (_l("Restoring %(name)s"), _l("%(name)s is restored"), _l("%(name)s could not be restored")),
    "erase": (_l("Deleting %(name)s for good"), _l("%(name)s is deleted"), _l("%(name)s could not be deleted")),
    "restart": (_l("Restarting %(name)s"), _l("%(name)s was restarted"), _l("%(name)s did not restart")),
    "reset": (_l("Resetting %(name)s"), _l("%(name)s was reset"), _l("%(name)s could not be reset")),
    "suspend": (_l("Suspending %(name)s"), _l("%(name)s is suspended"), _l("%(name)s could not be suspended")),
    "rename": (_l("Renaming %(name)s"), _l("%(name)s has its new name"), _l("%(name)s could not be renamed")),
    "resize": (
        _l("Changing CPU and memory of %(name)s"),
        _l("CPU and memory of %(name)s are changed"),
        _l("CPU and memory of %(name)s could not be changed"),
    ),
}
BUSY_STATES: Mapping[str, LazyString] = {
    "create": _l("Creating"),
    "create_in_vapp": _l("Creating"),
    "start": _l("Starting"),
    "resume": _l("Resuming"),
    "shut_down": _l("Asked to shut down"),
    "power_off": _l("Powering off"),
    "reset_password": _l("Resetting the password"),
    "add_disk": _l("Adding a disk"),
    "grow_disk": _l("Growing a disk"),
    "remove_disk": _l("Removing a disk"),
    "change_network": _l("Changing the network"),
    "take_snapshot": _l("Taking a snapshot"),
    "revert_snapshot": _l("Going back"),
    "remove_snapshot": _l("Removing the snapshot"),
    "delete": _l("Deleting"),
    "restore": _l("Restoring"),
    "erase": _l("Deleting for good"),
    "restart": _l("Restarting"),
    "reset": _l("Resetting"),
    "suspend": _l("Suspending"),
    "rename": _l("Renaming"),
    "resize": _l("Changing size"),
}
"""The state of a machine while an operation is at work on it."""
BUSY_SINCE: Mapping[str, LazyString] = {
    "create": _l("Being created since %(time)s; wait until it ends."),
    "create_in_vapp": _l("Being created since %(time)s; wait until it ends."),
    "start": _l("Being started since %(time)s; wait until it ends."),
    "resume": _l("Being resumed since %(time)s; wait until it ends."),
    "shut_down": _l("Being shut down since %(time)s; wait until it ends."),
    "power_off": _l("Being powered off since %(time)s; wait until it ends."),
    "reset_password": _l("Its password is being reset since %(time)s; wait until it ends."),
    "add_disk": _l("It gets a disk since %(time)s; wait until it ends."),
    "grow_disk": _l("Its disk grows since %(time)s; wait until it ends."),
    "remove_disk": _l("A disk is being removed since %(time)s; wait until it ends."),
    "change_network": _l("Its network is being changed since %(time)s; wait until it ends."),
    "take_snapshot": _l("A snapshot is being taken since %(time)s; wait until it ends."),
    "revert_snapshot": _l("It goes back to its snapshot since %(time)s; wait until it ends."),
    "remove_snapshot": _l("Its snapshot is being removed since %(time)s; wait until it ends."),
    "delete": _l("Being deleted since %(time)s; wait until it ends."),
    "restore": _l("Being restored since %(time)s; wait until it ends."),
    "erase": _l("Being deleted since %(time)s; wait until it ends."),
    "restart": _l("Being restarted since %(time)s; wait until it ends."),
    "reset": _l("Being reset since %(time)s; wait until it ends."),
    "suspend": _l("Being suspended since %(time)s; wait until it ends."),
    "rename": _l("Being renamed since %(time)s; wait until it ends."),
    "resize": _l("Its size is being changed since %(time)s; wait until it ends."),
}
"""Why nothing else can be asked of it meanwhile."""

STEPS: Mapping[str, LazyString] = {
    "join_network": _l("Connect the vApp to the network"),
    "submit": _l("Ask vCloud to build the server"),
    "build": _l("Copy the template"),
    "shape": _l("Set CPU, memory and disk"),
    "customise": _l("Set the name and the password"),
    "power_on": _l("Switch on"),
    "read_back": _l("Read back what we got"),
    "ask_guest": _l("Ask the system to shut down"),
    "guest_stops": _l("The system stops its work"),
    "undeploy": _l("Switch off and free CPU and memory"),
    "set_password": _l("Give vCloud the new password"),
    "customised_start": _l("Switch on, so that the system takes the password"),
    "grow_disk": _l("Grow the disk"),
    "note_disks": _l("Look at the disks"),
    "add_disk": _l("Add the disk"),
    "remove_disk": _l("Remove the disk and its data"),
    "set_cards": _l("Connect the network cards"),
    "look_before": _l("Look for an earlier snapshot"),
    "take_snapshot": _l("Take the snapshot"),
    "revert_snapshot": _l("Go back to the snapshot"),
    "free": _l("Free CPU and memory if it is off now"),
    "remove_snapshot": _l("Remove the snapshot"),
    "put_away": _l("Free its name"),
    "put_vapp_away": _l("Free the name of its vApp"),
    "recycle": _l("Keep it in the recycle bin"),
    "take_vapp_out": _l("Give the vApp its name back"),
    "take_out": _l("Give it its name back"),
    "erase": _l("Delete it with its disks"),
    "erase_vapp": _l("Delete the vApp if nothing is left in it"),
    "forget": _l("Take it off the list"),
    "restart": _l("Ask the system to restart"),
    "reset": _l("Reset"),
    "suspend": _l("Keep the memory and stop"),
    "rename": _l("Give it the new name"),
    "resize": _l("Change CPU and memory"),
}
WAITING: Mapping[str, LazyString] = {
    "unavailable": _l("vCloud does not answer. We go on trying."),
    "busy": _l("vCloud finishes another task of this server first."),
    "queue": _l("Waits for another operation of this vApp."),
}
"""Why a step waits, by `Operation.waiting_for`."""

QUANTITIES: Mapping[str, LazyString] = {
    "cpu_count": _l("CPU"),
    "memory_mb": _l("Memory"),
    "disk_mb": _l("Disk"),
    "name": _l("Name"),
    "card": _l("Card %(number)s"),
    "ip": _l("Address of card %(number)s"),
}
"""What a machine may have got otherwise than asked, by `what` of a difference."""

EXPLANATIONS: Mapping[str, tuple[LazyString, LazyString | str]] = {
    "refused": (_l("vCloud refused it"), _l("Nothing was changed by this step.")),
    "task_failed": (_l("vCloud began and could not finish"), ""),
    "task_canceled": (_l("Somebody stopped it in vCloud"), _l("The task was cancelled there, not here.")),
    "build_failed": (_l("vCloud could not build the server"), _l("The copy of the template came out broken.")),
    "vapp_name_taken": (_l("The name is taken"), _l("vCloud has a vApp of this name already. Choose another one.")),
    "vapp_gone": (_l("The vApp is gone"), _l("Somebody deleted it in vCloud. Choose another one, or make a new one.")),
    "vm_name_taken": (_l("The name is taken"), _l("The vApp has a server of this name already. Choose another one.")),
    "guest_silent": (
        _l("%(name)s did not react"),
        _l("Its system was asked to shut down and is still on. It may be busy, or has no VMware Tools."),
    ),
    "started_meanwhile": (
        _l("%(name)s was started meanwhile"),
        _l("A system takes a new password only while it starts. Shut it down and reset the password again."),
    ),
    "deadline": (_l("It takes far too long"), _l("vCloud has not finished in time, and we do not know why.")),
    "internal": (_l("We made a mistake"), _l("The fault is ours and it is written down.")),
    "cancelled": (_l("Cancelled, as you asked"), ""),
    "turns_lost": (
        _l("We cannot get through with it"),
        _l("Our own programs break off at this step again and again. The fault is ours and it is written down."),
    ),
    "clean_up_failed": (_l("vCloud could not finish, and something is left over"), _l("Support removes it.")),
    "disks_changed": (
        _l("The disks are not what they were"),
        _l("Somebody has changed them in vCloud. We read them anew; look at them, then ask again."),
    ),
    "snapshot_appeared": (
        _l("%(name)s has a snapshot already"),
        _l("It was taken in vCloud meanwhile, and a new one would replace it. Ask again if that is what you want."),
    ),
    "no_guest_tools": (_l("The system of %(name)s cannot be asked"), ""),
}
"""What happened and why, by `Operation.error_code`."""

HELPERS: Mapping[Helper, LazyString] = {
    Helper.WAIT: _l("It passes by itself."),
    Helper.YOU: _l("You can solve it here."),
    Helper.PROVIDER: _l("Your provider can help."),
}
"""Who can help, by `explain.Helper`."""

# ---- Sentences of errors: what happened, why, next step ------------------------------------------------------------

Sentence = LazyString | Callable[[Mapping[str, Any]], str]


def _tries_left(params: Mapping[str, Any]) -> str:
    sorry = gettext("This e-mail and password do not fit together.")
    left = params["tries_left"]
    if left == 0:
        return sorry + " " + gettext("Wait a minute before the next try.")
    return (
        sorry
        + " "
        + ngettext("After %(num)d more try we wait a minute.", "After %(num)d more tries we wait a minute.", left)
    )


def _throttled(params: Mapping[str, Any]) -> str:
    return ngettext(
        "Too many tries did not fit. Wait %(num)d second, then try again.",
        "Too many tries did not fit. Wait %(num)d seconds, then try again.",
        params["wait_s"],
    )


def _needs_vms(params: Mapping[str, Any]) -> str:
    makes = ngettext("Makes %(num)d server.", "Makes %(num)d servers.", params["needs"])
    return makes + " " + ngettext("Room is left for %(num)d.", "Room is left for %(num)d.", params["free"])


def _many_in_vapp(params: Mapping[str, Any]) -> str:
    makes = ngettext("Makes %(num)d server.", "Makes %(num)d servers.", params["count"])
    return makes + " " + gettext("Several at once go into a vApp of their own: choose a new vApp.")


def _blocked(params: Mapping[str, Any]) -> str:
    return str(BLOCKED[Blocked(params["reason"])])


ERRORS: Mapping[str, Sentence] = {
    # people
    "sign_in_refused": _tries_left,
    "sign_in_throttled": _throttled,
    "not_found": _l("There is nothing here, or it belongs to somebody else."),
    "account_taken": _l("There is already an account named %(name)s. Choose another name."),
    "email_taken": _l("%(email)s already signs in here. Use another e-mail."),
    "email_bad": _l("%(email)s is not an e-mail address."),
    "password_short": _l("The password is too short: %(least)s characters at least."),
    "name_bad": _l("The name must be of 1 to %(most)s printable characters."),
    "user_unknown": _l("Nobody signs in here as %(email)s."),
    "timezone_unknown": _l("%(timezone)s is not a time zone; write it as Europe/Moscow."),
    "theme_unknown": _l("This theme does not exist. Choose light, dark or as the system."),
    "not_permitted": _l("Your role in this account only looks. Ask the owner."),
    "account_unknown": _l("There is no account named %(name)s. See `flask account-add`."),
    "handler_known": _l("%(name)s is known already, at %(url)s. With --change it gets another address."),
    "handler_url_bad": _l("--url: %(url)s is not an address of an API. Write it as https://vcd.example/api."),
    "ca_file_bad": _l("--ca-file: there is no file %(path)s."),
    "proxy_bad": _l(
        "--proxy: this is not the address of an HTTP proxy. Write it as http://proxy.example:3128, without user and "
        "password."
    ),
    "login_ambiguous": _l("Give either --username with --password, or --api-token, not both."),
    "login_missing": _l("Give --username with --password, or --api-token."),
    "token_refused": _l(
        "vCloud does not accept this --api-token in the organization %(org)s. It may be revoked, have expired, or "
        "belong to somebody of another organization."
    ),
    "login_refused": _l(
        "vCloud does not accept %(username)s in the organization %(org)s. Check the organization, the name (without "
        "@organization) and the password."
    ),
    "handler_unknown": _l("There is no vCloud named %(name)s here. See `flask handler-add`."),
    "vdc_unknown": _l("This login sees no data center named %(name)s, only: %(names)s."),
    "vdc_attached": _l("The data center %(name)s belongs to another account."),
    # tokens of the API
    "token_name_bad": _l("The name must be of 1 to %(most)s printable characters."),
    "token_name_taken": _l("You have a token named %(name)s already. Choose another name, or revoke that one."),
    "token_days_bad": _l("Choose how long it works: 1 to %(most)s days."),
    "token_scope_unknown": _l("Choose what the token may do."),
    "tokens_too_many": _l("You have %(most)s tokens here, and more are not possible. Revoke one first."),
    # requests to the API
    "api_token_missing": _l("Send your token: Authorization: Bearer TOKEN. You make one in the panel, at API tokens."),
    "api_token_refused": _l(
        "This token opens nothing: it is unknown, expired or revoked. Make a new one in the panel."
    ),
    "token_only_reads": _l("This token only reads. Make one that may change things."),
    "key_missing": _l("Send the header Idempotency-Key with a text of yours, so that nothing is done twice."),
    "key_bad": _l("Idempotency-Key is a text of 1 to %(most)s printable ASCII characters."),
    "key_reused": _l("This Idempotency-Key was used for another request. Choose a new one."),
    "value_missing": _l("This value is missing."),
    "value_unknown": _l("There is no value of this name."),
    "value_twice": _l("This value is given twice."),
    "value_bad": _l("This value is not what it must be: %(wanted)s."),
    "value_not_listed": _l("This value must be one of: %(choices)s."),
    "value_too_small": _l("This value is below %(least)s, the least that is possible."),
    "value_too_large": _l("This value is above %(most)s, the most that is possible."),
    "value_unreadable": _l("This text has characters that cannot be shown."),
    "filter_unreadable": _l("The filter does not understand this part: %(part)s."),
    "vapp_named_twice": _l("Give vapp_id for an existing vApp or vapp_name for a new one, not both."),
    "json_bad": _l("The body is no JSON that we can read."),
    "body_not_json": _l("Send the body as JSON, with Content-Type: application/json."),
    "body_too_large": _l("The body is too large."),
    "method_not_allowed": _l("This address does not take this method; the header Allow says which."),
    "request_bad": _l("We cannot read this request."),
    "our_mistake": _l("The fault is ours and it is written down. Tell support the request id."),
    "database_away": _l("Our database does not answer. Try again in a minute."),
    # wishes
    "action_blocked": _blocked,
    "vm_busy": _l("Another operation is at work on this server; wait until it ends."),
    "cancel_too_late": _l("It is too late to cancel: this step cannot be stopped any more."),
    "retry_impossible": _l("It cannot go on from where it stopped. Ask for it anew."),
    "retry_outdated": _l("Something newer was asked of this server since. Open its page and ask for it anew."),
    "form_reused": _l("This page was sent before with other values. Open it anew and try again."),
    "template_gone": _l("This template is not there any more. Choose another one."),
    "network_gone": _l("This network is not there any more. Choose another one."),
    "vapp_name_taken": _l("There is already a vApp named %(name)s. Choose another name."),
    "vapp_gone": _l("Nothing can be added to this vApp now. Choose another one, or a new one."),
    "vm_name_unchanged": _l("That is its name already. Type another one."),
    "vm_name_taken": _l("The vApp %(vapp)s has a server named %(name)s already. Choose another name."),
    "template_of_many_in_vapp": _many_in_vapp,
    "template_of_many_has_sizes": _l("The servers of this template come with the sizes that it says."),
    "machine_names_count": _l("The template makes %(count)s servers. Give a name to each."),
    "machine_name_twice": _l("%(name)s is the name of another one. Choose another name."),
    "password_not_ready": _l("The password is shown when the server is ready."),
    "password_taken": _l("The password was shown already and is not kept. Set a new one inside the server."),
    # templates that do not fit
    "template_needs_vms": _needs_vms,
    "template_needs_cpu_count": _l("Needs %(needs)s CPU, %(free)s are free."),
    "template_needs_memory_mb": _l("Needs %(needs)s of memory, %(free)s are free."),
    "template_needs_disk_gb": _l("Needs %(needs)s of disk, %(free)s are free."),
    # sizes
    "cpu_count_too_small": _l("%(value)s CPU are too few: the template needs %(least)s."),
    "cpu_count_too_large_template": _l("%(value)s CPU are too many: the template allows %(most)s."),
    "cpu_count_too_large_vdc": _l("%(value)s CPU do not fit: %(most)s are free. Take fewer or shut a server down."),
    "memory_mb_too_small": _l("%(value)s of memory are too little: the template needs %(least)s."),
    "memory_mb_too_large_template": _l("%(value)s of memory are too much: the template allows %(most)s."),
    "memory_mb_too_large_vdc": _l(
        "%(value)s of memory do not fit: %(most)s are free. Take less or shut a server down."
    ),
    "memory_mb_not_multiple": _l("Memory must be a multiple of 4 MB. Take a whole number of GB."),
    "disk_gb_too_small": _l("%(value)s of disk are too little: the template needs %(least)s."),
    "disk_gb_too_large_template": _l("%(value)s of disk are too much: the template allows %(most)s."),
    "disk_gb_too_large_vdc": _l("%(value)s of disk do not fit: %(most)s are free. Take less or delete a server."),
    # names and password of a new server
    "vm_name_empty": _l("Give the server a name."),
    "vm_name_bad": _l("Use letters, digits and hyphens; begin and end with a letter or digit."),
    "vm_name_digits": _l("Digits alone cannot be a name. Add a letter."),
    "vm_name_long": _l("%(length)s characters, %(most)s are possible. Take a shorter name."),
    "vm_name_long_windows": _l("%(length)s characters, Windows allows %(most)s. Take a shorter name."),
    "vapp_name_bad": _l("The name of the vApp must have visible characters, without a space at its ends."),
    "vapp_name_long": _l("%(length)s characters, %(most)s are possible. Take a shorter name."),
    "vm_password_length": _l("A password has %(least)s to %(most)s characters."),
    "vm_password_characters": _l("Use Latin letters, digits and signs, without spaces."),
    # disks
    "disk_gone": _l("This disk is not there any more. Open the page anew and choose again."),
    "disk_independent": _l("This disk belongs to the data center, not to the server; it is changed in vCloud."),
    "disk_is_first": _l("The system starts from this disk. It goes only with the whole server."),
    "disk_gb_empty": _l("A disk has 1 GB at least."),
    "disk_gb_not_larger": _l("The disk has %(old)s already, and disks only grow. Take more than that."),
    "disk_gb_no_room": _l("%(value)s of disk do not fit: %(most)s are possible now. Take less or delete a server."),
    # network cards
    "cards_missing": _l("Nothing was chosen. Choose a network for at least one card."),
    "card_twice": _l("This network card is named twice."),
    "card_index_bad": _l("A server has %(most)s network cards at most, numbered from 0."),
    "card_gone": _l("This network card is not there any more. Open the page anew and choose again."),
    "card_mode_bad": _l("An address comes from the pool, from DHCP or by hand, or there is none. Choose one of these."),
    "ip_missing": _l("Give the address, or let vCloud take one from the pool."),
    "ip_bad": _l("This is not an address. Write it as 10.0.0.15."),
    "ip_outside": _l("This address is not in the network %(network)s. Take one of it."),
    "ip_reserved": _l("This address belongs to the network itself. Take another one."),
    # snapshots
    "snapshot_memory_needs_on": _l("The server is not on, so its memory holds nothing to keep."),
    "snapshot_in_place": _l("The server has a snapshot already, and a new one replaces it. Agree to that, or keep it."),
    # deletion
    "name_not_typed": _l("This is not the name of the server. Type %(name)s to delete it."),
    # another size
    "new_cpu_count_too_small": _l("A server has at least %(least)s CPU."),
    "new_cpu_count_too_large_vdc": _l(
        "%(value)s CPU do not fit: %(most)s are possible with what is free. Take fewer or delete a server."
    ),
    "new_cpu_count_too_large_vsphere": _l("No server can have more than %(most)s CPU."),
    "new_memory_mb_too_small": _l("A server has at least %(least)s of memory."),
    "new_memory_mb_too_large_vdc": _l(
        "%(value)s of memory do not fit: %(most)s are possible with what is free. Take less or delete a server."
    ),
    "new_memory_mb_too_large_vsphere": _l("No server can have more than %(most)s of memory."),
    "size_unchanged": _l("The server has this size already. Choose another one."),
    "plan_changed": _l(
        "The server is in another state than when you opened this page. Look again whether it will restart, then send."
    ),
}
"""The sentence of each error code, or the function that makes it where a number decides the form of words."""


def error_text(error: AppError) -> str:
    """The sentence for a person: what happened, why, what to do next."""
    sentence = ERRORS[error.code]
    if callable(sentence) and not isinstance(sentence, LazyString):
        return sentence(error.params)
    return str(sentence) % {name: _shown(error.code, value) for name, value in error.params.items()}


def _shown(code: str, value: object) -> object:
    """Sizes get their unit, by the name of the quantity in the code."""
    if isinstance(value, int) and "memory_mb" in code:
        return size_mb(value)
    if isinstance(value, int) and "disk_gb" in code:
        return size_mb(value * 1024)
    return value
