"""Media: found in the catalog, inserted into the drive of a VM and ejected, deleted when in no drive."""

from tests.vcdsim.talk import BASE, NS, VCLOUD, Talk, id_of
from vcdsim import Simulator


def iso(talk: Talk) -> str:
    return f"/api/media/{id_of(talk.sim, 'media', 'rescue.iso')}"


def naming(talk: Talk) -> str:
    reference = f'<Media href="{BASE}{iso(talk)}"/>'
    return f'<MediaInsertOrEjectParams xmlns="{VCLOUD}">{reference}</MediaInsertOrEjectParams>'


def insert(talk: Talk, vm: str = "sandbox") -> str:
    return talk.do("POST", f"{talk.vm(vm)}/media/action/insertMedia", naming(talk))


def drive(talk: Talk, vm: str = "sandbox") -> str:
    (item,) = talk.get(f"{talk.vm(vm)}/virtualHardwareSection/media").findall("v:Item", NS)
    return item.findtext("rasd:HostResource", namespaces=NS) or ""


def test_a_medium_is_found_through_its_catalog(talk: Talk) -> None:
    (row,) = talk.get("/api/query?type=media&filter=name==rescue*").findall("v:MediaRecord", NS)
    assert (row.get("storageB"), row.get("catalogName")) == (str(700 * 2**20), "templates")
    entity = talk.get(row.get("catalogItem") or "").find("v:Entity", NS)
    assert entity is not None
    assert entity.get("href") == row.get("href") == f"{BASE}{iso(talk)}"
    assert talk.get(iso(talk)).get("size") == str(700 * 2**20)
    names = {one.get("name") for one in talk.get(row.get("catalog") or "").iterfind(".//v:CatalogItem", NS)}
    assert "rescue.iso" in names


def test_catalog_items_say_what_they_stand_for(talk: Talk) -> None:
    rows = talk.get("/api/query?type=catalogItem").findall("v:CatalogItemRecord", NS)
    assert {"media", "vapptemplate"} == {row.get("entityType") for row in rows}


def test_a_medium_is_inserted_and_ejected(talk: Talk) -> None:
    assert drive(talk) == ""
    assert insert(talk) == "success"
    assert drive(talk) == "rescue.iso"
    assert talk.do("POST", f"{talk.vm('sandbox')}/media/action/ejectMedia", naming(talk)) == "success"
    assert drive(talk) == ""


def test_a_drive_shows_in_the_hardware_and_stays_when_that_is_sent_back(talk: Talk) -> None:
    insert(talk)
    path = f"{talk.vm('sandbox')}/virtualHardwareSection"
    assert talk.do("PUT", path, talk.send("GET", path).body) == "success"
    assert drive(talk) == "rescue.iso"


def test_insert_waits_its_turn(sim: Simulator, talk: Talk) -> None:
    talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    reply = talk.send("POST", f"{talk.vm('sandbox')}/media/action/insertMedia", naming(talk))
    assert reply.error[0] == "BUSY_ENTITY"


def test_a_medium_that_is_not_inserted_is_not_ejected(talk: Talk) -> None:
    reply = talk.send("POST", f"{talk.vm('sandbox')}/media/action/ejectMedia", naming(talk))
    assert "is not inserted" in reply.error[1]


def test_an_unknown_medium_is_forbidden(talk: Talk) -> None:
    unknown = naming(talk).replace(id_of(talk.sim, "media", "rescue.iso"), "00000000-0000-0000-0000-000000000000")
    reply = talk.send("POST", f"{talk.vm('sandbox')}/media/action/insertMedia", unknown)
    assert (reply.status, "entity.media:" in reply.error[1]) == (403, True)


def test_a_medium_goes_out_of_the_drive_of_a_deleted_vm(sim: Simulator, talk: Talk) -> None:
    insert(talk)
    talk.do("DELETE", talk.vm("sandbox"))
    assert sim.world.media[id_of(sim, "media", "rescue.iso")].vm_ids == []


def test_only_its_organization_deletes_a_medium_and_only_out_of_every_drive(sim: Simulator, talk: Talk) -> None:
    insert(talk)
    provider = Talk(sim, "catalog-admin@provider")
    path = iso(talk)
    assert talk.send("DELETE", path).status == 403
    assert "is inserted in sandbox" in provider.send("DELETE", path).error[1]
    talk.do("POST", f"{talk.vm('sandbox')}/media/action/ejectMedia", naming(talk))
    assert provider.do("DELETE", path) == "success"
    assert provider.send("GET", path).status == 403
