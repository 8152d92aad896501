"""Addresses: inner ones at once, outer ones while deployed, pools that run out, fence modes."""

import pytest
from lxml import etree

from tests.vcdsim.talk import (
    NS,
    VCLOUD,
    Talk,
    instantiate_body,
    instantiate_path,
    network_config,
    sourced_item,
    text,
)
from vcdsim import Simulator
from vcdsim.entities import Nic, OrgNetwork, Vm

UNDEPLOY = f'<UndeployVAppParams xmlns="{VCLOUD}"/>'


def create(sim: Simulator, *, fence_mode: str = "bridged", address: str = "POOL", name: str = "new") -> Vm:
    """A VM on its own vApp network `net` towards acme-net."""
    talk = Talk(sim)
    networks = network_config(sim, "net", fence_mode=fence_mode)
    body = instantiate_body(sim, name, networks=networks, items=sourced_item(sim, name, network="net", address=address))
    reply = talk.send("POST", instantiate_path(sim), body)
    assert reply.status == 201, reply.body
    sim.settle()
    return next(vm for vm in sim.world.vms.values() if vm.name == name)


def card(vm: Vm) -> Nic:
    return vm.nics[0]


def acme_net(sim: Simulator) -> OrgNetwork:
    return next(one for one in sim.world.networks.values() if one.name == "acme-net")


def refused(sim: Simulator, networks: str, items: str = "") -> str:
    reply = Talk(sim).send("POST", instantiate_path(sim), instantiate_body(sim, networks=networks, items=items))
    assert reply.status == 400
    return reply.error[1]


def test_on_a_bridged_network_the_address_comes_from_the_parents_pool_at_once(sim: Simulator) -> None:
    vm = create(sim)
    assert card(vm).ip in acme_net(sim).used
    assert acme_net(sim).used[card(vm).ip or ""] == vm.id
    assert card(vm).external_ip is None


def test_behind_nat_the_inner_address_is_known_at_once_and_the_outer_one_once_deployed(sim: Simulator) -> None:
    vm, talk = create(sim, fence_mode="natRouted"), Talk(sim)
    assert (card(vm).ip, card(vm).external_ip) == ("192.168.5.2", None)
    talk.do("POST", f"{talk.vm('new')}/power/action/powerOn")
    connection = talk.get(f"{talk.vm('new')}/networkConnectionSection/").find("v:NetworkConnection", NS)
    assert connection is not None
    assert text(connection, "v:IpAddress") == "192.168.5.2"
    assert text(connection, "v:ExternalIpAddress").startswith("203.0.113.")


def test_power_off_keeps_the_outer_address_and_undeploy_gives_it_back(sim: Simulator) -> None:
    before = dict(acme_net(sim).used)
    vm, talk = create(sim, fence_mode="natRouted"), Talk(sim)
    talk.do("POST", f"{talk.vm('new')}/power/action/powerOn")
    outer = card(vm).external_ip
    talk.do("POST", f"{talk.vm('new')}/power/action/powerOff")
    assert card(vm).external_ip == outer
    assert outer in acme_net(sim).used
    talk.do("POST", f"{talk.vm('new')}/action/undeploy", UNDEPLOY)
    assert card(vm).external_ip is None
    assert acme_net(sim).used == before


def test_the_router_of_a_natted_network_has_an_outer_address_while_deployed(sim: Simulator) -> None:
    section = Talk(sim).get(f"{Talk(sim).vapp('shop')}/networkConfigSection/")
    assert text(section, "v:NetworkConfig/v:Configuration/v:RouterInfo/v:ExternalIp").startswith("203.0.113.")
    assert text(section, "v:NetworkConfig/v:IsDeployed") == "true"


def test_deleting_a_vm_gives_its_addresses_back(sim: Simulator) -> None:
    before, talk = dict(acme_net(sim).used), Talk(sim)
    create(sim)
    assert acme_net(sim).used != before
    talk.do("DELETE", talk.vapp("new"))
    assert acme_net(sim).used == before


def test_a_manual_address_is_taken_as_asked(sim: Simulator) -> None:
    assert card(create(sim, address="203.0.113.77")).ip == "203.0.113.77"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("203.0.113.12", "have already been used"),
        ("10.9.9.9", "is not valid for network"),
        ("999.1.1.1", "is not valid"),
    ],
)
def test_a_manual_address_that_is_taken_or_outside_is_refused(sim: Simulator, address: str, words: str) -> None:
    items = sourced_item(sim, "x", network="net", address=address)
    assert words in refused(sim, network_config(sim, "net"), items)


def test_dhcp_gives_an_address_only_once_the_guest_runs(sim: Simulator) -> None:
    vm, talk = create(sim, address="DHCP"), Talk(sim)
    assert card(vm).ip is None
    talk.do("POST", f"{talk.vm('new')}/power/action/powerOn")
    assert card(vm).ip is not None
    talk.do("POST", f"{talk.vm('new')}/action/undeploy", UNDEPLOY)
    assert card(vm).ip is None


def test_a_pool_that_has_run_out_refuses_and_leaves_nothing_behind(sim: Simulator) -> None:
    network = acme_net(sim)
    network.scope.ranges[0].end = "203.0.113.30"
    for last in range(10, 31):
        network.used.setdefault(f"203.0.113.{last}", "somebody")
    used = dict(network.used)
    message = refused(sim, network_config(sim, "net"), sourced_item(sim, "x", network="net"))
    assert "There are no available IP addresses" in message
    assert network.used == used
    assert not [vapp for vapp in sim.world.vapps.values() if vapp.name == "new"]


def test_an_outer_pool_that_has_run_out_fails_the_power_on(sim: Simulator) -> None:
    create(sim, fence_mode="natRouted")
    for last in range(10, 251):
        acme_net(sim).used.setdefault(f"203.0.113.{last}", "somebody")
    talk = Talk(sim)
    assert talk.do("POST", f"{talk.vm('new')}/power/action/powerOn") == "error"


@pytest.mark.parametrize(
    ("fence_mode", "parent", "words"),
    [
        ("isolated", "acme-net", 'Network with fenced mode "isolated" cannot have a parent network.'),
        ("bridged", None, 'Network with fenced mode "bridged" must have a parent network.'),
        ("natRouted", "globex-net", "is not available in VDC"),
        ("magic", "acme-net", 'The fence mode "magic" is not valid.'),
    ],
)
def test_networks_that_cannot_be_are_refused(sim: Simulator, fence_mode: str, parent: str | None, words: str) -> None:
    assert words in refused(sim, network_config(sim, "net", fence_mode=fence_mode, parent=parent))


def test_a_card_on_a_network_the_vapp_lacks_is_refused(sim: Simulator) -> None:
    message = refused(sim, network_config(sim, "net"), sourced_item(sim, "x", network="other"))
    assert 'The network "other" does not exist' in message


def test_networks_of_a_vapp_are_replaced_as_a_whole(sim: Simulator) -> None:
    talk = Talk(sim)
    create(sim)
    path = f"{talk.vapp('new')}/networkConfigSection/"
    kept = network_config(sim, "net") + network_config(sim, "second", fence_mode="isolated", parent=None)
    assert talk.do("PUT", path, _section(kept)) == "success"
    names = [one.get("networkName") for one in talk.get(path).findall("v:NetworkConfig", NS)]
    assert names == ["net", "second"]


def test_a_network_in_use_cannot_be_left_out(sim: Simulator) -> None:
    talk = Talk(sim)
    create(sim)
    reply = talk.send("PUT", f"{talk.vapp('new')}/networkConfigSection/", _section(""))
    assert "because it is in use" in reply.error[1]


def test_going_behind_nat_gives_the_vm_an_inner_address(sim: Simulator) -> None:
    vm, talk = create(sim), Talk(sim)
    body = _section(network_config(sim, "net", fence_mode="natRouted"))
    assert talk.do("PUT", f"{talk.vapp('new')}/networkConfigSection/", body) == "success"
    assert card(vm).ip == "192.168.5.2"


def test_a_vapp_network_has_a_document_of_its_own(sim: Simulator) -> None:
    talk = Talk(sim)
    vapp = talk.get(talk.vapp("shop"))
    (address,) = [
        link.get("href") or ""
        for link in vapp.findall("v:Link", NS)
        if (link.get("type") or "").endswith("vAppNetwork+xml")
    ]
    network = talk.get(address)
    assert (etree.QName(network).localname, network.get("name")) == ("VAppNetwork", "acme-net")
    assert Talk(sim, "globex-admin@globex").send("GET", address).status == 403


def _section(configs: str) -> str:
    namespaces = f'xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"'
    return f"<NetworkConfigSection {namespaces}><ovf:Info/>{configs}</NetworkConfigSection>"
