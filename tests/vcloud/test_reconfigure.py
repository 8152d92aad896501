"""Reconfiguring edits what vCloud said and keeps the rest, above all the disks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.vcloud import GuestCustomization, Refused, Unavailable, Vm, VmChange, Wiring, machines, reconfigure, xml
from tests.vcloud.support import TASK, VM, VM_36, Vcd, fixture

PATHS = {VM: "/vApp/vm-11111111-0000-4000-8000-000000000001", VM_36: "/vApp/vm-22222222-0000-4000-8000-000000000001"}
DOCUMENTS = {VM: "vm-5.5", VM_36: "vm-36"}


def sent(vcd: Vcd, urn: str, **wish: object) -> etree._Element:
    """Return the Vm element that a reconfiguration posts."""
    vcd.answer("GET", PATHS[urn], fixture(DOCUMENTS[urn]))
    vcd.answer("POST", f"{PATHS[urn]}/action/reconfigureVm", fixture("task-running-36"), status=202)
    assert vcd.client().reconfigure(urn, VmChange(**wish)).id == TASK  # type: ignore[arg-type]
    assert vcd.last.headers["Content-Type"] == "application/vnd.vmware.vcloud.vm+xml"
    return etree.fromstring(vcd.last.body)


def sections(root: etree._Element) -> list[str]:
    return [etree.QName(item).localname for item in root]


def as_vm(root: etree._Element, urn: str) -> Vm:
    """Read a posted Vm as if vCloud had said it."""
    root.set("id", urn)
    root.set("status", "8")
    return machines.vm(root)


@pytest.mark.parametrize("urn", [VM, VM_36])
def test_cpu_memory_and_a_disk_change_in_one_request(vcd: Vcd, urn: str) -> None:
    root = sent(vcd, urn, cpu_count=8, memory_mb=8192, disk_mb={"2000": 51200})
    vm = as_vm(root, urn)
    assert sections(root) == ["Description", "VirtualHardwareSection"]
    assert (vm.cpu_count, vm.memory_mb, vm.disks[0].size_mb) == (8, 8192, 51200)
    assert vm.disks[1].size_mb == 10240
    assert root.get("name") == vm.name


@pytest.mark.parametrize("urn", [VM, VM_36])
def test_a_resized_disk_has_its_size_in_both_places_and_in_alphabetical_order(vcd: Vcd, urn: str) -> None:
    root = sent(vcd, urn, disk_mb={"2000": 51200})
    item = machines.hardware_items(root)["17"][0]
    names = [etree.QName(child).localname for child in item if etree.QName(child).namespace == xml.RASD]
    assert names == sorted(names)
    quantity = item.find(f"{{{xml.RASD}}}VirtualQuantity")
    assert quantity is not None
    assert quantity.text == str(51200 * 2**20)
    assert item.findtext(f"{{{xml.RASD}}}VirtualQuantityUnits") == "byte"


@pytest.mark.parametrize("urn", [VM, VM_36])
def test_nothing_of_the_hardware_is_dropped(vcd: Vcd, urn: str) -> None:
    root = sent(vcd, urn, memory_mb=1024)
    before = xml.parse(fixture(DOCUMENTS[urn]).encode(), "Vm")
    count = {kind: len(items) for kind, items in machines.hardware_items(before).items()}
    assert {kind: len(items) for kind, items in machines.hardware_items(root).items()} == count


def test_links_are_not_sent_back(vcd: Vcd) -> None:
    assert b"Link" not in etree.tostring(sent(vcd, VM, cpu_count=2, customization=GuestCustomization(enabled=True)))


def test_the_description_goes_along_for_it_would_be_lost(vcd: Vcd) -> None:
    assert sent(vcd, VM, memory_mb=4096)[0].text == "front end"


def test_a_name_alone_touches_no_section(vcd: Vcd) -> None:
    root = sent(vcd, VM, name="web <2>")
    assert (root.get("name"), sections(root)) == ("web <2>", ["Description"])


@pytest.mark.parametrize(("cpu_count", "cores"), [(8, 2), (6, 2), (3, 1), (1, 1)])
def test_cores_per_socket_stay_unless_the_count_is_no_multiple(vcd: Vcd, cpu_count: int, cores: int) -> None:
    vm = as_vm(sent(vcd, VM, cpu_count=cpu_count), VM)
    assert (vm.cpu_count, vm.cores_per_socket) == (cpu_count, cores)


def customization(root: etree._Element) -> dict[str, str | None]:
    section = root.find(f"{{{xml.VCLOUD}}}GuestCustomizationSection")
    assert section is not None
    return {etree.QName(item).localname: item.text for item in section}


def test_a_password_switches_it_on_and_the_rest_is_kept(vcd: Vcd) -> None:
    found = customization(sent(vcd, VM, customization=GuestCustomization(password="New-pw-1", computer_name="web-2")))
    assert (found["AdminPassword"], found["AdminPasswordEnabled"], found["AdminPasswordAuto"]) == (
        "New-pw-1",
        "true",
        "false",
    )
    assert (found["ComputerName"], found["CustomizationScript"], found["Enabled"]) == ("web-2", "echo kept", "true")


def test_an_element_that_was_missing_goes_to_its_place(vcd: Vcd) -> None:
    names = list(customization(sent(vcd, VM_36, customization=GuestCustomization(password="New-pw-1"))))
    place = names.index("AdminPassword")
    assert names[place - 1 : place + 2] == ["AdminPasswordAuto", "AdminPassword", "AdminAutoLogonEnabled"]


def test_what_is_not_given_is_not_changed(vcd: Vcd) -> None:
    found = customization(sent(vcd, VM, customization=GuestCustomization(enabled=False)))
    assert (found["Enabled"], found["AdminPassword"], found["AdminPasswordAuto"]) == ("false", "read-In-clear1", "true")


def test_a_card_goes_into_a_network_and_keeps_its_mac_and_its_neighbours(vcd: Vcd) -> None:
    root = sent(vcd, VM_36, cards={0: Wiring("lab")})
    first, second = as_vm(root, VM_36).nics
    assert (first.network, first.connected, first.mode, first.mac) == ("lab", True, "POOL", "00:50:56:01:01:2a")
    assert (second.network, second.mode, second.mac) == ("lab", "DHCP", "00:50:56:01:01:2b")


def test_a_card_that_moves_leaves_its_addresses_behind(vcd: Vcd) -> None:
    [card] = as_vm(sent(vcd, VM, cards={0: Wiring("other")}), VM).nics
    assert (card.network, card.ip, card.external_ip) == ("other", None, None)


def test_a_card_the_vm_does_not_have_can_not_go(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5"))
    with pytest.raises(Refused, match=r"no network card \[1\]"):
        vcd.client().reconfigure(VM, VmChange(cards={1: None}))


def test_a_disk_the_vm_does_not_have_can_not_grow(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5"))
    with pytest.raises(Refused, match="no disk 2002, 2003"):
        vcd.client().reconfigure(VM, VmChange(disk_mb={"2003": 1, "2000": 50000, "2002": 1}))
    assert [call.split()[0] for call in vcd.calls] == ["GET"]


def test_an_independent_disk_is_not_a_disk_of_the_vm(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", PATHS[VM_36], fixture("vm-36"))
    for change in (VmChange(removed_disks=frozenset({"2016"})), VmChange(disk_mb={"2016": 99999})):
        with pytest.raises(Refused, match="no disk 2016 of its own"):
            vcd_39.client().reconfigure(VM_36, change)


def test_disks_that_share_an_id_are_left_alone(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5").replace(">2001<", ">2000<"))
    with pytest.raises(Unavailable, match="two disks of one id"):
        vcd.client().reconfigure(VM, VmChange(disk_mb={"2000": 30000}))
    assert [call.split()[0] for call in vcd.calls] == ["GET"] * 3


def test_a_disk_of_the_same_size_is_no_shrinking(vcd: Vcd) -> None:
    vm = as_vm(sent(vcd, VM, disk_mb={"2000": 20480}), VM)
    assert vm.disks[0].size_mb == 20480


def test_a_disk_that_would_shrink_is_refused_and_nothing_sent(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5"))
    with pytest.raises(Refused, match="cannot be reduced from 20480 MB to 20479 MB"):
        vcd.client().reconfigure(VM, VmChange(disk_mb={"2000": 20479}))
    assert [call.split()[0] for call in vcd.calls] == ["GET"]


@pytest.mark.parametrize("urn", [VM, VM_36])
def test_a_new_disk_stands_behind_the_others_on_a_free_place_of_the_same_controller(vcd: Vcd, urn: str) -> None:
    root = sent(vcd, urn, new_disks_mb=(2048,))
    before = machines.vm(xml.parse(fixture(DOCUMENTS[urn]).encode(), "Vm")).disks
    *others, added = as_vm(root, urn).disks
    assert tuple(others) == before
    assert (added.size_mb, added.bus_type, added.bus_sub_type) == (2048, before[0].bus_type, before[0].bus_sub_type)
    assert added.bus_instance_id == before[0].bus_instance_id
    assert added.instance_id not in {disk.instance_id for disk in before}
    assert (added.bus_instance_id, added.unit_number) not in {(one.bus_instance_id, one.unit_number) for one in before}


def test_a_vm_without_disks_gets_its_first_on_a_controller_that_vcloud_makes(vcd: Vcd) -> None:
    section = f'<h:VirtualHardwareSection xmlns:h="{xml.OVF}"><h:Info/></h:VirtualHardwareSection>'
    vcd.answer("GET", PATHS[VM], f'<Vm xmlns="{xml.VCLOUD}" name="x" id="{VM}">{section}</Vm>')
    vcd.answer("POST", f"{PATHS[VM]}/action/reconfigureVm", fixture("task-running-36"), status=202)
    vcd.client().reconfigure(VM, VmChange(new_disks_mb=(1024,)))
    [disk] = as_vm(etree.fromstring(vcd.last.body), VM).disks
    assert (disk.instance_id, disk.size_mb, disk.bus_type, disk.bus_instance_id) == ("2000", 1024, 6, None)


def test_a_description_may_be_emptied(vcd: Vcd) -> None:
    assert not sent(vcd, VM, description="")[0].text


def names_of_cards(root: etree._Element) -> list[list[str]]:
    cards = root.iter(f"{{{xml.VCLOUD}}}NetworkConnection")
    return [[etree.QName(item).localname for item in card] for card in cards]


def test_a_rewired_card_keeps_the_order_of_the_schema_and_its_adapter(vcd: Vcd) -> None:
    root = sent(vcd, VM_36, cards={0: Wiring("lab", "MANUAL", "10.1.0.9"), 1: Wiring()})
    first, second = names_of_cards(root)
    order = ["NetworkConnectionIndex", "IpAddress", "IsConnected", "MACAddress", "IpAddressAllocationMode"]
    assert first[:5] == order
    assert second[:4] == [name for name in order if name != "IpAddress"]
    assert first[5:] == ["NetworkAdapterType"]
    assert second[4:] == ["SecondaryIpAddressAllocationMode", "NetworkAdapterType"]
    assert [(nic.network, nic.mode, nic.ip, nic.connected) for nic in as_vm(root, VM_36).nics] == [
        ("lab", "MANUAL", "10.1.0.9", True),
        (None, "NONE", None, False),
    ]


def test_addresses_of_another_kind_go_with_the_old_network(vcd: Vcd) -> None:
    old = "<IpType>IPV_4</IpType><SecondaryIp>fd00::1</SecondaryIp><IsConnected>"
    document = fixture("vm-36").replace("<IsConnected>", old)
    vcd.answer("GET", PATHS[VM_36], document)
    vcd.answer("POST", f"{PATHS[VM_36]}/action/reconfigureVm", fixture("task-running-36"), status=202)
    vcd.client().reconfigure(VM_36, VmChange(cards={0: Wiring("lab")}))
    first, second = names_of_cards(etree.fromstring(vcd.last.body))
    assert not {"IpType", "SecondaryIp"} & set(first)
    assert {"IpType", "SecondaryIp"} <= set(second)


def test_the_last_card_may_go_and_there_is_no_primary_one_then(vcd: Vcd) -> None:
    root = sent(vcd, VM_36, cards={0: None, 1: None})
    assert as_vm(root, VM_36).nics == ()
    assert b"PrimaryNetworkConnectionIndex" not in etree.tostring(root)


def test_a_change_of_nothing_is_our_own_mistake(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5"))
    with pytest.raises(ValueError, match="changes nothing"):
        vcd.client().reconfigure(VM, VmChange())


def test_a_vm_without_the_hardware_in_question_is_no_answer(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], '<Vm xmlns="http://www.vmware.com/vcloud/v1.5" name="x" id="y"/>')
    with pytest.raises(Unavailable, match="VirtualHardwareSection"):
        vcd.client().reconfigure(VM, VmChange(cpu_count=2))


def test_no_password_is_ever_represented_or_read(vcd: Vcd) -> None:
    vcd.answer("GET", PATHS[VM], fixture("vm-5.5"))
    vm = vcd.client().vm(VM)
    assert vm.customization.password is None
    assert "read-In-clear1" not in repr(vm)
    assert "s3cret-x" not in repr(GuestCustomization(password="s3cret-x"))


@given(st.integers(1, 64), st.integers(4, 2**20), st.integers(40960, 2**22))
def test_any_sizes_are_read_back_as_they_were_sent(cpu_count: int, memory_mb: int, size_mb: int) -> None:
    document = xml.parse(fixture("vm-36").encode(), "Vm")
    change = VmChange(cpu_count=cpu_count, memory_mb=memory_mb, disk_mb={"2000": size_mb}, new_disks_mb=(size_mb,))
    vm = as_vm(etree.fromstring(reconfigure.body(document, change)), VM_36)
    assert (vm.cpu_count, vm.memory_mb) == (cpu_count, memory_mb)
    assert [disk.size_mb for disk in vm.disks] == [size_mb, 10240, size_mb]
