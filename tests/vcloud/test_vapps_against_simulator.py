"""VMs and networks that are added to vApps, against the simulator in three generations of the API."""

import pytest

from app.vcloud import Client, GuestCustomization, NewVApp, NewVm, Refused, VApp, VAppNetwork, VmStatus, Wiring
from tests.vcloud.simulated import added, debian, finish, network_urn, sent, vapp_named, vdc_of, vm_named
from tests.vcloud.support import templates
from vcdsim import Simulator
from vcdsim.entities import IpRange, IpScope
from vcdsim.entities import VAppNetwork as SimulatedNetwork

pytestmark = pytest.mark.usefixtures("generation")

INNER = {
    "gateway": "10.9.0.1",
    "netmask": "255.255.255.0",
    "range_start": "10.9.0.2",
    "range_end": "10.9.0.9",
}


# Adding and deleting


def test_a_vm_is_added_to_a_vapp_with_its_cards_customization_and_mark(
    sim: Simulator, client: Client, generation: str
) -> None:
    vapp, profile = vapp_named(client, "sandbox"), vdc_of(client).storage_profiles[0].id
    custom = GuestCustomization(enabled=True, computer_name="web7", password="Guest-pw-1")
    cards = (Wiring("acme-net"), Wiring("acme-net", "MANUAL", "203.0.113.240"), Wiring())
    [vm] = added(sim, client, vapp, NewVm(debian(client), "web7", "skiff op-7", cards, custom, profile))
    assert (vm.name, vm.status, vm.deployed) == ("web7", VmStatus.POWERED_OFF, False)
    assert vm.description == ("skiff op-7" if generation != "5.5" else "")
    assert [(nic.network, nic.mode, nic.connected, nic.primary) for nic in vm.nics] == [
        ("acme-net", "POOL", True, True),
        ("acme-net", "MANUAL", True, False),
        (None, "NONE", False, False),
    ]
    assert vm.nics[0].ip
    assert vm.nics[1].ip == "203.0.113.240"
    assert (vm.customization.computer_name, vm.customization.password_auto) == ("web7", False)
    assert sim.world.vms[vm.id[-36:]].customization.admin_password == "Guest-pw-1"
    assert vm.guest_os == "Debian GNU/Linux 12 (64-bit)"


def test_two_vms_of_one_template_are_told_apart_by_their_names(sim: Simulator, client: Client) -> None:
    vms = [NewVm(debian(client), name) for name in ("web7", "web8")]
    assert {vm.name for vm in added(sim, client, vapp_named(client, "sandbox"), *vms)} == {"web7", "web8"}


def test_a_name_taken_in_the_vapp_is_refused(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.recompose(vapp_named(client, "sandbox").id, [NewVm(debian(client), "sandbox")])
    assert caught.value.minor_code == "DUPLICATE_NAME"


def test_one_vm_is_deleted_and_its_neighbours_stay(sim: Simulator, client: Client) -> None:
    gone = vm_named(client, "ci-runner-2")
    finish(sim, client, client.delete(gone.id))
    assert [vm.name for vm in vapp_named(client, "build").vms] == ["ci-runner-1"]


def test_a_vapp_is_renamed_and_keeps_its_mark_and_its_vms(sim: Simulator, client: Client) -> None:
    before = vapp_named(client, "build")
    sim.world.vapps[before.id[-36:]].description = "mark <42>"
    finish(sim, client, client.rename_vapp(before.id, "farm & barn"))
    after = client.vapp(before.id)
    assert (after.name, after.description) == ("farm & barn", "mark <42>")
    assert [vm.id for vm in after.vms] == [vm.id for vm in before.vms]


def test_a_name_that_another_vapp_has_is_refused(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.rename_vapp(vapp_named(client, "build").id, "office")
    assert caught.value.minor_code == "DUPLICATE_NAME"


# Networks of a vApp


def test_a_network_is_added_beside_the_others_and_gives_inner_and_outer_addresses(
    sim: Simulator, client: Client
) -> None:
    before = vapp_named(client, "sandbox")
    lab = VAppNetwork("lab", network_urn(client), "natRouted", **INNER)
    finish(sim, client, client.add_network(before.id, lab))
    assert [(net.name, net.fence_mode, net.parent_urn) for net in client.vapp(before.id).networks] == [
        ("acme-net", "bridged", network_urn(client)),
        ("lab", "natRouted", network_urn(client)),
    ]
    [vm] = added(sim, client, before, NewVm(debian(client), "web7", cards=(Wiring("lab"),)))
    assert (vm.nics[0].ip, vm.nics[0].external_ip) == ("10.9.0.2", None)
    finish(sim, client, client.deploy(vm.id))
    [nic] = client.vm(vm.id).nics
    assert (nic.ip, (nic.external_ip or "").startswith("203.0.113.")) == ("10.9.0.2", True)
    assert [net.router_ip is not None for net in client.vapp(before.id).networks] == [False, True]


def test_the_others_stay_as_they_were_though_one_is_routed_and_in_use(sim: Simulator, client: Client) -> None:
    before = vapp_named(client, "shop")
    finish(sim, client, client.add_network(before.id, VAppNetwork("direct", network_urn(client), "bridged")))
    after = vapp_named(client, "shop")
    assert after.networks[0] == before.networks[0]
    assert after.networks[1].name == "direct"
    assert [[nic.external_ip for nic in vm.nics] for vm in after.vms] == [
        [nic.external_ip for nic in vm.nics] for vm in before.vms
    ]


def test_a_network_of_a_taken_name_is_refused_before_anything_is_sent(sim: Simulator, client: Client) -> None:
    vapp = vapp_named(client, "sandbox")
    with pytest.raises(Refused, match="has a network acme-net already") as caught:
        client.add_network(vapp.id, VAppNetwork("acme-net", network_urn(client), "bridged"))
    assert caught.value.minor_code == "DUPLICATE_NAME"
    assert sent(sim, "/networkConfigSection/") == 0


def lamp_with_a_network_inside(sim: Simulator, *, wired: int) -> None:
    """Give the template a network that led to one of the provider's, and wire the first VMs of its three to it."""
    lamp = next(one for one in sim.world.templates.values() if one.name == "lamp")
    elsewhere = next(one.id for one in sim.world.networks.values() if one.name == "globex-net")
    scope = IpScope("10.8.0.1", "255.255.255.0", ranges=[IpRange("10.8.0.10", "10.8.0.20")])
    lamp.networks = [SimulatedNetwork("tier-id", "tier", "natRouted", scope, elsewhere)]
    for vm_id in lamp.vm_ids[:wired]:
        nic = sim.world.template_vms[vm_id].nics[0]
        nic.network, nic.mode, nic.is_connected = "tier", "POOL", True


def instantiated_lamp(sim: Simulator, client: Client) -> VApp:
    """Make a vApp of it, with a wish for its first VM alone."""
    template = next(item for item in templates(client) if item.name == "lamp")
    web = NewVm(template.vms[0].id, "web", cards=(Wiring("acme-net"),))
    wish = NewVApp("shop2", "mark", template.id, (web,), VAppNetwork("acme-net", network_urn(client), "bridged"))
    finish(sim, client, client.instantiate(vdc_of(client).id, wish).tasks[0])
    return vapp_named(client, "shop2")


def test_mode_23_networks_inside_a_template_come_along_for_vms_that_stay_wired_to_them(
    sim: Simulator, client: Client, generation: str
) -> None:
    lamp_with_a_network_inside(sim, wired=3)
    made = instantiated_lamp(sim, client)
    networks = {net.name: (net.fence_mode, net.parent_urn, net.gateway) for net in made.networks}
    assert networks["tier"] == ("isolated", None, "10.8.0.1")
    assert networks["acme-net"][:2] == ("bridged", network_urn(client))
    wired = [vm.nics[0].network for vm in made.vms]
    assert wired == ["tier" if generation == "5.5" else "acme-net", "tier", "tier"]


def test_mode_23_a_network_inside_a_template_stays_behind_if_its_vms_are_wired_anew(
    sim: Simulator, client: Client, generation: str
) -> None:
    lamp_with_a_network_inside(sim, wired=1)
    names = [net.name for net in instantiated_lamp(sim, client).networks]
    assert names == (["acme-net", "tier"] if generation == "5.5" else ["acme-net"])
