"""The words of the drift desk: what drifted, its values, why something cannot be brought back."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.cloud.drift_rules import Never
from app.cloud.rules import VmState
from app.texts import size_mb
from app.texts.labels import VM_STATES

WHATS: Mapping[str, LazyString] = {
    "existence": _l("The server itself"),
    "vdc": _l("Data center"),
    "name": _l("Name"),
    "vapp": _l("vApp"),
    "cpu_count": _l("Processor"),
    "memory_mb": _l("Memory"),
    "disks": _l("Disks"),
    "nics": _l("Network cards"),
    "snapshot": _l("Snapshot"),
    "state": _l("State"),
}
NEVER: Mapping[Never, LazyString] = {
    Never.STATE: _l("Nothing to decide: start it or shut it down as you like."),
    Never.EXISTENCE: _l("Servers are never made or deleted to agree with a list; accept what is."),
    Never.VDC: _l("A server cannot be moved between data centers from here."),
    Never.VAPP: _l("A server cannot be moved to another vApp, nor its vApp renamed, from here."),
    Never.DISK_GREW: _l("Disks cannot shrink."),
    Never.DISK_LOST: _l("A disk that was removed is gone with its data."),
    Never.DISKS_SEVERAL: _l("Several disks were added. Remove them one by one on the page of the server."),
    Never.CARD_NETWORK: _l("The cards were connected in a way that cannot be asked for from here."),
    Never.SNAPSHOT_LOST: _l("A snapshot that was removed cannot be brought back."),
}


def value_lines(what: str, value: Any, *, own_vdc: str) -> list[str]:
    """A value of an entry, a line for each part; `own_vdc` is the urn of the data center whose entry it is."""
    if what == "memory_mb":
        return [size_mb(value)]
    if what == "disks":
        return [size_mb(size) for _, size in sorted(value.items())] or [gettext("none")]
    if what == "nics":
        return [_card(card) for card in value] or [gettext("none")]
    return [_word(what, value, own_vdc)]


def _word(what: str, value: Any, own_vdc: str) -> str:
    if what == "cpu_count":
        return f"{value} CPU"
    if what == "state":
        return str(VM_STATES[VmState(value)])
    if what == "existence":
        return gettext("exists") if value else gettext("does not exist")
    if what == "snapshot":
        return gettext("there is one") if value else gettext("none")
    if what == "vdc":
        return gettext("this one") if value == own_vdc else gettext("another one")
    return str(value)


def _card(card: Mapping[str, Any]) -> str:
    if card["network"] is None:
        return gettext("not connected")
    if not card["is_connected"]:
        return gettext("%(network)s, unplugged", network=card["network"])
    return f"{card['network']}, {card['ip']}" if card["ip"] else str(card["network"])
