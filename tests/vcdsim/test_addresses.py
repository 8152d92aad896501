"""The addresses in use of a network: the list without pages, its silent end, the list with pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vcdsim.talk import NS, Reply, Talk, id_of
from vcdsim import Simulator


@pytest.fixture
def large() -> Talk:
    """300 VMs on one network."""
    return Talk(Simulator("small", manual_clock=True))


def listed(talk: Talk, tree: str = "network") -> list[str | None]:
    path = f"/api/{tree}/{id_of(talk.sim, 'networks', 'acme-net')}/allocatedAddresses/"
    return [box.findtext("v:IpAddress", namespaces=NS) for box in talk.get(path).findall("v:IpAddress", NS)]


def page(talk: Talk, query: str = "") -> Reply:
    network = f"urn:vcloud:network:{id_of(talk.sim, 'networks', 'acme-net')}"
    return talk.send("GET", f"/cloudapi/1.0.0/orgVdcNetworks/{network}/allocatedIpAddresses{query}")


def rows(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def test_all_addresses_in_use_are_listed_at_once(large: Talk) -> None:
    assert len(listed(large)) == len(listed(large, "admin/network")) == 300


def test_the_list_ends_without_a_word_when_told_to(large: Talk) -> None:
    large.sim.faults.add("allocatedAddresses", times=None, most_rows=128)
    assert len(listed(large)) == 128


def test_an_address_says_whose_it_is_and_how(talk: Talk) -> None:
    path = f"/api/network/{id_of(talk.sim, 'networks', 'acme-net')}/allocatedAddresses"
    boxes = talk.get(path).findall("v:IpAddress", NS)
    kinds = {box.get("allocationType") for box in boxes}
    assert kinds == {"vmAllocated", "natRouted", "vsmAllocated"}
    (outer,) = [
        box
        for box in boxes
        if box.get("allocationType") == "natRouted" and box.find("v:Link[@name='shop-db']", NS) is not None
    ]
    vm = next(vm for vm in talk.sim.world.vms.values() if vm.name == "shop-db")
    assert outer.findtext("v:IpAddress", namespaces=NS) == vm.nics[0].external_ip


def test_the_new_list_has_pages_and_a_total(large: Talk) -> None:
    found: list[str] = []
    for number in range(1, 4):
        answer = rows(page(large, f"?page={number}&pageSize=128"))
        assert (answer["resultTotal"], answer["pageCount"]) == (300, 3)
        found += [one["ipAddress"] for one in answer["values"]]
    assert sorted(found) == sorted(str(one) for one in listed(large))


def test_a_page_is_of_25_rows_unless_asked_otherwise(large: Talk) -> None:
    assert len(rows(page(large))["values"]) == 25


@pytest.mark.parametrize("query", ["?pageSize=129", "?page=0", "?page=x", "?pageSize=-1"])
def test_a_page_that_cannot_be_is_refused(large: Talk, query: str) -> None:
    assert page(large, query).status == 400


def test_the_new_list_is_not_known_below_33(sim: Simulator) -> None:
    assert page(Talk(sim, version="32.0")).status == 404


def test_a_foreign_network_is_forbidden(sim: Simulator) -> None:
    assert page(Talk(sim, "globex-admin@globex")).status == 403
