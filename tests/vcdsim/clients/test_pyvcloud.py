"""Unmodified pyvcloud against the simulator over HTTP, through its own classes."""

import json
from collections.abc import Iterator

import pytest

from tests.support.pyvcloud import run_pyvcloud
from vcdsim import Simulator

#: Negotiated, and the three versions pyvcloud is known to work with when told.
VERSIONS = ["", "32.0", "36.0", "39.1"]

LOOK = """
vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
vms = {}
for entry in vdc.list_resources(EntityType.VAPP):
    vapp = VApp(client, resource=vdc.get_vapp(entry["name"]))
    for resource in vapp.get_all_vms():
        vm = VM(client, resource=resource)
        vms[resource.get("name")] = [VCLOUD_STATUS_MAP[vm.get_power_state()], vm.get_memory()]
print(json.dumps({
    "version": client.get_api_version(),
    "templates": [item["name"] for item in org.list_catalog_items("templates")],
    "vms": vms,
    "records": len(list(client.get_typed_query(
        "vm", query_result_format=QueryResultFormat.RECORDS, qfilter="isVAppTemplate==false").execute())),
}))
client.logout()
"""

LIVE = """
monitor = client.get_task_monitor()
wait = lambda task: monitor.wait_for_success(task, poll_frequency=0.05)
vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
made = vdc.instantiate_vapp("made", "templates", "debian-12", network="acme-net", vm_name="made-1",
                            hostname="made-1", password="S3cret-one", cpu=2, memory=2048, power_on=False, deploy=False)
wait(made.Tasks.Task[0])
def vm():
    vapp = VApp(client, resource=vdc.get_vapp("made"))
    return VM(client, resource=vapp.get_vm("made-1"))
story = []
wait(vm().power_on()); story.append(vm().get_power_state())
wait(vm().shutdown()); story.append(vm().get_power_state())
wait(vm().undeploy()); story.append(vm().get_power_state())
wait(vm().modify_cpu(4)); wait(vm().modify_memory(4096)); story.append([vm().get_cpus()["num_cpus"], vm().get_memory()])
vapp = VApp(client, resource=vdc.get_vapp("made"))
wait(vapp.add_disk_to_vm("made-1", 5120))
wait(vm().snapshot_create(memory=False, quiesce=False)); wait(vm().snapshot_remove_all())
wait(vdc.delete_vapp("made"))
print(json.dumps(story))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The demo world over HTTP, brisk."""
    with Simulator("demo", speed=600).serve() as url:
        yield url


@pytest.mark.parametrize("version", VERSIONS)
def test_pyvcloud_lists_templates_and_vms_with_their_status(url: str, version: str) -> None:
    seen = json.loads(run_pyvcloud(LOOK, url, api_version=version))
    assert seen["version"] == (version or "36.0")
    assert seen["templates"] == ["debian-12", "ubuntu-24.04", "windows-2022", "lamp"]
    assert len(seen["vms"]) == seen["records"] == 12
    assert seen["vms"]["shop-db"] == ["Powered on", 8192]
    assert seen["vms"]["grafana"] == ["Powered off", 2048]
    assert seen["vms"]["legacy-erp"] == ["Suspended", 4096]


@pytest.mark.parametrize("version", VERSIONS)
def test_pyvcloud_leads_a_vm_through_its_life(url: str, version: str) -> None:
    assert json.loads(run_pyvcloud(LIVE, url, api_version=version)) == [4, 8, 8, [4, 4096]]
