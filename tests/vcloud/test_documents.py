"""Documents of three generations of vCloud Director to values, by namespace and never by prefix."""

import re
from datetime import UTC, datetime

import pytest

from app.vcloud import Snapshot, TaskStatus, TemplateLimits, Unavailable, VmStatus
from tests.vcloud.support import TASK, TEMPLATE_VM, VAPP, VDC, VM, VM_36, Vcd, error_body, fixture, records, templates

STORAGE_ROW = (
    '<OrgVdcStorageProfileRecord name="*" isEnabled="true" isDefaultStorageProfile="true" storageUsedMB="20480"'
    ' storageLimitMB="{limit}" href="https://vcd.example/api/vdcStorageProfile/22222222-0000-4000-8000-0000000000cc"/>'
)


def path(urn: str) -> str:
    kind, uuid = urn.split(":")[2:]
    return {"vm": "/vApp/vm-", "vapp": "/vApp/vapp-", "vdc": "/vdc/", "task": "/task/"}[kind] + uuid


def test_a_vm_of_5_5_is_read_whole(vcd: Vcd) -> None:
    vcd.answer("GET", path(VM), fixture("vm-5.5"))
    vm = vcd.client().vm(VM)
    assert (vm.id, vm.name, vm.description) == (VM, "web1", "front end")
    assert (vm.status, vm.deployed) == (VmStatus.POWERED_ON, True)
    assert (vm.cpu_count, vm.cores_per_socket, vm.memory_mb) == (4, 2, 2048)
    assert [(disk.instance_id, disk.size_mb, disk.bus_type) for disk in vm.disks] == [
        ("2000", 20480, 6),
        ("2001", 10240, 6),
    ]
    assert [(nic.network, nic.mode, nic.ip, nic.external_ip, nic.primary) for nic in vm.nics] == [
        ("acme-net", "POOL", "10.0.0.9", "203.0.113.7", True)
    ]
    assert vm.guest_os == "CentOS 4/5/6 (64-bit)"
    assert (vm.customization.enabled, vm.customization.computer_name) == (True, "web1")
    assert (vm.cpu_hot_add, vm.memory_hot_add, vm.snapshot) == (False, True, None)
    assert vm.vapp_id == "urn:vcloud:vapp:11111111-0000-4000-8000-0000000000aa"
    assert vm.storage_profile
    assert vm.storage_profile.name == "Gold"
    assert {"power:powerOff", "screen:acquireMksTicket"} <= vm.links


def test_a_vm_of_36_is_read_whole_in_spite_of_nil_elements_and_other_prefixes(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", path(VM_36), fixture("vm-36"))
    vm = vcd_39.client().vm(VM_36)
    assert (vm.status, vm.deployed, vm.description) == (VmStatus.POWERED_OFF, False, "")
    assert (vm.cpu_count, vm.cores_per_socket, vm.memory_mb) == (2, 1, 4096)
    assert [(disk.instance_id, disk.size_mb, disk.independent) for disk in vm.disks] == [
        ("2000", 40960, False),
        ("2016", 10240, True),
    ]
    assert vm.disks[0].storage_profile_id == "urn:vcloud:vdcstorageprofile:22222222-0000-4000-8000-0000000000cc"
    assert [(nic.index, nic.network, nic.ip, nic.primary) for nic in vm.nics] == [
        (0, None, None, False),
        (1, "lab", None, True),
    ]
    assert vm.snapshot == Snapshot(datetime(2026, 4, 16, 7, 36, 59, 459000, tzinfo=UTC), 4096, powered_on=False)
    assert vm.created_at == datetime(2026, 4, 16, 7, 13, 25, 431000, tzinfo=UTC)


def test_prefixes_do_not_matter(vcd: Vcd) -> None:
    document = (
        fixture("vm-5.5").replace("rasd:", "q7:").replace("xmlns:rasd", "xmlns:q7").replace("xmlns:q7", "xmlns:q7")
    )
    document = document.replace(
        'xmlns="http://www.vmware.com/vcloud/v1.5"', 'xmlns:v="http://www.vmware.com/vcloud/v1.5"', 1
    )
    document = re.sub(r"<(/?)([A-Z])", r"<\1v:\2", document)
    vcd.answer("GET", path(VM), document)
    assert vcd.client().vm(VM).disks[1].size_mb == 10240
    assert vcd.client().vm(VM).cpu_count == 4


def test_the_same_names_in_another_namespace_are_not_understood(vcd: Vcd) -> None:
    vcd.answer("GET", path(VM), fixture("vm-5.5").replace("/vcloud/v1.5", "/vcloud/v9"))
    with pytest.raises(Unavailable, match="expected Vm"):
        vcd.client().vm(VM)


def test_a_vapp_being_created_has_a_task_and_no_vms(vcd: Vcd) -> None:
    vapp_urn = "urn:vcloud:vapp:11111111-0000-4000-8000-0000000000aa"
    vcd.answer("GET", path(vapp_urn), fixture("vapp-created-5.5"))
    vapp = vcd.client().vapp(vapp_urn)
    assert (vapp.status, vapp.deployed, vapp.description) == (VmStatus.UNRESOLVED, False, "skiff op-42")
    assert (vapp.vms, vapp.owner_name) == ((), "acme-admin")
    assert vapp.tasks[0].status is TaskStatus.RUNNING
    assert vapp.tasks[0].progress == 1


def test_a_vapp_has_its_networks_and_its_vms_know_it(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", path(VAPP), fixture("vapp-36"))
    vapp = vcd_39.client().vapp(VAPP)
    assert [vm.vapp_id for vm in vapp.vms] == [VAPP]
    [network] = vapp.networks
    assert (network.name, network.fence_mode) == ("lab", "natRouted")
    assert network.parent_urn == "urn:vcloud:network:22222222-0000-4000-8000-0000000000bb"
    assert (network.gateway, network.range_start, network.range_end) == ("10.1.0.1", "10.1.0.2", "10.1.0.99")
    assert vapp.vdc_id == VDC


def test_a_vdc_says_none_where_vcloud_says_zero_for_no_limit(vcd: Vcd) -> None:
    vcd.answer("GET", path(VDC), fixture("vdc-32"))
    vcd.answer("GET", "/query", records(STORAGE_ROW.format(limit=0)))
    vdc = vcd.client().vdc(VDC)
    assert (vdc.name, vdc.enabled, vdc.allocation_model) == ("acme-vdc", True, "AllocationPool")
    assert (vdc.cpu_limit_mhz, vdc.cpu_used_mhz, vdc.cpu_reserved_mhz) == (7160, 2000, 3580)
    assert (vdc.memory_limit_mb, vdc.memory_used_mb) == (None, 4096)
    assert (vdc.vm_quota, vdc.nic_quota) == (100, None)
    assert [(item.name, item.limit_mb, item.used_mb, item.is_default) for item in vdc.storage_profiles] == [
        ("*", None, 20480, True)
    ]


def test_the_networks_of_a_vdc_are_its_own_and_the_shared_ones(vcd: Vcd) -> None:
    row = '<OrgVdcNetworkRecord name="{}" {} isShared="true" href="https://x/api/admin/network/22222222-0000-4000-8000-0000000000{}"/>'
    rows = [
        row.format("acme-net", 'linkType="1" defaultGateway="10.0.0.1" netmask="255.255.255.0"', "bb"),
        row.format("acme-shared", "", "bc"),
        row.format("of another vdc", 'linkType="0"', "bd"),
    ]
    vcd.answer("GET", path(VDC), fixture("vdc-32"))
    vcd.answer("GET", "/query", records(*rows), query={"type": "orgVdcNetwork"})
    vcd.answer("GET", "/network/22222222-0000-4000-8000-0000000000bc", fixture("network-36"))
    vcd.answer("GET", "/query", records())
    found = vcd.client().inventory(VDC).networks
    assert [(network.name, network.fence_mode) for network in found] == [
        ("acme-net", "natRouted"),
        ("acme-shared", "isolated"),  # its row does not tell, its document does
    ]


TEMPLATE_ROW = (
    '<VAppTemplateRecord name="t" catalogName="{}" status="RESOLVED"'
    ' href="https://vcd.example/api/vAppTemplate/vappTemplate-33333333-0000-4000-8000-000000000001"/>'
)
TEMPLATE_PATH = "/vAppTemplate/vappTemplate-33333333-0000-4000-8000-000000000001"


def test_a_template_has_hardware_networks_and_the_bounds_of_its_metadata(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", "/query", records(TEMPLATE_ROW.format("templates")))
    vcd_39.answer("GET", TEMPLATE_PATH, fixture("template-36"))
    vcd_39.answer("GET", f"{TEMPLATE_PATH}/metadata", fixture("metadata-36"))
    [template] = templates(vcd_39.client())
    assert (template.name, template.catalog_name, template.status) == ("debian-12", "templates", VmStatus.POWERED_OFF)
    assert template.limits == TemplateLimits(cpu_max=8, memory_mb_max=16384, disk_mb_max=204800)
    [vm] = template.vms
    assert (vm.id, vm.cpu_count, vm.memory_mb, vm.disk_mb) == (TEMPLATE_VM, 1, 1024, 16384)
    assert (vm.network_names, vm.customization_enabled) == (("VM Network",), True)
    assert vm.guest_os == "Debian GNU/Linux 12 (64-bit)"


def old_template(vcd: Vcd) -> None:
    row = (
        '<VMRecord name="centos" numberOfCpus="2" memoryMB="512" guestOs="CentOS 4/5/6 (64-bit)" isVAppTemplate="true"'
        ' status="POWERED_OFF" href="https://vcd.example/api/vAppTemplate/vm-33333333-0000-4000-8000-000000000002"/>'
    )
    vcd.answer("GET", "/query", records(TEMPLATE_ROW.format("templates")), query={"type": "vAppTemplate"})
    vcd.answer("GET", "/query", records(row), query={"type": "vm"})
    vcd.answer("GET", TEMPLATE_PATH, fixture("template-5.5"))
    vcd.answer("GET", f"{TEMPLATE_PATH}/metadata", '<Metadata xmlns="http://www.vmware.com/vcloud/v1.5"/>')


def test_the_hardware_of_an_old_template_is_in_its_ovf_descriptor(vcd: Vcd) -> None:
    old_template(vcd)
    vcd.answer("GET", f"{TEMPLATE_PATH}/ovf", fixture("ovf-5.5"))
    [template] = templates(vcd.client())
    [vm] = template.vms
    assert (vm.cpu_count, vm.memory_mb, vm.disk_mb) == (1, 1024, 16384)
    assert [(disk.instance_id, disk.size_mb) for disk in vm.disks] == [("2000", 16384), ("2001", 8192)]
    assert vm.guest_os == "CentOS 6 (64-bit)"
    assert template.limits == TemplateLimits()


@pytest.mark.parametrize("refusal", [True, False], ids=["refused", "of another VM"])
def test_without_a_descriptor_the_listing_of_vms_knows_cpus_and_memory(vcd: Vcd, *, refusal: bool) -> None:
    old_template(vcd)
    error, other = error_body("FORBIDDEN", "no download", 403), fixture("ovf-5.5").replace("centos", "other")
    vcd.answer("GET", f"{TEMPLATE_PATH}/ovf", error if refusal else other, status=403 if refusal else 200)
    [vm] = templates(vcd.client())[0].vms
    assert (vm.cpu_count, vm.memory_mb, vm.disk_mb, vm.guest_os) == (2, 512, None, "CentOS 4/5/6 (64-bit)")


def test_a_template_that_is_in_no_catalog_or_gone_meanwhile_is_left_out(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records(TEMPLATE_ROW.format("")))
    assert templates(vcd.client()) == []
    vcd.mock.upsert("GET", "https://vcd.example/api/query", records(TEMPLATE_ROW.format("templates")))
    vcd.answer("GET", f"{TEMPLATE_PATH}/metadata", status=404)
    assert templates(vcd.client()) == []


def test_a_failed_task_says_why(vcd: Vcd) -> None:
    vcd.answer("GET", path(TASK), fixture("task-error-5.5"))
    task = vcd.client().task(TASK)
    assert task.status is TaskStatus.ERROR
    assert task.status.final
    assert task.error
    assert (task.error.major_code, task.error.minor_code) == (500, "INTERNAL_SERVER_ERROR")
    assert task.owner_id == VM
    assert task.ended_at == datetime(2026, 2, 7, 10, 25, 55, 416000, tzinfo=UTC)


@pytest.mark.parametrize("status", ["queued", "preRunning", "running", "somethingNew"])
def test_only_four_states_of_a_task_are_final(vcd: Vcd, status: str) -> None:
    vcd.answer("GET", path(TASK), fixture("task-running-36").replace('status="running"', f'status="{status}"'))
    assert not vcd.client().task(TASK).status.final


def test_an_unknown_state_of_a_vm_is_tolerated(vcd: Vcd) -> None:
    vcd.answer("GET", path(VM), fixture("vm-5.5").replace('status="4"', 'status="77"'))
    assert vcd.client().vm(VM).status is VmStatus.UNKNOWN


def test_added_elements_and_attributes_are_ignored(vcd: Vcd) -> None:
    added = fixture("vm-5.5").replace("<Description>", '<New x="1"><Inner/></New><Description>')
    vcd.answer("GET", path(VM), added.replace("<Vm ", '<Vm future="true" '))
    assert vcd.client().vm(VM).name == "web1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('status="4"', 'status="on"'),
        ('deployed="true"', 'deployed="perhaps"'),
        ('id="urn:vcloud:vm:11111111-0000-4000-8000-000000000001"', 'id="x"'),
        ('ns12:capacity="20480"', 'ns12:capacity="1e9"'),
        ("<rasd:InstanceID>2000</rasd:InstanceID>", ""),
        ("<rasd:VirtualQuantity>4<", "<rasd:VirtualQuantity>99999999999999999999<"),
    ],
)
def test_what_can_not_be_a_vm_is_no_answer(vcd: Vcd, old: str, new: str) -> None:
    document = fixture("vm-5.5").replace(old, new)
    if "id=" in old:
        document = document.replace("https://vcd.example/api/vApp/vm-11111111-0000-4000-8000-000000000001", "x")
    vcd.answer("GET", path(VM), document)
    with pytest.raises(Unavailable):
        vcd.client().vm(VM)
