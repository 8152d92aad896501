"""The network cards of a VM, written into a NetworkConnectionSection."""

from collections.abc import Mapping

from app.vcloud.errors import Refused
from app.vcloud.machines import UNPLUGGED
from app.vcloud.wishes import Wiring
from app.vcloud.xml import OVF, VCLOUD, Element, MalformedError, child, children, integer, text

_PRIMARY = "PrimaryNetworkConnectionIndex"
_STALE = "IpAddress", "IpType", "SecondaryIp", "ExternalIpAddress", "IsConnected", "IpAddressAllocationMode"
_MAC = f"{{{VCLOUD}}}MACAddress"


def wire(section: Element, cards: Mapping[int, Wiring | None]) -> None:
    """Wire cards by their index: None removes one, an unknown index adds one; the others stay, and all keep their MAC.

    If the primary card goes, the first of the others takes its place. Refused for the removal of a card that the VM
    does not have.
    """
    known = {integer(text(item, "NetworkConnectionIndex")): item for item in children(section, "NetworkConnection")}
    if unknown := {index for index, card in cards.items() if card is None} - set(known):
        raise Refused(f"the VM has no network card {sorted(unknown)}")
    for index, card in cards.items():
        if card is None:
            section.remove(known.pop(index))
        elif index in known:
            _rewire(known[index], card)
        else:
            known[index] = _added(section, index, card)
    _set_primary(section, [index for index in known if index is not None])


def _rewire(item: Element, card: Wiring) -> None:
    """Put the wiring around what stays of the card: its index, its MAC and its type of adapter."""
    for stale in _STALE:
        for found in list(children(item, stale)):
            item.remove(found)
    item.set("network", card.network or UNPLUGGED)
    index = child(item, "NetworkConnectionIndex")
    if index is None:
        raise MalformedError("a network card without an index")
    place = item.index(index) + 1
    if card.network and card.mode == "MANUAL":
        item.insert(place, _element(item, "IpAddress", card.ip))
        place += 1
    is_connected = card.network is not None and card.connected
    item.insert(place, _element(item, "IsConnected", "true" if is_connected else "false"))
    place += 2 if item[place + 1 : place + 2] and item[place + 1].tag == _MAC else 1
    item.insert(place, _element(item, "IpAddressAllocationMode", card.mode if card.network else "NONE"))


def _added(section: Element, index: int, card: Wiring) -> Element:
    item = _element(section, "NetworkConnection")
    item.append(_element(item, "NetworkConnectionIndex", str(index)))
    _rewire(item, card)
    before = list(children(section, "NetworkConnection"))
    section.insert(section.index(before[-1]) + 1 if before else len(section), item)
    return item


def _set_primary(section: Element, indexes: list[int]) -> None:
    primary = child(section, _PRIMARY)
    if primary is None and indexes:
        info = child(section, "Info", namespace=OVF)
        primary = _element(section, _PRIMARY, str(min(indexes)))
        section.insert(0 if info is None else section.index(info) + 1, primary)
    elif primary is not None and integer(primary.text) not in indexes:
        if indexes:
            primary.text = str(min(indexes))
        else:
            section.remove(primary)


def _element(parent: Element, name: str, content: str | None = None) -> Element:
    found = parent.makeelement(f"{{{VCLOUD}}}{name}")
    found.text = content
    return found
