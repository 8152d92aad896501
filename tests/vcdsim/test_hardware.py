"""Changing processors, memory, disks, cards, customization; snapshots."""

import pytest
from lxml import etree

from tests.vcdsim.talk import NS, VCLOUD, Reply, Talk, text
from vcdsim import Simulator
from vcdsim.entities import Vm

CAPACITY = f"{{{VCLOUD}}}capacity"


def record(talk: Talk, name: str) -> Vm:
    return talk.sim.world.vms[talk.vm(name).rpartition("vm-")[2]]


def item(document: etree._Element, kind: int) -> etree._Element:
    for one in document.iter("{*}Item"):
        if one.findtext("rasd:ResourceType", namespaces=NS) == str(kind):
            return one
    raise AssertionError(kind)


def set_text(element: etree._Element, path: str, value: object) -> None:
    found = element.find(path, NS)
    assert found is not None
    found.text = str(value)


def set_disk(document: etree._Element, size_mb: int) -> None:
    host = item(document, 17).find("rasd:HostResource", NS)
    assert host is not None
    host.set(CAPACITY, str(size_mb))


def reconfigure(talk: Talk, name: str, document: etree._Element) -> str:
    return talk.do("POST", f"{talk.vm(name)}/action/reconfigureVm", etree.tostring(document))


def drop(document: etree._Element, tag: str) -> None:
    for one in document.findall(tag, NS):
        document.remove(one)


@pytest.mark.parametrize("version", ["5.6", "9.0", "36.0", "39.1"])
def test_one_reconfigure_changes_all_and_shows_when_the_task_is_done(sim: Simulator, version: str) -> None:
    talk = Talk(sim, version=version)
    document = talk.get(talk.vm("sandbox"))
    set_text(item(document, 3), "rasd:VirtualQuantity", 4)
    set_text(item(document, 4), "rasd:VirtualQuantity", 8192)
    set_disk(document, 30 * 1024)
    document.set("name", "box")
    reply = talk.send("POST", f"{talk.vm('sandbox')}/action/reconfigureVm", etree.tostring(document))
    vm = record(talk, "sandbox")
    assert (reply.root.get("operationName"), vm.cpu_count) == ("vappUpdateVm", 1)
    sim.settle()
    assert (vm.name, vm.cpu_count, vm.memory_mb, vm.disks[0].size_mb) == ("box", 4, 8192, 30 * 1024)


def test_what_comes_back_unchanged_changes_nothing(talk: Talk) -> None:
    before = repr(record(talk, "shop-db"))
    assert reconfigure(talk, "shop-db", talk.get(talk.vm("shop-db"))) == "success"
    after = record(talk, "shop-db")
    after.last_task_id = None
    assert repr(after) == before


def test_a_reconfigure_without_sections_leaves_them_alone(talk: Talk) -> None:
    before = record(talk, "shop-db").disks
    assert reconfigure(talk, "shop-db", etree.Element(f"{{{VCLOUD}}}Vm", name="shop-db")) == "success"
    assert record(talk, "shop-db").disks == before


def test_a_reconfigure_needs_the_name(talk: Talk) -> None:
    reply = talk.send("POST", f"{talk.vm('sandbox')}/action/reconfigureVm", f'<Vm xmlns="{VCLOUD}"/>')
    assert "Attribute 'name' must appear" in reply.error[1]


def test_a_spec_section_counts_only_when_it_says_modified(talk: Talk) -> None:
    document = talk.get(talk.vm("sandbox"))
    drop(document, "ovf:VirtualHardwareSection")
    set_text(document, "v:VmSpecSection/v:NumCpus", 2)
    set_text(document, "v:VmSpecSection/v:DiskSection/v:DiskSettings/v:SizeMb", 20480)
    reconfigure(talk, "sandbox", document)
    assert record(talk, "sandbox").cpu_count == 1
    section = document.find("v:VmSpecSection", NS)
    assert section is not None
    section.set("Modified", "true")
    reconfigure(talk, "sandbox", document)
    assert (record(talk, "sandbox").cpu_count, record(talk, "sandbox").disks[0].size_mb) == (2, 20480)


@pytest.mark.parametrize(
    ("part", "kind", "quantity"), [("cpu", 3, 4), ("memory", 4, 4096)], ids=["processors", "memory"]
)
def test_one_item_can_be_read_and_put_back(talk: Talk, part: str, kind: int, quantity: int) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/{part}"
    document = talk.get(path)
    assert document.findtext("rasd:ResourceType", namespaces=NS) == str(kind)
    set_text(document, "rasd:VirtualQuantity", quantity)
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    assert text(talk.get(path), "rasd:VirtualQuantity") == str(quantity)


@pytest.mark.parametrize(
    ("vm", "cpus", "cores", "words"),
    [
        ("sandbox", 3, 2, "must be a multiple of the number of cores per socket"),
        ("sandbox", 0, 1, "must be between 1 and 128"),
        ("wiki", 4, 2, "number of cores per socket can only be changed when the VM is powered off"),
        ("wiki", 4, 1, "can only be increased, and only with CPU hot add enabled"),
    ],
)
def test_processors_that_cannot_be_are_refused(talk: Talk, vm: str, cpus: int, cores: int, words: str) -> None:
    path = f"{talk.vm(vm)}/virtualHardwareSection/cpu"
    document = talk.get(path)
    set_text(document, "rasd:VirtualQuantity", cpus)
    set_text(document, "vmw:CoresPerSocket", cores)
    reply = talk.send("PUT", path, etree.tostring(document))
    assert reply.status == 400
    assert words in reply.error[1]


def test_with_hot_add_a_running_vm_grows_and_never_shrinks(talk: Talk) -> None:
    record(talk, "wiki").cpu_hot_add = True
    path = f"{talk.vm('wiki')}/virtualHardwareSection/cpu"
    document = talk.get(path)
    set_text(document, "rasd:VirtualQuantity", 4)
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    set_text(document, "rasd:VirtualQuantity", 1)
    assert talk.send("PUT", path, etree.tostring(document)).status == 400


def test_capabilities_change_only_while_the_vm_is_off(talk: Talk) -> None:
    body = f'<VmCapabilities xmlns="{VCLOUD}"><CpuHotAddEnabled>true</CpuHotAddEnabled></VmCapabilities>'
    assert talk.send("PUT", f"{talk.vm('wiki')}/vmCapabilities/", body).status == 400
    assert talk.do("PUT", f"{talk.vm('sandbox')}/vmCapabilities/", body) == "success"
    assert record(talk, "sandbox").cpu_hot_add


def test_a_disk_only_grows(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/disks"
    document = talk.get(path)
    set_disk(document, 5 * 1024)
    assert "cannot be reduced" in talk.send("PUT", path, etree.tostring(document)).error[1]
    set_disk(document, 50 * 1024)
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    assert record(talk, "sandbox").disks[0].size_mb == 50 * 1024


def test_a_disk_beyond_the_storage_quota_is_refused(sim: Simulator, talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/disks"
    document = talk.get(path)
    set_disk(document, 3_000_000)
    assert "will exceed the VDC's storage quota" in talk.send("PUT", path, etree.tostring(document)).error[1]


def test_a_new_item_is_a_new_disk_and_a_missing_one_is_deleted(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/disks"
    document = talk.get(path)
    new = etree.fromstring(etree.tostring(item(document, 17)))
    set_text(new, "rasd:InstanceID", 2001)
    set_text(new, "rasd:AddressOnParent", 1)
    document.append(new)
    talk.do("PUT", path, etree.tostring(document))
    assert [disk.instance_id for disk in record(talk, "sandbox").disks] == [2000, 2001]
    document = talk.get(path)
    document.remove(item(document, 17))
    talk.do("PUT", path, etree.tostring(document))
    assert [disk.instance_id for disk in record(talk, "sandbox").disks] == [2001]


def test_two_disks_at_one_place_are_refused(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/disks"
    document = talk.get(path)
    new = etree.fromstring(etree.tostring(item(document, 17)))
    set_text(new, "rasd:InstanceID", 2001)
    document.append(new)
    assert talk.send("PUT", path, etree.tostring(document)).error[0] == "VIM_INVALID_DISK_PARAMETERS"


def test_customization_is_replaced_and_answered_in_clear(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/guestCustomizationSection/"
    document = talk.get(path)
    set_text(document, "v:ComputerName", "new-name")
    set_text(document, "v:AdminPasswordAuto", "true")
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    after = talk.get(path)
    assert text(after, "v:ComputerName") == "new-name"
    assert len(text(after, "v:AdminPassword")) >= 8


def test_a_card_left_out_is_removed_and_one_kept_keeps_its_mac_and_address(talk: Talk) -> None:
    path = f"{talk.vm('mail')}/networkConnectionSection/"
    before = record(talk, "mail").nics[0]
    document = talk.get(path)
    card = document.find("v:NetworkConnection", NS)
    assert card is not None
    second = etree.fromstring(etree.tostring(card))
    for tag in ("MACAddress", "IpAddress", "IpType"):
        drop(second, f"v:{tag}")
    set_text(second, "v:NetworkConnectionIndex", 1)
    card.addnext(second)
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    first_now, second_now = record(talk, "mail").nics
    assert (first_now.mac, first_now.ip) == (before.mac, before.ip)
    assert second_now.ip not in (None, before.ip)
    document = talk.get(path)
    document.remove(document.findall("v:NetworkConnection", NS)[1])
    talk.do("PUT", path, etree.tostring(document))
    assert record(talk, "mail").nics == [first_now]
    assert second_now.ip not in next(n for n in talk.sim.world.networks.values() if n.name == "acme-internal").used


def test_the_list_of_cards_can_be_put_back_with_a_card_unplugged(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/virtualHardwareSection/networkCards"
    document = talk.get(path)
    before = record(talk, "sandbox").nics
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    assert record(talk, "sandbox").nics == before
    set_text(item(document, 10), "rasd:Connection", "none")
    assert talk.do("PUT", path, etree.tostring(document)) == "success"
    assert (record(talk, "sandbox").nics[0].network, record(talk, "sandbox").nics[0].is_connected) == ("none", False)


def test_a_snapshot_remembers_and_blocks_resizing_its_disks(talk: Talk) -> None:
    vm = talk.vm("sandbox")
    create = f'<CreateSnapshotParams xmlns="{VCLOUD}" name="before"/>'
    assert talk.do("POST", f"{vm}/action/createSnapshot", create) == "success"
    assert talk.get(f"{vm}/snapshotSection").find("v:Snapshot", NS) is not None
    disks = talk.get(f"{vm}/virtualHardwareSection/disks")
    set_disk(disks, 50 * 1024)
    refused = talk.send("PUT", f"{vm}/virtualHardwareSection/disks", etree.tostring(disks))
    assert "snapshots cannot be resized" in refused.error[1]
    record(talk, "sandbox").memory_mb = 2048
    assert talk.do("POST", f"{vm}/action/revertToCurrentSnapshot") == "success"
    assert record(talk, "sandbox").memory_mb == 1024
    assert talk.do("POST", f"{vm}/action/removeAllSnapshots") == "success"
    assert talk.do("PUT", f"{vm}/virtualHardwareSection/disks", etree.tostring(disks)) == "success"


@pytest.mark.parametrize(("memory", "power"), [("true", "on"), ("false", "off")])
def test_only_a_snapshot_with_memory_brings_a_running_guest_back(talk: Talk, memory: str, power: str) -> None:
    vm = talk.vm("wiki")
    create = f'<CreateSnapshotParams xmlns="{VCLOUD}" memory="{memory}"/>'
    assert talk.do("POST", f"{vm}/action/createSnapshot", create) == "success"
    assert talk.do("POST", f"{vm}/action/revertToCurrentSnapshot") == "success"
    assert record(talk, "wiki").power == power


def test_there_is_nothing_to_revert_to_without_a_snapshot(talk: Talk) -> None:
    assert talk.send("POST", f"{talk.vapp('sandbox')}/action/revertToCurrentSnapshot").status == 400


@pytest.mark.parametrize("body", ["<Vm/>", "<x", "", f'<Item xmlns="{VCLOUD}"><a>'])
@pytest.mark.parametrize("place", ["cpu", "disks"])
def test_bodies_that_are_no_item_are_refused(talk: Talk, place: str, body: str) -> None:
    assert talk.send("PUT", f"{talk.vm('sandbox')}/virtualHardwareSection/{place}", body).status == 400


def test_leases_and_start_order_can_be_set(talk: Talk) -> None:
    vapp = talk.vapp("sandbox")
    for section, path, value in (
        ("leaseSettingsSection", "v:DeploymentLeaseInSeconds", "3600"),
        ("leaseSettingsSection", "v:StorageLeaseInSeconds", "7200"),
    ):
        document = talk.get(f"{vapp}/{section}/")
        set_text(document, path, value)
        assert talk.do("PUT", f"{vapp}/{section}/", etree.tostring(document)) == "success"
        assert text(talk.get(f"{vapp}/{section}/"), path) == value
    document = talk.get(f"{vapp}/startupSection/")
    start = document.find("ovf:Item", NS)
    assert start is not None
    start.set(f"{{{NS['ovf']}}}startDelay", "30")
    assert talk.do("PUT", f"{vapp}/startupSection/", etree.tostring(document)) == "success"
    assert b'startDelay="30"' in etree.tostring(talk.get(f"{vapp}/startupSection/"))


def reconfigured(talk: Talk, inside: str, *, modified: str = "true") -> Reply:
    version = "<HardwareVersion>vmx-19</HardwareVersion>"
    section = f'<VmSpecSection Modified="{modified}"><ovf:Info/>{inside}{version}</VmSpecSection>'
    body = f'<Vm xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}" name="sandbox">{section}</Vm>'
    return talk.send("POST", f"{talk.vm('sandbox')}/action/reconfigureVm", body)


def disk(unit: str = "3", bus: str = "0", adapter: str = "5") -> str:
    place = f"<UnitNumber>{unit}</UnitNumber><BusNumber>{bus}</BusNumber><AdapterType>{adapter}</AdapterType>"
    thin = "<ThinProvisioned>true</ThinProvisioned>"
    return f"<DiskSection><DiskSettings><SizeMb>2048</SizeMb>{place}{thin}</DiskSettings></DiskSection>"


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<NumCpus>3000</NumCpus>", "(3000) must be between 1 and 128"),
        ("<NumCpus>0</NumCpus>", "(0) must be between 1 and 128"),
        ("<NumCpus>3</NumCpus><NumCoresPerSocket>2</NumCoresPerSocket>", "a multiple of the number of cores"),
        ("<MemoryResourceMb><Configured>40000000</Configured></MemoryResourceMb>", "between 4 and 6291456 MB"),
        ("<MemoryResourceMb><Configured>0</Configured></MemoryResourceMb>", "between 4 and 6291456 MB"),
        ("<MemoryResourceMb><Configured>1026</Configured></MemoryResourceMb>", "a multiple of 4 MB"),
        ("<MemoryResourceMb><Configured/></MemoryResourceMb>", "'' is not a valid value"),
        (disk(unit="7"), "unit number 7"),
        (disk(unit="99"), "unit number 99"),
        (disk(bus="9"), "bus number 9"),
        (disk(adapter="77"), 'adapter type "77"'),
    ],
)
def test_hardware_that_cannot_be_is_refused_with_its_reason(talk: Talk, inside: str, words: str) -> None:
    reply = reconfigured(talk, inside)
    assert (reply.status, words in reply.error[1]) == (400, True), reply.error


def test_a_specification_that_changes_nothing_must_fit_the_schema_too(talk: Talk) -> None:
    assert reconfigured(talk, "<NumCpus>abc</NumCpus>", modified="false").status == 400
    assert reconfigured(talk, "<NumCpus>3000</NumCpus>", modified="false").status == 202


@pytest.mark.parametrize(
    ("mode", "address", "words"),
    [
        ("BOGUS", "", "Value 'BOGUS' is not one of [POOL, DHCP, MANUAL, NONE]"),
        ("MANUAL", "", "needs an IP address"),
        ("MANUAL", "<IpAddress>203.0.113.1</IpAddress>", "is the gateway of"),
    ],
)
def test_a_card_that_cannot_be_is_refused_with_its_reason(talk: Talk, mode: str, address: str, words: str) -> None:
    card = f"<NetworkConnectionIndex>0</NetworkConnectionIndex>{address}<IsConnected>true</IsConnected>"
    card += f"<IpAddressAllocationMode>{mode}</IpAddressAllocationMode>"
    body = f'<NetworkConnectionSection xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"><ovf:Info/>'
    body += f'<NetworkConnection network="acme-net">{card}</NetworkConnection></NetworkConnectionSection>'
    reply = talk.send("PUT", f"{talk.vm('sandbox')}/networkConnectionSection/", body)
    assert (reply.status, words in reply.error[1]) == (400, True), reply.error


def test_a_body_that_is_no_xml_is_refused_in_plain_words(talk: Talk) -> None:
    reply = talk.send("PUT", f"{talk.vm('sandbox')}/virtualHardwareSection/cpu", "nonsense")
    assert reply.error[1].endswith("Unexpected JAXB Exception - Content is not well-formed XML (line 1).")
