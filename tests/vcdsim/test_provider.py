"""What stands behind VDCs: edge gateways, the provider VDC, virtual hardware versions."""

import pytest

from tests.vcdsim.talk import BASE, NS, Talk, id_of
from vcdsim import Simulator


@pytest.fixture
def provider(sim: Simulator) -> Talk:
    """The administrator of the system."""
    return Talk(sim, "administrator@System")


def test_the_gateway_of_a_vdc_is_found_by_query_and_has_an_interface_per_network(sim: Simulator, talk: Talk) -> None:
    vdc = f"{BASE}/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    (row,) = talk.get(f"/api/query?type=edgeGateway&filter=vdc=={vdc}").findall("v:EdgeGatewayRecord", NS)
    assert (row.get("numberOfOrgNetworks"), row.get("gatewayStatus")) == ("1", "READY")
    boxes = talk.get(row.get("href") or "").findall(".//v:GatewayInterface", NS)
    kinds = [(box.findtext("v:Name", namespaces=NS), box.findtext("v:InterfaceType", namespaces=NS)) for box in boxes]
    assert kinds == [("acme-net", "internal"), ("external", "uplink")]
    assert boxes[0].findtext("v:SubnetParticipation/v:Gateway", namespaces=NS) == "203.0.113.1"


def test_a_routed_network_names_its_gateway_and_an_isolated_one_has_none(sim: Simulator, talk: Talk) -> None:
    routed, isolated = (
        talk.get(f"/api/network/{id_of(sim, 'networks', name)}").find("v:EdgeGateway", NS)
        for name in ("acme-net", "acme-internal")
    )
    assert isolated is None
    assert routed is not None
    assert talk.get(routed.get("href") or "").get("name") == routed.get("name")


def test_a_gateway_of_another_organization_is_forbidden(sim: Simulator, talk: Talk, provider: Talk) -> None:
    rows = provider.get("/api/query?type=edgeGateway").findall("v:EdgeGatewayRecord", NS)
    answers = {row.get("orgVdcName"): talk.send("GET", row.get("href") or "").status for row in rows}
    assert answers == {"acme-vdc": 200, "globex-vdc": 403}


def test_the_provider_vdc_is_for_the_provider(sim: Simulator, talk: Talk, provider: Talk) -> None:
    (row,) = provider.get("/api/query?type=providerVdc").findall("v:VMWProviderVdcRecord", NS)
    assert int(row.get("cpuUsedMhz") or 0) == sum(world_use(sim))
    document = provider.get(row.get("href") or "")
    names = {one.get("name") for one in document.iterfind("v:Vdcs/v:Vdc", NS)}
    assert {"acme-vdc", "globex-vdc"} <= names
    assert talk.send("GET", row.get("href") or "").status == 403
    assert talk.get("/api/query?type=providerVdc").get("total") == "0"


def world_use(sim: Simulator) -> list[int]:
    return [vm.cpu_count * 1000 for vm in sim.world.vms.values() if vm.power == "on"]


def test_the_cloud_and_its_vdcs_name_the_provider_vdc(sim: Simulator, talk: Talk, provider: Talk) -> None:
    vdc = f"/api/admin/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    for path in ("/api/admin", vdc):
        reference = provider.get(path).find(".//v:ProviderVdcReference", NS)
        assert reference is not None
        assert provider.get(reference.get("href") or "").get("name") == reference.get("name")
        assert talk.get(path).find(".//v:ProviderVdcReference", NS) is None


@pytest.mark.parametrize(("version", "start"), [("30.0", "/api/hwv/"), ("36.0", "/api/vdc/")])
def test_the_hardware_version_of_a_vm_is_described(sim: Simulator, version: str, start: str) -> None:
    talk = Talk(sim, version=version)
    found = talk.get(talk.vm("sandbox")).find("v:VmSpecSection/v:HardwareVersion", NS)
    assert found is not None
    assert (found.get("href") or "").startswith(BASE + start)
    document = talk.get(found.get("href") or "")
    assert document.findtext("v:name", namespaces=NS) == found.text == "vmx-19"
    systems = [one.text for one in document.iterfind(".//v:OperatingSystem/v:InternalName", NS)]
    assert sim.world.vms[id_of(sim, "vms", "sandbox")].os_type in systems


def test_a_vdc_links_to_the_hardware_versions_it_supports_and_to_no_other(sim: Simulator, talk: Talk) -> None:
    vdc = f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    versions = talk.get(vdc).findall(".//v:SupportedHardwareVersion", NS)
    assert [one.get("name") for one in versions if one.get("default") == "true"] == ["vmx-19"]
    assert all(talk.get(one.get("href") or "").findtext("v:name", namespaces=NS) == one.text for one in versions)
    assert talk.send("GET", f"{vdc}/hwv/vmx-99").status == 404


def test_each_interface_of_a_gateway_has_its_address(sim: Simulator, talk: Talk) -> None:
    (record,) = talk.get("/api/query?type=edgeGateway").findall("v:EdgeGatewayRecord", NS)
    boxes = talk.get(record.get("href") or "").iterfind(".//v:GatewayInterface", NS)
    found = {
        box.findtext("v:Name", namespaces=NS): box.findtext("v:SubnetParticipation/v:IpAddress", namespaces=NS)
        for box in boxes
    }
    assert found["acme-net"] == "203.0.113.1"
    assert (found["external"] or "").startswith("192.0.2.")
