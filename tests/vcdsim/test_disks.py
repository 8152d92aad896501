"""Independent disks: their own life, and that with a VM."""

from __future__ import annotations

import pytest

from tests.vcdsim.talk import BASE, NS, VCLOUD, Reply, Talk, id_of, rels
from vcdsim import Simulator
from vcdsim.entities import IndependentDisk

GB = 1024


def create(talk: Talk, name: str = "data", size: str = f'sizeMb="{GB}"', inside: str = "") -> Reply:
    body = f'<DiskCreateParams xmlns="{VCLOUD}"><Disk name="{name}" {size}>{inside}</Disk></DiskCreateParams>'
    return talk.send("POST", f"/api/vdc/{id_of(talk.sim, 'vdcs', 'acme-vdc')}/disk", body)


def made(talk: Talk, name: str = "data") -> str:
    """Path of a new disk that is ready."""
    reply = create(talk, name)
    assert reply.status == 201, reply
    talk.sim.settle()
    return reply.headers["location"].removeprefix(BASE)


def move(talk: Talk, verb: str, vm: str, disk: str, inside: str = "") -> Reply:
    body = f'<DiskAttachOrDetachParams xmlns="{VCLOUD}"><Disk href="{BASE}{disk}"/>{inside}</DiskAttachOrDetachParams>'
    reply = talk.send("POST", f"{talk.vm(vm)}/disk/action/{verb}", body)
    talk.sim.settle()
    return reply


def record(talk: Talk) -> IndependentDisk:
    (disk,) = talk.sim.world.disks.values()
    return disk


def test_a_disk_is_made_with_a_task(talk: Talk) -> None:
    reply = create(talk, inside="<Description>for data</Description>")
    task = reply.root.find("v:Tasks/v:Task", NS)
    assert task is not None
    assert (reply.status, reply.root.get("status"), task.get("operationName")) == (201, "0", "vdcCreateDisk")
    talk.sim.settle()
    disk = talk.get(reply.headers["location"])
    assert (disk.get("status"), disk.get("sizeMb"), disk.findtext("v:Description", namespaces=NS)) == (
        "1",
        "1024",
        "for data",
    )


def test_below_33_the_size_is_in_bytes(sim: Simulator) -> None:
    talk = Talk(sim, version="32.0")
    reply = create(talk, size=f'size="{GB * 2**20}"')
    assert (reply.status, reply.root.get("size"), reply.root.get("sizeMb")) == (201, str(GB * 2**20), None)
    assert create(talk, "other", size='sizeMb="1"').status == 400


def test_a_vdc_lists_its_disks(talk: Talk) -> None:
    made(talk)
    vdc = talk.get(f"/api/vdc/{id_of(talk.sim, 'vdcs', 'acme-vdc')}")
    assert "data" in [one.get("name") for one in vdc.findall("v:ResourceEntities/v:ResourceEntity", NS)]


def test_a_disk_only_grows(talk: Talk) -> None:
    path = made(talk)
    body = f'<Disk xmlns="{VCLOUD}" name="data" sizeMb="%d"/>'
    assert talk.send("PUT", path, body % 512).status == 400
    assert talk.do("PUT", path, body % 2048) == "success"
    assert talk.get(path).get("sizeMb") == "2048"


def test_a_disk_counts_against_the_storage_limit(talk: Talk) -> None:
    assert "storage quota" in create(talk, size='sizeMb="3000000"').error[1]


def test_an_attached_disk_is_among_those_of_the_vm(talk: Talk) -> None:
    path = made(talk)
    assert move(talk, "attach", "sandbox", path).status == 202
    items = talk.get(f"{talk.vm('sandbox')}/virtualHardwareSection/disks")
    hosts = [one.get(f"{{{VCLOUD}}}disk") for one in items.iter(f"{{{NS['rasd']}}}HostResource")]
    assert hosts == [None, BASE + path]


def test_an_attached_disk_names_its_vm_and_may_not_be_changed(talk: Talk) -> None:
    path = made(talk)
    move(talk, "attach", "sandbox", path)
    (vm,) = talk.get(f"{path}/attachedVms").findall("v:VmReference", NS)
    assert vm.get("name") == "sandbox"
    assert not {"remove", "edit"} & rels(talk.get(path))
    assert talk.send("DELETE", path).status == 400
    assert move(talk, "attach", "ci-runner-2", path).status == 400


def test_a_vm_with_an_attached_disk_is_not_deleted(talk: Talk) -> None:
    path = made(talk)
    move(talk, "attach", "sandbox", path)
    assert talk.send("DELETE", talk.vm("sandbox")).status == 400
    assert talk.send("DELETE", talk.vapp("sandbox")).status == 400
    move(talk, "detach", "sandbox", path)
    assert talk.do("DELETE", talk.vm("sandbox")) == "success"
    assert talk.do("DELETE", path) == "success"
    assert talk.send("GET", path).status == 403


def test_a_disk_survives_a_list_of_disks_without_it(talk: Talk) -> None:
    path = made(talk)
    before = talk.send("GET", f"{talk.vm('sandbox')}/virtualHardwareSection/disks").body
    move(talk, "attach", "sandbox", path)
    assert talk.do("PUT", f"{talk.vm('sandbox')}/virtualHardwareSection/disks", before) == "success"
    assert record(talk).vm_id is not None
    items = talk.get(f"{talk.vm('sandbox')}/virtualHardwareSection/disks")
    assert len(list(items.iter(f"{{{NS['rasd']}}}HostResource"))) == 2


@pytest.mark.parametrize(
    "place", ["<BusNumber>0</BusNumber><UnitNumber>0</UnitNumber>", "<UnitNumber>900</UnitNumber>"]
)
def test_a_place_in_use_or_out_of_range_is_refused(talk: Talk, place: str) -> None:
    assert move(talk, "attach", "sandbox", made(talk), place).error[0] == "VIM_INVALID_DISK_PARAMETERS"


def test_detaching_what_is_not_attached_is_refused(talk: Talk) -> None:
    assert move(talk, "detach", "sandbox", made(talk)).status == 400


def test_disks_and_what_they_are_attached_to_are_found_by_queries(talk: Talk) -> None:
    path = made(talk)
    made(talk, "spare")
    move(talk, "attach", "sandbox", path)
    disks = talk.get("/api/query?type=disk&filter=isAttached==true").findall("v:DiskRecord", NS)
    assert [(one.get("name"), one.get("sizeMb")) for one in disks] == [("data", "1024")]
    (relation,) = talk.get("/api/query?type=vmDiskRelation").findall("v:VmDiskRelationRecord", NS)
    assert (relation.get("disk"), relation.get("vm")) == (BASE + path, BASE + talk.vm("sandbox"))


def test_a_foreign_disk_is_forbidden(sim: Simulator, talk: Talk) -> None:
    assert Talk(sim, "globex-admin@globex").send("GET", made(talk)).status == 403
