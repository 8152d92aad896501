"""Networks of vApps and the cards of machines on them: what creation and a later change share, and the change itself.

A person chooses an organization network. A card can only be on a network of its vApp, so one that leads to the chosen
network is looked for there, and added if there is none.
"""

import ipaddress
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app import vcloud
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import LOOK_AGAIN, Difference, change, live_vm, read_back
from app.cloud.models import Network, Vm
from app.cloud.offers import ISOLATED
from app.cloud.rules import Action
from app.cloud.steps import Again, FailedError, Kind, Next, Outcome, Step, Turn, register
from app.db import db
from app.errors import AppError

INNER_NETWORK = ipaddress.IPv4Network("192.168.100.0/24")
"""Addresses inside a vApp network with address translation; every vApp has its own, so all may use the same."""
MODES = ("POOL", "DHCP", "MANUAL", "NONE")
MOST_CARDS = 10
"""vSphere's maximum for one machine; their indexes count from 0."""
PENDING = "pending"
"""What is told instead of an address that DHCP has not given yet."""


# ---- networks of a vApp, for creation as well ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OrgNetwork:
    """The chosen organization network in vCloud's terms, as it stands in the wish."""

    urn: str
    name: str
    is_isolated: bool


def joined(networks: Iterable[vcloud.VAppNetwork], org_network: OrgNetwork) -> str | None:
    """The name of the first of a vApp's networks that leads to the organization network."""
    return next((network.name for network in networks if network.parent_urn == org_network.urn), None)


def leading_to(org_network: OrgNetwork, taken: Iterable[str] = ()) -> vcloud.VAppNetwork:
    """A new network for a vApp that has networks named `taken`.

    On an isolated network it is joined as it is (the machine gets an address of that network), else it has inner
    addresses of its own and outer ones by NAT.
    """
    if org_network.is_isolated:
        return vcloud.VAppNetwork(
            name=_free_name(org_network.name, taken), parent_urn=org_network.urn, fence_mode="bridged"
        )
    return vcloud.VAppNetwork(
        name=_free_name(f"{org_network.name}-inner", taken),
        parent_urn=org_network.urn,
        fence_mode="natRouted",
        gateway=str(INNER_NETWORK[1]),
        netmask=str(INNER_NETWORK.netmask),
        range_start=str(INNER_NETWORK[100]),
        range_end=str(INNER_NETWORK[199]),
    )


def _free_name(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    return next(free for free in (name, *(f"{name}-{number}" for number in range(2, 1000))) if free not in known)


# ---- the request ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CardWish:
    """How one card shall be. An index that the machine does not have adds a card, `is_removed` takes one out.

    `network_id` is an organization network of the mirror, None: not connected. `ip` only with the mode MANUAL.
    """

    index: int
    network_id: uuid.UUID | None = None
    mode: str = "POOL"
    ip: str | None = None
    is_removed: bool = False


def request_change(actor: Actor, vm_id: uuid.UUID, form_token: str, cards: Sequence[CardWish]) -> uuid.UUID:
    """Ask for cards to be as wished, and the others to stay; returns the id of the operation.

    Raises what `wishes.ask` raises, and AppErrors whose field is `cards-INDEX-` and the name of the wish's field:
    `card_twice`, `card_index_bad`, `card_gone`, `card_mode_bad`, `network_gone`, `ip_missing`, `ip_bad`, `ip_outside`,
    `ip_reserved`; `cards_missing` for no wish at all.
    """

    def check(vm: Vm) -> None:
        if not cards:
            raise AppError("cards_missing", 400)
        for card in cards:
            _check_card(vm, card, [other.index for other in cards])

    asked = {"cards": [_in_terms_of_vcloud(card) for card in sorted(cards, key=lambda card: card.index)]}
    return wishes.ask(actor, vm_id, Action.CHANGE_NETWORK, form_token, asked=asked, check=check)


def _in_terms_of_vcloud(card: CardWish) -> dict[str, Any]:
    """{"index", "is_removed", "mode", "ip", "network": {"urn", "name", "is_isolated"} or None}."""
    row = None if card.network_id is None else _network(card)
    chosen = row and OrgNetwork(urn=row.urn, name=row.name, is_isolated=row.fence_mode == ISOLATED)
    return {
        "index": card.index,
        "is_removed": card.is_removed,
        "mode": card.mode if chosen else "NONE",
        "ip": card.ip if card.mode == "MANUAL" else None,
        "network": asdict(chosen) if chosen else None,
    }


def _network(card: CardWish) -> Network:
    row = db.session.get(Network, card.network_id)
    if row is None or row.gone_at is not None:
        raise AppError("network_gone", field=f"cards-{card.index}-network_id")
    return row


def _check_card(vm: Vm, card: CardWish, indexes: list[int]) -> None:
    prefix = f"cards-{card.index}-"
    if indexes.count(card.index) > 1:
        raise AppError("card_twice", 400, field=f"{prefix}index")
    if not 0 <= card.index < MOST_CARDS:
        raise AppError("card_index_bad", 400, field=f"{prefix}index", most=MOST_CARDS)
    if card.is_removed:
        if card.index not in [nic["index"] for nic in vm.nics]:
            raise AppError("card_gone", field=f"{prefix}index")
        return
    if card.mode not in MODES:
        raise AppError("card_mode_bad", 400, field=f"{prefix}mode")
    if card.network_id is None:
        return
    row = _network(card)
    if row.vdc_id != vm.vdc_id:
        raise AppError("network_gone", field=f"{prefix}network_id")
    if card.mode == "MANUAL":
        _check_address(card.ip, _gateway(vm, row), field=f"{prefix}ip")


def _gateway(vm: Vm, row: Network) -> ipaddress.IPv4Interface | None:
    """The gateway, with its netmask, of the network that the card would be on; None where the mirror does not tell."""
    existing = next((network for network in vm.vapp.networks if network["parent_urn"] == row.urn), None)
    if existing is None and row.fence_mode != ISOLATED:
        return ipaddress.IPv4Interface(f"{INNER_NETWORK[1]}/{INNER_NETWORK.prefixlen}")
    is_inner = existing is not None and existing["fence_mode"] != "bridged"
    gateway, netmask = (
        (existing.get("gateway"), existing.get("netmask")) if existing and is_inner else (row.gateway, row.netmask)
    )
    try:
        return ipaddress.IPv4Interface(f"{gateway}/{netmask}")
    except ValueError:
        return None


def _check_address(ip: str | None, gateway: ipaddress.IPv4Interface | None, *, field: str) -> None:
    if not ip:
        raise AppError("ip_missing", 400, field=field)
    try:
        address = ipaddress.IPv4Address(ip)
    except ValueError:
        raise AppError("ip_bad", 400, field=field) from None
    if gateway is None:
        return
    if address not in gateway.network:
        raise AppError("ip_outside", 400, field=field, network=str(gateway.network))
    if address in (gateway.ip, gateway.network.network_address, gateway.network.broadcast_address):
        raise AppError("ip_reserved", 400, field=field)


# ---- the steps -----------------------------------------------------------------------------------------------


def _vapp(turn: Turn, vm: vcloud.Vm) -> vcloud.VApp:
    if vm.vapp_id is None:
        raise vcloud.NotFound("the VM does not say in which vApp it is")
    return turn.client.vapp(vm.vapp_id)


def _chosen(card: dict[str, Any]) -> OrgNetwork | None:
    return OrgNetwork(**card["network"]) if card["network"] else None


def _missing(turn: Turn, vapp: vcloud.VApp) -> OrgNetwork | None:
    """The first chosen network that no network of the vApp leads to."""
    chosen = filter(None, map(_chosen, turn.params["cards"]))
    return next((network for network in chosen if joined(vapp.networks, network) is None), None)


def _require_as_seen(turn: Turn, vm: vcloud.Vm) -> None:
    nics = {nic.index: [nic.network, nic.mode, nic.connected] for nic in vm.nics}
    before = turn.params["before"]["nics"]
    if before is not None and any(before.get(str(index)) != nics.get(index) for index in _wirings(turn, vm)):
        raise FailedError("nics_changed")


def _look_joined(turn: Turn) -> Outcome | None:
    vm = live_vm(turn)
    if turn.sent_at is None:
        _require_as_seen(turn, vm)
    missing = _missing(turn, _vapp(turn, vm))
    if missing is None:
        return Next()
    return None if turn.task_urn is None else Again(text="one network is added, another one is missing")


def _join(turn: Turn) -> vcloud.Task:
    vapp = _vapp(turn, live_vm(turn))
    missing = _missing(turn, vapp)
    if missing is None:
        raise LookupError("somebody has added the network in this moment")
    wish = leading_to(missing, [network.name for network in vapp.networks])
    return turn.client.add_network(vapp.id, wish)


def _wirings(turn: Turn, vm: vcloud.Vm) -> dict[int, vcloud.Wiring | None]:
    """The cards that are not yet as wished."""
    networks, nics = _vapp(turn, vm).networks, {nic.index: nic for nic in vm.nics}
    wanted: dict[int, vcloud.Wiring | None] = {}
    for card in turn.params["cards"]:
        nic, wiring = nics.get(card["index"]), None if card["is_removed"] else _wiring(card, networks, nics)
        if _differs(nic, wiring):
            wanted[card["index"]] = wiring
    return wanted


def _wiring(card: dict[str, Any], networks: Sequence[vcloud.VAppNetwork], nics: dict[int, vcloud.Nic]) -> vcloud.Wiring:
    chosen = _chosen(card)
    if chosen is None:
        return vcloud.Wiring(mode="NONE", connected=False)
    nic = nics.get(card["index"])
    present = [network for network in networks if nic is not None and network.name == nic.network]
    # A card that already is on one of several networks that lead there stays on it.
    return vcloud.Wiring(joined([*present, *networks], chosen), card["mode"], card["ip"])


def _differs(nic: vcloud.Nic | None, wiring: vcloud.Wiring | None) -> bool:
    if nic is None or wiring is None:
        return (nic is None) != (wiring is None)
    if wiring.network is None:
        return nic.network is not None or nic.connected
    has_address = wiring.mode != "MANUAL" or nic.ip == wiring.ip
    return (nic.network, nic.mode, nic.connected) != (wiring.network, wiring.mode, True) or not has_address


def _look_set(turn: Turn) -> Outcome | None:
    vm = live_vm(turn)
    if turn.sent_at is None:
        _require_as_seen(turn, vm)
    return None if _wirings(turn, vm) else Next()


def _set(turn: Turn) -> vcloud.Task:
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(cards=_wirings(turn, live_vm(turn))))


def _differences(turn: Turn, vm: vcloud.Vm) -> list[Difference]:
    """Cards that did not come out as wished, and addresses that DHCP still has to give."""
    found: list[Difference] = []
    nics = {nic.index: nic for nic in vm.nics}
    for index, wiring in _wirings(turn, vm).items():
        nic = nics.get(index)
        asked, got = wiring and (wiring.network, wiring.mode, wiring.ip), nic and (nic.network, nic.mode, nic.ip)
        found.append({"what": "card", "card": index, "asked": asked, "got": got})
    for card in turn.params["cards"]:
        nic = nics.get(card["index"])
        if nic is not None and nic.connected and nic.mode == "DHCP" and nic.ip is None:
            found.append({"what": "ip", "card": nic.index, "asked": "DHCP", "got": PENDING})
    return found


CHANGE_NETWORK = register(
    Kind(
        name=Action.CHANGE_NETWORK.value,
        deadline_min=30,
        steps=(
            Step(name="join_network", look=_look_joined, send=change(_join), may_cancel=True),
            Step(name="set_cards", look=_look_set, send=change(_set), may_cancel=True),
            read_back(_differences),
        ),
        clean_up=LOOK_AGAIN,
    )
)
