"""Addresses in use: complete on every version, though vCloud's own list ends at 128 and does not say so."""

import json

import pytest

from app.vcloud import AllocatedAddress, Client, Login, Unavailable
from app.vcloud.query import version_key
from tests.support.addresses import crowded
from tests.vcloud.support import HOST, NAMESPACE, NETWORK, VAPP, VM_36, Vcd, fixture, records, vm_row
from vcdsim import Simulator

OLD = f"/network/{NETWORK.rpartition(':')[2]}/allocatedAddresses/"
YOUNG = f"{HOST}/cloudapi/1.0.0/orgVdcNetworks/{NETWORK}/allocatedIpAddresses"
ROUTER = "<RouterInfo><ExternalIp>203.0.113.2</ExternalIp></RouterInfo>"
CARD = (
    '<NetworkConnectionSection><NetworkConnection network="lab"><NetworkConnectionIndex>0</NetworkConnectionIndex>'
    "<IpAddress>10.1.0.2</IpAddress><ExternalIpAddress>203.0.113.7</ExternalIpAddress>"
    "</NetworkConnection></NetworkConnectionSection>"
)


def serve(count: int, cards: int = 1) -> tuple[Simulator, set[str]]:
    """Return a crowded vCloud, and the addresses in use there."""
    sim = crowded(count, cards)
    return sim, {nic.ip for vm in sim.world.vms.values() for nic in vm.nics if nic.ip}


@pytest.fixture(params=["5.5", "9.0", "32.0", "33.0", "39.1"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(request.param), 1))
    return str(request.param)


def read_all(sim: Simulator) -> list[AllocatedAddress]:
    with sim.serve() as url, Client(url, Login("acme", "acme-admin", "secret")) as client:
        [vdc] = client.vdcs()
        [network] = vdc.networks
        return client.allocated_addresses(network.id)


@pytest.mark.parametrize("count", [1, 127, 128, 129])
def test_every_address_in_use_is_found_on_every_version(version: str, count: int) -> None:
    sim, expected = serve(count)
    found = read_all(sim)
    assert len(found) == len(expected) == count
    assert {held.ip for held in found} == expected
    assert all(held.vm_id or held.vapp_id for held in found)


@pytest.mark.parametrize(
    ("newest", "most_requests"), [((5, 5, 1), 115), ((32, 0, 1), 115), ((33, 0, 1), 50), ((39, 1, 1), 50)]
)
def test_five_thousand_addresses_are_found_on_second_cards_too(
    monkeypatch: pytest.MonkeyPatch, newest: tuple[int, ...], most_requests: int
) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", newest)
    sim, expected = serve(5000, cards=10)
    found = read_all(sim)
    assert {held.ip for held in found} == expected
    assert len(found) == len(expected) == 5000
    assert len(sim.requests) < most_requests


def entry(ip: str, *links: str) -> str:
    hrefs = "".join(f'<Link rel="down" href="https://vcd.example/api/{link}"/>' for link in links)
    return f'<IpAddress isDeployed="true" allocationType="vmAllocated">{hrefs}<IpAddress>{ip}</IpAddress></IpAddress>'


def short_list(*entries: str) -> str:
    return f'<AllocatedIpAddresses xmlns="{NAMESPACE}">{"".join(entries)}</AllocatedIpAddresses>'


def test_a_short_list_of_an_old_server_is_believed(vcd: Vcd) -> None:
    vapp, vm = f"vApp/vapp-{VAPP.rpartition(':')[2]}", f"vApp/vm-{VM_36.rpartition(':')[2]}"
    vcd.answer("GET", OLD, short_list(entry("10.0.0.9", vapp, vm), entry("10.0.0.2", vapp)))
    assert vcd.client().allocated_addresses(NETWORK) == [
        AllocatedAddress("10.0.0.9", VAPP, VM_36),
        AllocatedAddress("10.0.0.2", VAPP, None),
    ]
    assert len(vcd.calls) == 1


def test_behind_a_router_the_outer_addresses_count_and_the_routers_own(vcd: Vcd) -> None:
    vapp = fixture("vapp-36").replace("<FenceMode>natRouted</FenceMode>", "<FenceMode>natRouted</FenceMode>" + ROUTER)
    vapp = vapp.replace("</Vm>", CARD + "</Vm>")
    vcd.answer("GET", OLD, short_list(*(entry(f"10.0.0.{number}") for number in range(128))))
    vcd.answer("GET", "/query", records(vm_row(1, container=f"https://x/api/vApp/vapp-{VAPP.rpartition(':')[2]}")))
    vcd.answer("GET", f"/vApp/vapp-{VAPP.rpartition(':')[2]}", vapp)
    found = vcd.client().allocated_addresses(NETWORK)
    assert AllocatedAddress("203.0.113.2", VAPP, None) in found
    assert {held.ip for held in found if held.vm_id} == {"203.0.113.7"}


def test_a_vapp_that_is_gone_meanwhile_holds_nothing(vcd: Vcd) -> None:
    vcd.answer("GET", OLD, short_list(*(entry(f"10.0.0.{number}") for number in range(128))))
    vcd.answer("GET", "/query", records(vm_row(1)))
    vcd.answer("GET", "/vApp/vapp-00000000-0000-4000-9000-000000000001", status=404)
    assert vcd.client().allocated_addresses(NETWORK) == []


@pytest.fixture
def pages() -> list[dict[str, object]]:
    """Two pages of 128 and 1; changed by the tests before they are asked for."""
    found: list[dict[str, object]] = []
    for first, count in ((0, 128), (128, 1)):
        numbers = range(first, first + count)
        values = [{"ipAddress": f"10.0.0.{number}", "entity": {"id": VM_36}} for number in numbers]
        found.append({"resultTotal": 129, "pageSize": 128, "values": values})
    return found


def ask(vcd: Vcd, pages: list[dict[str, object]]) -> list[AllocatedAddress]:
    for number, page in enumerate(pages, start=1):
        vcd.mock.add("GET", f"{YOUNG}?page={number}&pageSize=128", body=json.dumps(page))
    return vcd.client().allocated_addresses(NETWORK)


def test_a_young_server_is_asked_page_by_page(vcd_39: Vcd, pages: list[dict[str, object]]) -> None:
    assert len(ask(vcd_39, pages)) == 129
    assert vcd_39.last.headers["Accept"] == "application/json;version=39.1"


@pytest.mark.parametrize(
    "change",
    [
        {"resultTotal": 130},
        {"resultTotal": None},
        {"resultTotal": -1},
        {"resultTotal": True},
        {"values": None},
        {"values": [{}]},
        {"values": ["10.0.0.1"]},
        {"values": []},
    ],
)
def test_pages_that_are_not_complete_are_no_answer(
    vcd_39: Vcd, pages: list[dict[str, object]], change: dict[str, object]
) -> None:
    pages[1] |= change
    with pytest.raises(Unavailable):
        ask(vcd_39, pages)


@pytest.mark.parametrize("body", ["", "[]", "<html>", "[" * 100_000, "\x00"])
def test_what_is_no_json_is_no_answer(vcd_39: Vcd, body: str) -> None:
    vcd_39.mock.add("GET", f"{YOUNG}?page=1&pageSize=128", body=body)
    with pytest.raises(Unavailable):
        vcd_39.client().allocated_addresses(NETWORK)
