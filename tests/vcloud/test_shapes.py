"""Shapes in which other real servers, 1.5 to 10.x, say the same things."""

import pytest
from lxml import etree

from app.vcloud import TaskStatus, VmStatus, catalog, entities, machines, parse, query, xml
from app.vcloud.query import Page
from app.vcloud.types import TemplateLimits, VmRecord
from tests.vcloud.support import NAMESPACE, VAPP, VDC, VM, fixture, vm_row

TASK = (
    f'<Task xmlns="{NAMESPACE}" status="running" startTime="2012-02-07T05:25:54.910-05:00"'
    ' href="https://vcd/api/task/7C31AF92-FE70-4455-A33D-1740F17C5EFA">'
    '<Owner href="https://vcd:8443/cloud/api/vApp/vapp-21e95e3f-3e62-4d9e-9aa1-c2204fd79772/"/></Task>'
)
DECLARATION = '<?xml version="1.0" encoding="{}" standalone="yes"?>'


@pytest.mark.parametrize(
    "before",
    [
        "\ufeff",
        "\n\t ",
        "\ufeff\r\n" + DECLARATION.format("UTF-8"),
        DECLARATION.format("utf-8") + "<!-- cell 3 -->\n<?pi here?>",
        DECLARATION.format("US-ASCII"),
        DECLARATION.format("ISO-8859-1"),  # said, but UTF-8 is what was sent
        DECLARATION.format("UTF-16"),
        '<?xml version="1.1"?>',
    ],
)
def test_what_stands_before_the_document_does_not_matter(before: str) -> None:
    document = fixture("vm-5.5").partition("?>")[2].strip().replace("front end", "вход")
    assert machines.vm(xml.parse((before + document).encode(), "Vm")).description == "вход"


def test_a_namespace_nobody_uses_may_have_any_name() -> None:
    document = TASK.replace("<Task ", '<Task xmlns:xsi="http://www.w3.org/2001/XMLSchema-in stance" ')
    assert entities.task(xml.parse(document.encode(), "Task")).status is TaskStatus.RUNNING


@pytest.mark.parametrize(
    "element", ["<x:y/>", '<Owner x:href="1"/><x:Progress>1</x:Progress>', "<Details><x:y/></Details>"]
)
def test_an_element_of_a_namespace_that_nobody_declared_is_not_passed_over(element: str) -> None:
    with pytest.raises(xml.MalformedError, match="undeclared"):
        xml.parse(TASK.replace("</Task>", f"{element}</Task>").encode(), "Task")


@pytest.mark.parametrize("broken", ["</Wrong></Task>", "<a b='1' b='2'/></Task>", "&nbsp;</Task>", "<x:y/></Task>", ""])
def test_that_does_not_excuse_anything_else(broken: str) -> None:
    document = TASK.replace("<Task ", '<Task xmlns:xsi="a b" ').replace("</Task>", broken)
    with pytest.raises(xml.MalformedError):
        xml.parse(document.encode(), "Task")


def test_comments_and_cdata_inside_a_text_leave_the_text_whole() -> None:
    document = fixture("vm-5.5").replace("front end", "front<!-- note --> <![CDATA[<end>]]> &#233;&amp;")
    assert machines.vm(xml.parse(document.encode(), "Vm")).description == "front <end> é&"


def test_an_entity_without_an_id_is_known_by_its_href_whatever_the_address_of_its_cell() -> None:
    task = entities.task(xml.parse(TASK.encode(), "Task"))
    assert task.id == "urn:vcloud:task:7c31af92-fe70-4455-a33d-1740f17c5efa"
    assert task.owner_id == "urn:vcloud:vapp:21e95e3f-3e62-4d9e-9aa1-c2204fd79772"
    assert (task.operation_name, task.progress, task.ended_at) == ("", None, None)


@pytest.mark.parametrize("word", ["Success", "SUCCESS", "success"])
def test_the_case_of_a_tasks_state_does_not_matter(word: str) -> None:
    document = TASK.replace('"running"', f'"{word}"')
    assert entities.task(xml.parse(document.encode(), "Task")).status is TaskStatus.SUCCESS


def test_a_nil_element_is_an_absent_one() -> None:
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    document = TASK.replace("</Task>", f"<Progress {nil}/></Task>")
    assert entities.task(xml.parse(document.encode(), "Task")).progress is None


def test_a_vm_of_1_5_says_less() -> None:
    document = f'<Vm xmlns="{NAMESPACE}" name="old" href="https://vcd/api/vApp/{VM.split(":")[2]}-{VM.split(":")[3]}"/>'
    vm = machines.vm(xml.parse(document.encode(), "Vm"))
    assert (vm.id, vm.status, vm.deployed, vm.disks, vm.nics) == (VM, VmStatus.UNKNOWN, False, (), ())
    assert (vm.cpu_count, vm.memory_mb, vm.customization.enabled, vm.storage_profile) == (None, None, None, None)


def test_a_vapp_of_1_5_is_read_whole() -> None:
    vapp = parse.vapp(xml.parse(fixture("vapp-1.5").encode(), "VApp"))
    assert (vapp.id, vapp.vdc_id, vapp.owner_name) == ("urn:vcloud:vapp:7", "urn:vcloud:vdc:3", None)
    [network] = vapp.networks
    assert (network.parent_urn, network.fence_mode) == ("urn:vcloud:network:1", "natRouted")
    assert (network.gateway, network.range_start, network.router_ip) == ("10.7.0.1", "10.7.0.100", "192.0.2.101")
    [vm] = vapp.vms
    assert (vm.id, vm.vapp_id, vm.deployed, vm.status) == ("urn:vcloud:vm:8", vapp.id, True, VmStatus.POWERED_OFF)
    assert (vm.cpu_count, vm.cores_per_socket, vm.memory_mb) == (1, None, 512)
    assert [(disk.size_mb, disk.bus_type, disk.bus_sub_type) for disk in vm.disks] == [(1600, 6, "lsilogic")]
    assert [(nic.index, nic.network, nic.ip, nic.external_ip, nic.primary) for nic in vm.nics] == [
        (1, None, None, None, False),
        (0, "front", "10.7.0.100", "192.0.2.102", True),
    ]
    assert (vm.guest_os, vm.customization.computer_name) == ("Red Hat Enterprise Linux 5 (64-bit)", "till")
    assert (vm.storage_profile, vm.created_at, vm.tasks) == (None, None, ())


@pytest.mark.parametrize("version", ["v1", "v0.8"])
def test_an_answer_of_an_api_before_1_5_is_none(version: str) -> None:
    document = fixture("vapp-1.5").replace(
        'xmlns="http://www.vmware.com/vcloud/v1.5"', f'xmlns="{NAMESPACE[:-4]}{version}"'
    )
    with pytest.raises(xml.MalformedError, match="expected VApp"):
        xml.parse(document.encode(), "VApp")


HARDWARE = (
    f'<Vm xmlns="{NAMESPACE}" xmlns:o="{xml.OVF}" xmlns:r="{xml.RASD}" id="{VM}" name="x">'
    "<o:VirtualHardwareSection><o:Item>{}</o:Item></o:VirtualHardwareSection></Vm>"
)


@pytest.mark.parametrize(
    ("unit", "quantity", "memory_mb"),
    [
        ("byte * 2^20", 512, 512),
        ("byte * 2 ^ 30", 4, 4096),
        ("byte*2^10", 1048576, 1024),
        ("bytes", 2**30, 1024),
        ("MegaBytes", 512, 512),
        ("Gigabytes", 2, 2048),
        ("KiloBytes", 524288, 512),
        (None, 512, 512),
    ],
)
def test_memory_is_read_in_its_unit(unit: str | None, quantity: int, memory_mb: int) -> None:
    said = f"<r:AllocationUnits>{unit}</r:AllocationUnits>" if unit else ""
    item = f"{said}<r:ResourceType>4</r:ResourceType><r:VirtualQuantity>{quantity}</r:VirtualQuantity>"
    assert machines.vm(xml.parse(HARDWARE.format(item).encode(), "Vm")).memory_mb == memory_mb


@pytest.mark.parametrize(
    ("host", "size_mb"),
    [
        ('<r:HostResource xmlns:v="{ns}" v:capacity="1024" v:busType="6"/>', 1024),
        ('<r:HostResource capacity="1024" busType="6"/>', 1024),
        ('<r:HostResource xmlns:v="http://www.vmware.com/vcloud/v1" v:capacity="1024" v:busType="6"/>', 1024),
        ('<r:HostResource lost:capacity="1024" lost:busType="6"/>', 1024),  # cut out of a vApp that declared the prefix
        ("<r:VirtualQuantity>1073741824</r:VirtualQuantity>", 1024),
        ("<r:VirtualQuantity>1</r:VirtualQuantity><r:VirtualQuantityUnits>byte * 2^30</r:VirtualQuantityUnits>", 1024),
    ],
)
def test_a_disk_is_read_wherever_its_size_stands(host: str, size_mb: int) -> None:
    item = f"<r:InstanceID>2000</r:InstanceID><r:ResourceType>17</r:ResourceType>{host.format(ns=NAMESPACE)}"
    [disk] = machines.vm(xml.parse(HARDWARE.format(item).encode(), "Vm")).disks
    assert disk.size_mb == size_mb


@pytest.mark.parametrize(
    ("units", "factors"),
    [(("MHz", "MB"), (1, 1)), (("GHz", "GB"), (1000, 1024)), (("GHZ", "TB"), (1000, 1024**2)), (("", "?"), (1, 1))],
)
def test_the_capacity_of_a_vdc_is_read_in_its_units(units: tuple[str, str], factors: tuple[int, int]) -> None:
    said = "<Units>{}</Units><Allocated>0</Allocated><Reserved>1</Reserved><Limit>{}</Limit><Used>{}</Used>"
    document = (
        f'<Vdc xmlns="{NAMESPACE}" name="vdc" id="{VDC}"><ComputeCapacity><Cpu>{said.format(units[0], 5, 2)}</Cpu>'
        f"<Memory>{said.format(units[1], 8, 4)}</Memory></ComputeCapacity></Vdc>"
    )
    vdc = parse.vdc(xml.parse(document.encode(), "Vdc"))
    cpu, memory = factors
    assert (vdc.cpu_limit_mhz, vdc.cpu_used_mhz, vdc.cpu_reserved_mhz) == (5 * cpu, 2 * cpu, cpu)
    assert (vdc.memory_limit_mb, vdc.memory_used_mb, vdc.memory_reserved_mb) == (8 * memory, 4 * memory, memory)


def test_the_scope_of_a_network_stood_alone_before_5_1() -> None:
    urn = "urn:vcloud:network:22222222-0000-4000-8000-0000000000bb"
    document = (
        f'<OrgNetwork xmlns="{NAMESPACE}" name="net" id="{urn}"><Configuration>'
        "<IpScope><Gateway>10.0.0.1</Gateway><Netmask>255.0.0.0</Netmask></IpScope>"
        "<FenceMode>bridged</FenceMode></Configuration></OrgNetwork>"
    )
    network = parse.org_network(xml.parse(document.encode(), "OrgNetwork"))
    assert (network.gateway, network.netmask, network.is_shared) == ("10.0.0.1", "255.0.0.0", False)


def row_of(row: str) -> VmRecord:
    document = f'<QueryResultRecords xmlns="{NAMESPACE}" total="1" pageSize="25">{row}</QueryResultRecords>'
    page: Page[VmRecord] = query.page(xml.parse(document.encode(), "QueryResultRecords"), query.vm_record)
    return page.rows[0]


@pytest.mark.parametrize("status", [status for status in VmStatus if status is not VmStatus.UNKNOWN])
def test_a_row_says_its_state_as_a_word(status: VmStatus) -> None:
    assert row_of(vm_row(1, status=status.name)).status is status


@pytest.mark.parametrize("name", ["VMRecord", "AdminVMRecord", "SomeOtherRecord"])
def test_a_row_may_have_any_name_and_any_more_attributes(name: str) -> None:
    row = vm_row(1, hostName="esx-1", moref="vm-42", futureThing="x").replace("VMRecord", name)
    assert row_of(row).name == "vm-1"


def test_a_row_of_1_5_has_no_address_and_no_storage() -> None:
    bare = f'<VMRecord name="a" status="POWERED_OFF" href="https://vcd/api/vApp/vm-{VM.rpartition(":")[2]}"/>'
    row = row_of(bare)
    assert (row.ip, row.storage_mb, row.cpu_count, row.task_id, row.deployed) == (None, None, None, None, False)


def test_a_row_of_idrecords_names_everything_by_its_urn() -> None:
    task = "urn:vcloud:task:22222222-0000-4000-8000-0000000000ee"
    row = row_of(f'<VMRecord name="a" id="{VM}" container="{VAPP}" vdc="{VDC}" task="{task}"/>')
    assert (row.id, row.vapp_id, row.vdc_id, row.task_id) == (VM, VAPP, VDC, task)


def test_an_empty_text_stands_in_a_row_as_a_blank() -> None:
    row = row_of(vm_row(1, ipAddress=" ", networkName=" ", guestOs=" ", storageProfileName=" "))
    assert (row.ip, row.network_name, row.guest_os, row.storage_profile_name) == (None, None, "", None)
    href = 'href="https://vcd/api/admin/network/22222222-0000-4000-8000-0000000000bb"'
    network = query.org_network(etree.fromstring(f'<R name="n" dns1="8.8.8.8" dns2=" " defaultGateway=" " {href}/>'))
    assert (network.dns1, network.dns2, network.gateway) == ("8.8.8.8", None, None)
    href = 'href="https://vcd/api/vAppTemplate/vappTemplate-22222222-0000-4000-8000-0000000000bb"'
    assert catalog.record(etree.fromstring(f'<R catalogName=" " {href}/>')).catalog_name == ""


def test_metadata_of_1_5_has_no_types() -> None:
    entry = "<MetadataEntry><Key>cpu_max</Key><Value>8</Value></MetadataEntry>"
    document = f'<Metadata xmlns="{NAMESPACE}">{entry}</Metadata>'
    assert parse.template_limits(xml.parse(document.encode(), "Metadata")) == TemplateLimits(cpu_max=8)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_another_encoding_is_no_answer(encoding: str) -> None:
    with pytest.raises(xml.MalformedError):
        xml.parse(TASK.encode(encoding), "Task")
