"""Unmodified pyvcloud against the simulator over HTTP, through its own classes."""

import json
from pathlib import Path

import pytest

from tests.support.clients import python_with, run
from tests.support.pyvcloud import PYVCLOUD, run_pyvcloud

#: Negotiated, and the three versions pyvcloud is known to work with when told.
VERSIONS = ["", "32.0", "36.0", "39.1"]
ON, OFF, SUSPENDED = 4, 8, 3

LOOK = """
vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
vms = {}
for entry in vdc.list_resources(EntityType.VAPP):
    for resource in VApp(client, resource=vdc.get_vapp(entry["name"])).get_all_vms():
        vm = VM(client, resource=resource)
        vms[resource.get("name")] = [VCLOUD_STATUS_MAP[vm.get_power_state()], vm.get_memory()]
print(json.dumps(vms))
"""


def test_pyvcloud_reads_the_state_of_each_vm(vcloud: str) -> None:
    vms = json.loads(run_pyvcloud(LOOK, vcloud))
    assert len(vms) == 12
    assert vms["shop-db"] == ["Powered on", 8192]
    assert vms["grafana"] == ["Powered off", 2048]
    assert vms["legacy-erp"] == ["Suspended", 4096]


@pytest.mark.parametrize("version", VERSIONS)
def test_pyvcloud_leads_a_vm_through_its_life(vcloud: str, version: str) -> None:
    script = Path(__file__).with_name("pyvcloud_life.py")
    seen = json.loads(run([python_with(PYVCLOUD), script, vcloud, *([version] if version else [])]))
    assert seen["version"] == (version or "36.0")
    assert seen["listed"] == {
        "orgs": ["acme"],
        "vdcs": ["acme-vdc"],
        "templates": ["debian-12", "ubuntu-24.04", "windows-2022", "lamp", "rescue.iso"],  # catalog items, media too
        "networks": ["acme-net", "acme-internal"],
        "vapps": 8,
        "vms": 12,
    }
    assert seen["made"] == ["one", "two"]
    assert seen["hardware"] == {"cpus": 4, "memory_mb": 4096, "disks": 2}
    assert seen["data"] == {"attached": "one", "note": "kept", "disks_left": 0}
    assert seen["network"] == {"address": "192.168.9.10", "cards_then": 1}
    assert seen["power"] == [ON, ON, ON, SUSPENDED, ON, OFF, OFF, ON, OFF]
    assert seen["ticket"] == ["Host", "Port", "Ticket"]
    assert seen["described"] == "lived"
    assert seen["left"] == {"after one is deleted": ["one"], "after all": 8}
