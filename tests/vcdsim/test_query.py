"""The query service: types, formats, filters in both encodings, order, pages."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from lxml import etree

from tests.vcdsim.talk import BASE, NS, Talk, id_of
from vcdsim import Simulator
from vcdsim.entities import IndependentDisk

TYPES = (
    "vm",
    "adminVM",
    "vApp",
    "vAppTemplate",
    "catalog",
    "catalogItem",
    "media",
    "adminMedia",
    "orgVdc",
    "orgVdcNetwork",
    "edgeGateway",
    "providerVdc",
    "orgVdcStorageProfile",
    "disk",
    "adminDisk",
    "vmDiskRelation",
    "task",
    "organization",
    "adminTask",
    "event",
    "adminVApp",
    "adminOrgVdc",
    "adminCatalog",
    "vAppNetwork",
    "vAppOrgVdcNetworkRelation",
    "adminOrgVdcStorageProfile",
    "role",
    "user",
    "adminUser",
)


def rows(talk: Talk, query: str) -> list[etree._Element]:
    page = talk.get(f"/api/query?{query}")
    return [row for row in page.iterchildren("*") if not str(row.tag).endswith("}Link")]


def names(talk: Talk, query: str) -> list[str | None]:
    return [row.get("name") for row in rows(talk, query)]


@pytest.fixture(scope="module")
def small() -> Talk:
    """300 VMs."""
    return Talk(Simulator("small", manual_clock=True))


def test_without_a_type_all_types_are_listed_once_per_format(talk: Talk) -> None:
    links = talk.get("/api/query").findall("v:Link", NS)
    found = {(link.get("name"), (link.get("type") or "").split(".")[-1]) for link in links}
    assert {name for name, _ in found} == {*TYPES, "group"}
    assert ("vm", "idrecords+xml") in found
    assert all("?" in (link.get("href") or "") for link in links)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("version", ["5.5", "36.0"])
def test_every_type_answers_records(sim: Simulator, name: str, version: str) -> None:
    talk = Talk(sim, "administrator@System", version=version)
    talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    vm = next(iter(sim.world.vms.values()))
    disk = IndependentDisk(
        "disk", "data", vm.vdc_id, vm.org_id, next(iter(sim.world.users)), 0, 1, vm.storage_profile_id
    )
    sim.world.disks[disk.id] = replace(disk, vm_id=vm.id)
    found = rows(talk, f"type={name}")
    assert found
    assert all((row.get("href") or "").startswith(BASE) for row in found)


def test_a_vm_record_says_what_the_document_says(talk: Talk) -> None:
    (row,) = rows(talk, "type=vm&filter=name==shop-db")
    facts = ("status", "isDeployed", "numberOfCpus", "memoryMB", "networkName", "containerName", "isVAppTemplate")
    assert [row.get(key) for key in facts] == ["POWERED_ON", "true", "4", "8192", "acme-net", "shop", "false"]
    assert row.get("ipAddress") == "192.168.1.4"
    assert row.get("container") == f"{BASE}{talk.vapp('shop')}"


@pytest.mark.parametrize(
    ("version", "absent", "present"),
    [
        ("5.5", "ipAddress", "guestOs"),
        ("5.7", "gcStatus", "ipAddress"),
        ("33.0", "totalStorageAllocatedMb", "vappScopedLocalId"),
    ],
)
def test_attributes_appear_with_their_version(sim: Simulator, version: str, absent: str, present: str) -> None:
    (row,) = rows(Talk(sim, version=version), "type=vm&filter=name==shop-db")
    assert row.get(absent) is None
    assert row.get(present) is not None


def test_a_tenant_finds_its_own_vms_and_those_of_public_templates(talk: Talk) -> None:
    found = names(talk, "type=vm&pageSize=128")
    assert "shop-db" in found
    assert "lamp-db" in found
    assert "portal-web" not in found
    assert len(names(talk, "type=vm&pageSize=128&filter=isVAppTemplate==false")) == 12


def test_the_provider_finds_the_vms_of_all_orgs(sim: Simulator) -> None:
    provider = Talk(sim, "administrator@System")
    found = {row.get("name"): row.get("org") for row in rows(provider, "type=adminVM&filter=isVAppTemplate==false")}
    assert len(found) == 14
    assert found["portal-web"] == f"{BASE}/api/org/{id_of(sim, 'orgs', 'globex')}"


def test_idrecords_have_urns_where_records_have_hrefs(talk: Talk) -> None:
    (row,) = rows(talk, "type=vm&format=idrecords&filter=name==wiki")
    assert (row.get("id") or "").startswith("urn:vcloud:vm:")
    assert (row.get("vdc") or "").startswith("urn:vcloud:vdc:")
    assert row.get("href") is None


def test_references_have_name_and_href_only(talk: Talk) -> None:
    (row,) = rows(talk, "type=vApp&format=references&filter=name==shop")
    assert etree.QName(row).localname == "VAppReference"
    assert (row.get("name"), row.get("href")) == ("shop", f"{BASE}{talk.vapp('shop')}")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name==SHOP-DB", ["shop-db"]),
        ("name==shop-*", ["shop-web-1", "shop-web-2", "shop-db"]),
        ("name==*web*", ["shop-web-1", "shop-web-2", "lamp-web"]),
        ("name!=wiki;containerName==intranet", ["mail"]),
        ("status==SUSPENDED", ["legacy-erp"]),
        ("name==wiki,name==mail", ["wiki", "mail"]),
        ("(name==wiki,name==mail);status==POWERED_ON", ["wiki"]),
        ("name==wiki,containerName==shop;name==*db,name==mail", ["shop-db", "wiki", "mail"]),
        ("memoryMB=gt=4096;numberOfCpus=lt=4;isVAppTemplate==false", ["accounting"]),
        ("memoryMB=ge=8192;memoryMB=le=8192;isDeployed==false", ["accounting", "ci-runner-2"]),
    ],
)
def test_filters(talk: Talk, condition: str, expected: list[str]) -> None:
    assert names(talk, f"type=vm&filter={condition}") == expected


def test_a_reference_is_filtered_by_href_urn_or_another_hosts_href(sim: Simulator, talk: Talk) -> None:
    vdc_id = id_of(sim, "vdcs", "acme-vdc")
    for value in (f"{BASE}/api/vdc/{vdc_id}", f"urn:vcloud:vdc:{vdc_id}", f"https://other/api/vdc/{vdc_id}"):
        assert len(names(talk, f"type=vApp&filter=vdc=={quote(value, safe='')}")) == 8
    other = id_of(sim, "vdcs", "globex-vdc")
    assert names(talk, f"type=vApp&filter=vdc=={BASE}/api/vdc/{other}") == []


def test_dates_are_compared_as_moments(sim: Simulator, talk: Talk) -> None:
    sim.world.vapps[talk.vapp("shop").rpartition("vapp-")[2]].created_at = 1.0
    assert names(talk, "type=vApp&filter=creationDate=lt=1970-01-02T00:00:00.000Z") == ["shop"]


def test_a_moment_that_was_read_is_found_again(sim: Simulator, talk: Talk) -> None:
    sim.world.vapps[talk.vapp("shop").rpartition("vapp-")[2]].created_at = 86400.1239
    (row,) = rows(talk, "type=vApp&filter=name==shop")
    assert row.get("creationDate") == "1970-01-02T00:00:00.123Z"
    for comparison in ("==", "=le=", "=ge="):
        assert "shop" in names(talk, f"type=vApp&filter=creationDate{comparison}{row.get('creationDate')}")
    assert names(talk, f"type=vApp&filter=creationDate=lt={row.get('creationDate')}") == []
    assert names(talk, "type=vApp&filter=creationDate==1970*Z") == ["shop"]


def test_a_name_comes_back_as_it_is(sim: Simulator, talk: Talk) -> None:
    name = "<\"a'&\n\r\tb> \N{SNOWMAN}"
    sim.world.vms[talk.vm("wiki").rpartition("vm-")[2]].name = name
    assert name in names(talk, "type=vm&pageSize=128")


AWKWARD = "a,b;c(d) & 100%"


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("34.0", "filterEncoded=true&filter=name==" + quote(quote(AWKWARD))),
        ("35.0", "filter=name==" + quote(re.sub(r"([,;()])", r"\\\1", AWKWARD))),
        ("39.1", "filterEncoded=true&filter=name==" + quote(re.sub(r"([,;()])", r"\\\1", AWKWARD))),
    ],
)
def test_awkward_names_are_found_in_the_encoding_of_each_version(sim: Simulator, version: str, query: str) -> None:
    talk = Talk(sim, version=version)
    sim.world.vms[talk.vm("wiki").rpartition("vm-")[2]].name = AWKWARD
    assert names(talk, f"type=vm&{query}") == [AWKWARD]


def test_a_filter_full_of_stars_is_answered_at_once(sim: Simulator, talk: Talk) -> None:
    sim.world.vms[talk.vm("wiki").rpartition("vm-")[2]].name = "a" * 128
    assert names(talk, "type=vm&filter=name==" + "*a" * 60 + "*b") == []
    assert names(talk, "type=vm&filter=name==" + "*a" * 60 + "*") == ["a" * 128]


@pytest.mark.parametrize("condition", ["nothing==1", "name=1", "(name==a", "name==a)", "name==a;", "==a", "(" * 99])
def test_a_filter_that_cannot_be_read_is_refused(talk: Talk, condition: str) -> None:
    assert talk.send("GET", f"/api/query?type=vm&filter={condition}").status == 400


@pytest.mark.parametrize("query", ["type=VM", "type=vm&format=csv", "type=vm&page=0", "type=vm&pageSize=x"])
def test_a_query_that_makes_no_sense_is_refused(talk: Talk, query: str) -> None:
    assert talk.send("GET", f"/api/query?{query}").status == 400


def test_order_up_and_down(talk: Talk) -> None:
    up = names(talk, "type=vApp&sortAsc=name")
    assert up == sorted(up, key=str)
    assert names(talk, "type=vApp&sortDesc=name") == up[::-1]


def test_rows_without_a_value_come_last(sim: Simulator, talk: Talk) -> None:
    for vm in list(sim.world.vms.values())[::2]:
        vm.nics = []
    up = [row.get("ipAddress") for row in rows(talk, "type=vm&sortAsc=ipAddress&filter=isVAppTemplate==false")]
    assert up == sorted(one for one in up if one) + [None] * 6
    down = [row.get("ipAddress") for row in rows(talk, "type=vm&sortDesc=ipAddress&filter=isVAppTemplate==false")]
    assert down == up[::-1]


def test_only_the_wanted_fields_are_answered(talk: Talk) -> None:
    (row,) = rows(talk, "type=vm&fields=name,status&filter=name==wiki")
    assert set(row.keys()) == {"name", "status", "href"}


def test_a_page_has_25_rows_unless_asked_otherwise(small: Talk) -> None:
    page = small.get("/api/query?type=vm")
    assert (page.get("pageSize"), page.get("page"), page.get("total")) == ("25", "1", "306")
    assert len(page.findall("v:VMRecord", NS)) == 25


def test_a_larger_page_than_128_gives_128_without_an_error(small: Talk) -> None:
    page = small.get("/api/query?type=vm&pageSize=1000")
    assert page.get("pageSize") == "128"
    assert len(page.findall("v:VMRecord", NS)) == 128


def test_following_next_page_finds_every_row_once(small: Talk) -> None:
    address: str | None = "/api/query?type=vm&pageSize=128&filter=isVAppTemplate==false"
    found: list[str | None] = []
    pages = 0
    while address:
        page = small.get(address)
        pages += 1
        found += [row.get("href") for row in page.findall("v:VMRecord", NS)]
        address = next((one.get("href") for one in page.findall("v:Link", NS) if one.get("rel") == "nextPage"), None)
    assert (pages, len(found), len(set(found))) == (3, 300, 300)


def test_an_offset_counts_rows(small: Talk) -> None:
    by_page = names(small, "type=vm&page=3&pageSize=10")
    assert names(small, "type=vm&offset=20&pageSize=10") == by_page


def test_the_packaged_queries_answer_the_same(talk: Talk) -> None:
    page = talk.get("/api/vms/query?filter=name==wiki")
    assert [row.get("name") for row in page.findall("v:VMRecord", NS)] == ["wiki"]


def test_a_record_names_the_last_task_of_its_vm(sim: Simulator, talk: Talk) -> None:
    talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    (row,) = rows(talk, "type=vm&filter=name==sandbox")
    assert (row.get("taskStatusName"), row.get("taskStatus")) == ("vappDeploy", "success")


def test_tasks_are_found_by_the_name_of_their_object(sim: Simulator, talk: Talk) -> None:
    talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    (row,) = rows(talk, "type=task&filter=objectName==sandbox;objectType==vm")
    assert (row.get("name"), row.get("status")) == ("vappDeploy", "success")
    assert row.get("object") == f"{BASE}{talk.vm('sandbox')}"


def test_a_network_of_a_vapp_is_found_with_its_vapp(talk: Talk) -> None:
    rows = talk.get("/api/query?type=vAppNetwork&filter=vAppName==shop").findall("v:VAppNetworkRecord", NS)
    assert [(row.get("name"), row.get("vAppName")) for row in rows] == [("acme-net", "shop")]
    assert (rows[0].get("vApp") or "").endswith(talk.vapp("shop"))


def test_the_vapps_on_a_network_of_the_organization_are_found(sim: Simulator, talk: Talk) -> None:
    filtered = f"filter=orgVdcNetwork==urn:vcloud:network:{id_of(sim, 'networks', 'acme-internal')}"
    page = talk.get(f"/api/query?type=vAppOrgVdcNetworkRelation&{filtered}")
    rows = page.findall("v:VAppOrgVdcNetworkRelationRecord", NS)
    assert {row.get("name") for row in rows} == {"intranet", "build"}
    assert {row.get("orgVdcNetworkName") for row in rows} == {"acme-internal"}


def test_roles_are_a_query_type_and_there_are_no_groups(talk: Talk) -> None:
    names = [row.get("name") for row in talk.get("/api/query?type=role").findall("v:RoleRecord", NS)]
    assert ("vApp User" in names, "System Administrator" in names) == (True, False)
    assert talk.get("/api/query?type=group").get("total") == "0"


def test_the_provider_reads_the_storage_of_all_organizations(sim: Simulator) -> None:
    page = Talk(sim, "administrator@System").get("/api/query?type=adminOrgVdcStorageProfile&pageSize=128")
    rows = page.findall("v:AdminOrgVdcStorageProfileRecord", NS)
    assert {row.get("vdcName") for row in rows} >= {"acme-vdc", "globex-vdc"}
    orgs = {(row.get("org") or "").rpartition("/")[2] for row in rows}
    assert orgs >= {id_of(sim, "orgs", "acme"), id_of(sim, "orgs", "globex")}


def test_an_attribute_that_does_not_exist_cannot_be_asked_for(talk: Talk) -> None:
    reply = talk.send("GET", "/api/query?type=vm&fields=name,bogus")
    assert (reply.status, "'bogus'" in reply.error[1]) == (400, True)
    assert talk.get("/api/query?type=vm&fields=name,metadata:tier").get("total") != "0"


def test_a_page_after_the_last_leads_back_to_the_last(talk: Talk) -> None:
    page = talk.get("/api/query?type=vApp&page=99")
    (back,) = [link.get("href") or "" for link in page.findall("v:Link", NS) if link.get("rel") == "previousPage"]
    assert back.endswith("page=1")
    assert not page.findall("v:VAppRecord", NS)
