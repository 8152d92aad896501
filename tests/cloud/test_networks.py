"""Network cards: connected, disconnected, added, removed; the other cards and all MAC addresses stay."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.cloud import networks, operations
from app.cloud.models import Network
from app.cloud.networks import CardWish
from app.db import db
from app.errors import AppError, NotFoundError
from tests.support import elsewhere
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation
from tests.support.machines import real_vm, vm_named
from vcdsim import Simulator


def network(name: str) -> uuid.UUID:
    """The mirrored organization network of that name."""
    return db.session.scalars(select(Network.id).where(Network.name == name)).one()


def ask(cast: Cast, name: str, *cards: CardWish) -> uuid.UUID:
    return networks.request_change(cast.owner, vm_named(name).id, new_token(), cards)


def done(cast: Cast, cloud: Simulator, clock: Clock, name: str, *cards: CardWish) -> uuid.UUID:
    """Ask, and let it come to a good end."""
    asked = ask(cast, name, *cards)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    return asked


def card(name: str, index: int = 0) -> tuple[Any, ...]:
    """(network of the vApp, mode, address, connected) of a card in the mirror."""
    nic = next(nic for nic in vm_named(name).nics if nic["index"] == index)
    return nic["network"], nic["mode"], nic["ip"], nic["is_connected"]


def test_a_network_is_added_to_the_vapp_and_the_card_moved_to_it_with_its_mac(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    mac = real_vm(cloud, "sandbox").nics[0].mac
    done(cast, cloud, clock, "sandbox", CardWish(index=0, network_id=network("acme-internal")))
    assert card("sandbox")[:2] == ("acme-internal", "POOL")
    assert card("sandbox")[2].startswith("10.0.0.")
    assert [nic.mac for nic in real_vm(cloud, "sandbox").nics] == [mac]
    assert [(net["name"], net["fence_mode"]) for net in vm_named("sandbox").vapp.networks] == [
        ("acme-net", "bridged"),
        ("acme-internal", "bridged"),
    ]


def test_a_network_with_outer_addresses_is_added_with_inner_ones(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    done(cast, cloud, clock, "wiki", CardWish(index=0, network_id=network("acme-net")))
    assert card("wiki")[0] == "acme-net-inner"
    assert (vm_named("wiki").inner_ip or "").startswith("192.168.100.")
    assert (vm_named("wiki").outer_ip or "").startswith("203.0.113.")


def test_a_network_that_the_vapp_has_is_used_and_no_other_added(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done(cast, cloud, clock, "sandbox", CardWish(index=1, network_id=network("acme-net")))
    assert len(vm_named("sandbox").vapp.networks) == 1
    assert card("sandbox", 1)[0] == "acme-net"


def test_a_card_stays_on_its_own_of_several_networks_that_lead_there(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vapp = cloud.world.vapps[real_vm(cloud, "sandbox").container_id]
    vapp.networks.append(replace(vapp.networks[0], id=str(uuid.uuid4()), name="second"))
    real_vm(cloud, "sandbox").nics[0].network = "second"
    elsewhere.look_again("sandbox")
    done(cast, cloud, clock, "sandbox", CardWish(index=0, network_id=network("acme-net"), mode="DHCP"))
    assert card("sandbox")[0] == "second"


def test_a_card_is_disconnected_and_connected_again(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done(cast, cloud, clock, "sandbox", CardWish(index=0))
    assert card("sandbox") == (None, "NONE", None, False)
    done(cast, cloud, clock, "sandbox", CardWish(index=0, network_id=network("acme-net")))
    assert card("sandbox")[0] == "acme-net"


def test_a_card_is_added_and_removed_and_the_other_one_stays(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    before = card("sandbox")
    done(cast, cloud, clock, "sandbox", CardWish(index=1, network_id=network("acme-internal")))
    assert [nic["index"] for nic in vm_named("sandbox").nics] == [0, 1]
    done(cast, cloud, clock, "sandbox", CardWish(index=1, is_removed=True))
    assert [nic["index"] for nic in vm_named("sandbox").nics] == [0]
    assert card("sandbox") == before


def test_two_networks_that_the_vapp_lacks_are_both_added(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vapp = cloud.world.vapps[real_vm(cloud, "sandbox").container_id]
    done(cast, cloud, clock, "sandbox", CardWish(index=0))
    vapp.networks.clear()
    cards = [
        CardWish(index=index, network_id=network(name)) for index, name in enumerate(("acme-net", "acme-internal"))
    ]
    done(cast, cloud, clock, "sandbox", *cards)
    assert [net.name for net in vapp.networks] == ["acme-net-inner", "acme-internal"]
    assert [card("sandbox", index)[0] for index in (0, 1)] == ["acme-net-inner", "acme-internal"]


def test_a_name_that_another_network_of_the_vapp_has_is_not_used_twice(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vapp = cloud.world.vapps[real_vm(cloud, "sandbox").container_id]
    vapp.networks[0].name = real_vm(cloud, "sandbox").nics[0].network = "acme-internal"
    elsewhere.look_again("sandbox")
    done(cast, cloud, clock, "sandbox", CardWish(index=0, network_id=network("acme-internal")))
    assert card("sandbox")[0] == "acme-internal-2"


def test_an_address_by_hand_is_the_address_of_the_card(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    wish = CardWish(index=0, network_id=network("acme-internal"), mode="MANUAL", ip="10.0.0.200")
    done(cast, cloud, clock, "wiki", wish)
    assert card("wiki") == ("acme-internal", "MANUAL", "10.0.0.200", True)


@pytest.mark.parametrize(
    ("name", "ip"),
    [("shop-db", "192.168.1.150"), ("wiki", "192.168.100.50")],  # the vApp has inner addresses, or gets them now
)
def test_an_address_by_hand_may_be_an_inner_one(cast: Cast, cloud: Simulator, clock: Clock, name: str, ip: str) -> None:
    done(cast, cloud, clock, name, CardWish(index=0, network_id=network("acme-net"), mode="MANUAL", ip=ip))
    assert card(name)[1:] == ("MANUAL", ip, True)


def test_dhcp_without_an_answer_is_pending_and_no_failure(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = done(cast, cloud, clock, "sandbox", CardWish(index=0, network_id=network("acme-net"), mode="DHCP"))
    assert operation(asked).facts["differences"] == [{"what": "ip", "card": 0, "asked": "DHCP", "got": "pending"}]
    assert card("sandbox") == ("acme-net", "DHCP", None, True)


@pytest.mark.parametrize(
    ("name", "net", "ip", "code"),
    [
        ("wiki", "acme-internal", None, "ip_missing"),
        ("wiki", "acme-internal", "10.0.0", "ip_bad"),
        ("wiki", "acme-internal", "10.0.1.5", "ip_outside"),
        ("wiki", "acme-internal", "10.0.0.1", "ip_reserved"),  # the gateway
        ("wiki", "acme-internal", "10.0.0.255", "ip_reserved"),  # the broadcast address
        ("wiki", "acme-net", "10.0.0.5", "ip_outside"),  # a network with inner addresses would be added
        ("shop-db", "acme-net", "192.168.100.5", "ip_outside"),  # the vApp has one, with other addresses
    ],
)
def test_an_address_by_hand_must_be_of_its_network(
    cast: Cast, cloud: Simulator, clock: Clock, name: str, net: str, ip: str | None, code: str
) -> None:
    with pytest.raises(AppError, match=code) as refused:
        ask(cast, name, CardWish(index=0, network_id=network(net), mode="MANUAL", ip=ip))
    assert refused.value.field == "cards-0-ip"


@pytest.mark.parametrize(
    ("cards", "code", "field"),
    [
        ([], "cards_missing", None),
        ([CardWish(index=0), CardWish(index=0)], "card_twice", "cards-0-index"),
        ([CardWish(index=10)], "card_index_bad", "cards-10-index"),
        ([CardWish(index=3, is_removed=True)], "card_gone", "cards-3-index"),
        ([CardWish(index=0, mode="BRIDGE")], "card_mode_bad", "cards-0-mode"),
        ([CardWish(index=0, network_id=uuid.uuid4())], "network_gone", "cards-0-network_id"),
    ],
)
def test_a_wrong_wish_is_refused_at_its_field(
    cast: Cast, cloud: Simulator, clock: Clock, cards: list[CardWish], code: str, field: str | None
) -> None:
    with pytest.raises(AppError, match=code) as refused:
        ask(cast, "sandbox", *cards)
    assert refused.value.field == field


def test_somebody_elses_network_is_not_there(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="network_gone"):
        ask(cast, "sandbox", CardWish(index=0, network_id=network("globex-net")))


def test_somebody_elses_machine_is_not_there(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(NotFoundError):
        networks.request_change(cast.stranger, vm_named("sandbox").id, new_token(), [CardWish(index=0)])


def test_an_address_that_is_taken_fails_in_vclouds_words(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    taken = vm_named("ci-runner-1").inner_ip
    asked = ask(cast, "wiki", CardWish(index=0, network_id=network("acme-internal"), mode="MANUAL", ip=taken))
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert str(taken) in operation(asked).error_params["message"]


def test_what_somebody_changed_back_meanwhile_is_told_beside_what_was_asked(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = ask(cast, "sandbox", CardWish(index=0))
    while operation(asked).step != "read_back":
        for one in operations.due():
            operations.advance(one)
        cloud.settle()
        clock.move(11)
    real_vm(cloud, "sandbox").nics[0].network = "acme-net"
    drain(cloud, clock)
    (difference,) = operation(asked).facts["differences"]
    assert (difference["what"], difference["card"], difference["got"][0]) == ("card", 0, "acme-net")
