"""Sentences of errors: what happened, why, next step."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.cloud.rules import Blocked
from app.errors import AppError
from app.texts import size_mb
from app.texts.labels import BLOCKED

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
    "console_host_bad": _l("--console-host: %(host)s is no HOST or HOST:PORT."),
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
    "value_unknown": _l("There is no value of this name here. Known are: %(names)s."),
    "value_twice": _l("This value is given twice."),
    "value_bad": _l("This value is not what it must be: %(wanted)s."),
    "value_not_listed": _l("This value must be one of: %(choices)s."),
    "value_too_small": _l("This value is below %(least)s, the least that is possible."),
    "value_too_large": _l("This value is above %(most)s, the most that is possible."),
    "value_unreadable": _l("This text has characters that cannot be shown."),
    "filter_unreadable": _l("The filter does not understand this part: %(part)s. Known fields: %(known)s."),
    "vapp_named_twice": _l("Give vapp_id for an existing vApp or vapp_name for a new one, not both."),
    "json_bad": _l("The body is no JSON that we can read."),
    "body_not_json": _l("Send the body as JSON, with Content-Type: application/json."),
    "body_too_large": _l("The body is too large."),
    "method_not_allowed": _l("This address does not take this method; the header Allow says which."),
    "request_bad": _l("We cannot read this request."),
    "our_mistake": _l("The fault is ours and it is written down. Tell support the request id."),
    "database_away": _l("Our database does not answer. Try again in a minute."),
    # the statistics packet
    "not_staff": _l("%(email)s is nobody of the provider, or is kept out. See `flask create-staff`."),
    "service_unknown": _l(
        "There is no service or data center %(name)s. Give the id of a service: GET /api/v1/services."
    ),
    "service_ambiguous": _l("Several data centers are named %(name)s. Give the id of the service: %(ids)s."),
    "packet_not_read": _l("The data center of this service was not read yet. Run `flask sync`, then try again."),
    "packet_passwords_by_command": _l(
        "Passwords are not told here. The operator of the panel can write them: `flask packet %(service)s "
        "--with-passwords`."
    ),
    "packet_admin_only": _l("Only an administrator gets passwords. See `flask create-staff --role admin`."),
    "packet_reason_bad": _l("--reason: say in 1 to %(most)s printable characters why the passwords are needed."),
    "packet_text_bad": _l(
        "%(attribute)s of <%(element)s> has a control character, which XML cannot hold. Change it in vCloud."
    ),
    "packet_too_large": _l("This is too large for a packet: more than %(most_mb)s MB, or than 50,000 servers."),
    "packet_not_xml": _l(
        "This is no XML that we read: %(reason)s. A packet has no DOCTYPE; send it as it was written."
    ),
    "packet_element_bad": _l("Line %(line)s: there is %(found)s where %(wanted)s belongs. See docs/packet.md."),
    "packet_attribute_missing": _l("Line %(line)s: <%(element)s> has no %(attribute)s; give it, it may be empty."),
    "packet_attribute_unknown": _l("Line %(line)s: <%(element)s> has %(attribute)s, which no packet has. Take it out."),
    "packet_value_bad": _l("Line %(line)s: %(attribute)s of <%(element)s> is %(value)s; write it like %(like)s."),
    # wishes
    "action_blocked": _blocked,
    "console_blocked": _l("There is no screen of this server now."),
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
    "profile_has_no_disk_gb": _l("Needs %(needs)s of disk, the storage profile %(profile)s has %(free)s left."),
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
    # the drift desk
    "drift_over": _l("This has been settled meanwhile; there is nothing left to decide."),
    "drift_moved": _l("It was changed in vCloud once more. Look at what it is now, then decide."),
    "drift_days_bad": _l("Choose for how long it is ignored."),
    "drift_not_restorable": _l("This cannot be restored from here."),
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
