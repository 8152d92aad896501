"""Organizations, VDCs, catalogs, templates, networks: what they say and who may read them."""

import pytest
from lxml import etree

from tests.vcdsim.talk import BASE, NS, VCLOUD, Talk, id_of, text
from vcdsim import Simulator
from vcdsim.provider import UPLINK_ID


def named_links(element: etree._Element, kind: str) -> list[str | None]:
    media = f"application/vnd.vmware.vcloud.{kind}+xml"
    return [link.get("name") for link in element.findall("v:Link", NS) if link.get("type") == media]


def test_below_33_an_org_links_each_of_its_parts(sim: Simulator) -> None:
    org = Talk(sim, version="32.0").get(f"/api/org/{id_of(sim, 'orgs', 'acme')}")
    assert named_links(org, "vdc") == ["acme-vdc"]
    assert named_links(org, "catalog") == ["templates"]
    assert named_links(org, "orgNetwork") == ["acme-net", "acme-internal"]


def test_from_33_an_org_has_one_query_link_per_kind(sim: Simulator) -> None:
    talk = Talk(sim, version="33.0")
    org = talk.get(f"/api/org/{id_of(sim, 'orgs', 'acme')}")
    assert named_links(org, "vdc") == []
    queries = [link.get("href") or "" for link in org.findall("v:Link", NS) if "/query?" in (link.get("href") or "")]
    assert ["type=orgVdc&" in queries[0], "catalog" in queries[1], "orgVdcNetwork" in queries[2]] == [True] * 3
    assert [record.get("name") for record in talk.get(queries[0]).findall("v:OrgVdcRecord", NS)] == ["acme-vdc"]


def test_a_tenant_sees_one_org_and_the_provider_all(sim: Simulator, talk: Talk) -> None:
    assert [org.get("name") for org in talk.get("/api/org").findall("v:Org", NS)] == ["acme"]
    provider = Talk(sim, "administrator@System")
    assert len(provider.get("/api/org").findall("v:Org", NS)) == 4


def test_a_vdc_tells_its_limits_and_what_is_used(sim: Simulator, talk: Talk) -> None:
    vdc = talk.get(f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}")
    running = [vm for vm in sim.world.vms.values() if vm.power == "on" and vm.org_id == id_of(sim, "orgs", "acme")]
    assert text(vdc, "v:ComputeCapacity/v:Cpu/v:Limit") == "80000"
    assert text(vdc, "v:ComputeCapacity/v:Cpu/v:Used") == str(sum(vm.cpu_count for vm in running) * 1000)
    assert text(vdc, "v:ComputeCapacity/v:Memory/v:Used") == str(sum(vm.memory_mb for vm in running))
    assert vdc.findall("v:ResourceEntities/v:ResourceEntity", NS)[0].get("name") == "shop"
    assert [one.get("name") for one in vdc.findall("v:AvailableNetworks/v:Network", NS)] == [
        "acme-net",
        "acme-internal",
    ]


def test_a_storage_profile_tells_what_is_used(sim: Simulator, talk: Talk) -> None:
    vdc = talk.get(f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}")
    reference = vdc.find("v:VdcStorageProfiles/v:VdcStorageProfile", NS)
    assert reference is not None
    profile = talk.get(reference.get("href") or "")
    org_id = id_of(sim, "orgs", "acme")
    used = sum(disk.size_mb for vm in sim.world.vms.values() if vm.org_id == org_id for disk in vm.disks)
    assert (text(profile, "v:Limit"), text(profile, "v:StorageUsedMB")) == ("2048000", str(used))


def test_a_template_is_reached_through_catalog_and_item(sim: Simulator, talk: Talk) -> None:
    catalog = talk.get(f"/api/catalog/{id_of(sim, 'catalogs', 'templates')}")
    items = catalog.findall("v:CatalogItems/v:CatalogItem", NS)
    assert [item.get("name") for item in items] == ["debian-12", "ubuntu-24.04", "windows-2022", "lamp", "rescue.iso"]
    entity = talk.get(items[3].get("href") or "").find("v:Entity", NS)
    assert entity is not None
    template = talk.get(entity.get("href") or "")
    assert [vm.get("name") for vm in template.findall("v:Children/v:Vm", NS)] == ["lamp-web", "lamp-app", "lamp-db"]


@pytest.mark.parametrize(("version", "count"), [("5.5", 0), ("5.6", 1), ("36.0", 1)])
def test_hardware_stands_in_a_templates_vm_from_5_6(sim: Simulator, version: str, count: int) -> None:
    talk = Talk(sim, version=version)
    template = talk.get(f"/api/vAppTemplate/vappTemplate-{id_of(sim, 'templates', 'debian-12')}")
    assert len(template.findall("v:Children/v:Vm/ovf:VirtualHardwareSection", NS)) == count


def test_the_ovf_has_the_hardware_in_every_version(sim: Simulator) -> None:
    talk = Talk(sim, version="5.5")
    ovf = talk.get(f"/api/vAppTemplate/vappTemplate-{id_of(sim, 'templates', 'lamp')}/ovf")
    systems = ovf.findall("ovf:VirtualSystemCollection/ovf:VirtualSystem", NS)
    assert len(systems) == 3
    assert all(system.find("ovf:VirtualHardwareSection/ovf:Item", NS) is not None for system in systems)


def test_template_metadata_holds_typed_upper_bounds(sim: Simulator, talk: Talk) -> None:
    address = f"/api/vAppTemplate/vappTemplate-{id_of(sim, 'templates', 'debian-12')}/metadata"
    entries = talk.get(address).findall("v:MetadataEntry", NS)
    values = {text(entry, "v:Key"): text(entry, "v:TypedValue/v:Value") for entry in entries}
    assert values == {"cpu_max": "8", "memory_mb_max": "32768", "disk_gb_max": "200"}
    kind = entries[0].find("v:TypedValue", NS)
    assert kind is not None
    assert kind.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "MetadataNumberValue"
    assert text(talk.get(f"{address}/cpu_max"), "v:TypedValue/v:Value") == "8"


def test_a_network_tells_its_subnet_pool_and_mode(sim: Simulator, talk: Talk) -> None:
    network = talk.get(f"/api/network/{id_of(sim, 'networks', 'acme-net')}")
    scope = "v:Configuration/v:IpScopes/v:IpScope/"
    assert text(network, scope + "v:Gateway") == "203.0.113.1"
    assert text(network, scope + "v:IpRanges/v:IpRange/v:StartAddress") == "203.0.113.10"
    assert text(network, "v:Configuration/v:FenceMode") == "natRouted"


@pytest.mark.parametrize(
    ("path", "entity"),
    [
        ("/api/vApp/vapp-{}", "vapp"),
        ("/api/vApp/vm-{}", "vm"),
        ("/api/task/{}", "task"),
        ("/api/network/{}", "network"),
        ("/api/vdc/{}", "vdc"),
        ("/api/vAppTemplate/vappTemplate-{}", "vapptemplate"),
    ],
)
def test_an_unknown_id_is_forbidden_not_missing(talk: Talk, path: str, entity: str) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    reply = talk.send("GET", path.format(unknown))
    code, message = reply.error
    assert (reply.status, code) == (403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN")
    assert f'No access to entity "com.vmware.vcloud.entity.{entity}:{unknown}"' in message


def test_what_belongs_to_another_org_looks_like_the_unknown(sim: Simulator, talk: Talk) -> None:
    foreign = [
        talk.vm("portal-web"),
        talk.vapp("portal"),
        f"/api/vdc/{id_of(sim, 'vdcs', 'globex-vdc')}",
        f"/api/network/{id_of(sim, 'networks', 'globex-net')}",
        f"/api/org/{id_of(sim, 'orgs', 'globex')}",
    ]
    assert {talk.send("GET", path).status for path in foreign} == {403}
    assert talk.send("POST", f"{foreign[0]}/power/action/powerOff").status == 403


def test_the_public_templates_are_there_for_every_org(sim: Simulator) -> None:
    other = Talk(sim, "globex-admin@globex")
    assert other.get(f"/api/vAppTemplate/vappTemplate-{id_of(sim, 'templates', 'lamp')}").get("name") == "lamp"


def test_content_types_are_lower_case_and_types_inside_are_not(talk: Talk) -> None:
    reply = talk.send("GET", talk.vapp("shop"))
    assert reply.headers["content-type"] == "application/vnd.vmware.vcloud.vapp+xml;version=36.0"
    assert reply.root.get("type") == "application/vnd.vmware.vcloud.vApp+xml"


def test_from_9_rasd_children_are_there_as_nil(sim: Simulator) -> None:
    counts = []
    for version in ("5.6", "9.0"):
        talk = Talk(sim, version=version)
        item = talk.get(talk.vm("wiki")).find("ovf:VirtualHardwareSection/ovf:Item", NS)
        assert item is not None
        counts.append(len(item.findall("rasd:*", NS)))
    assert counts == [9, 25]


@pytest.mark.parametrize("version", ["5.5", "9.0", "30.0", "36.0", "39.1"])
def test_everything_a_document_points_to_down_the_tree_is_there(sim: Simulator, version: str) -> None:
    talk = Talk(sim, version=version)
    todo, seen = ["/api/session"], set[str]()
    (profile_id,) = sim.world.vdcs[id_of(sim, "vdcs", "provider-vdc")].storage_profile_ids
    foreign = (id_of(sim, "orgs", "provider"), id_of(sim, "users", "catalog-admin"), profile_id)
    not_ours = (UPLINK_ID, *foreign)
    while todo:
        path = todo.pop()
        if path in seen or any(part in path for part in not_ours):
            continue
        seen.add(path)
        todo += [address.removeprefix(BASE) for address in _readable(talk.get(path))]
    assert len(seen) > 300


def _readable(document: etree._Element) -> list[str]:
    """Addresses of a document that are meant for GET."""
    found = []
    for element in document.iter("*"):
        address = element.get("href") or element.get(f"{{{VCLOUD}}}href")
        rel = element.get("rel")
        if address and (rel is None or rel in ("up", "down", "ovf", "catalogItem", "nextPage", "lastPage")):
            found.append(address)
    return found
