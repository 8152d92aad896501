"""What is done with machines, against the simulator in three generations of the API."""

import logging

import pytest

from app.vcloud import Client, GuestCustomization, Refused, TaskStatus, VmChange, VmStatus, Wiring
from tests.vcloud.simulated import finish, sent, vapp_named, vm_named
from vcdsim import Simulator

pytestmark = pytest.mark.usefixtures("generation")


# Power


def test_a_vm_is_suspended_and_goes_on(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "wiki")
    finish(sim, client, client.suspend(vm.id))
    assert client.vm(vm.id).status is VmStatus.SUSPENDED
    finish(sim, client, client.power_on(vm.id))
    assert client.vm(vm.id).status is VmStatus.POWERED_ON


def test_the_memory_of_a_suspended_vm_is_thrown_away(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "legacy-erp")
    finish(sim, client, client.discard_suspended_state(vm.id))
    assert client.vm(vm.id).status is VmStatus.POWERED_OFF


@pytest.mark.parametrize(
    ("command", "operation"), [("reboot", "vappRebootGuest"), ("reset", "vappReset")], ids=["reboot", "reset"]
)
def test_a_vm_starts_anew_and_is_on(sim: Simulator, client: Client, command: str, operation: str) -> None:
    vm = vm_named(client, "wiki")
    task = getattr(client, command)(vm.id)
    assert task.operation_name == operation
    finish(sim, client, task)
    assert client.vm(vm.id).status is VmStatus.POWERED_ON


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("powerOff", VmStatus.POWERED_OFF),
        ("shutdown", VmStatus.POWERED_OFF),
        ("force", VmStatus.POWERED_OFF),
        ("default", VmStatus.POWERED_OFF),
        ("suspend", VmStatus.SUSPENDED),
    ],
)
def test_a_vm_is_undeployed_in_each_way(sim: Simulator, client: Client, action: str, status: VmStatus) -> None:
    vm = vm_named(client, "wiki")
    finish(sim, client, client.undeploy(vm.id, power_action=action))
    after = client.vm(vm.id)
    assert (after.status, after.deployed) == (status, False)


def test_a_vm_is_deployed_without_power(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    finish(sim, client, client.deploy(vm.id, power_on=False))
    after = client.vm(vm.id)
    assert (after.status, after.deployed) == (VmStatus.POWERED_OFF, True)


# Snapshots


def test_a_snapshot_is_taken_returned_to_and_removed(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    assert vm.snapshot is None
    finish(sim, client, client.create_snapshot(vm.id))
    taken = client.vm(vm.id).snapshot
    assert taken
    assert taken.created_at
    assert (taken.size_mb, taken.powered_on) == (vm.disks[0].size_mb, False)
    finish(sim, client, client.reconfigure(vm.id, VmChange(memory_mb=4096)))
    finish(sim, client, client.revert_to_snapshot(vm.id))
    after = client.vm(vm.id)
    assert (after.memory_mb, after.snapshot) == (vm.memory_mb, taken)
    finish(sim, client, client.remove_snapshots(vm.id))
    assert client.vm(vm.id).snapshot is None


def test_a_snapshot_of_a_running_vm_remembers_that_it_ran(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "wiki")
    finish(sim, client, client.create_snapshot(vm.id, memory=True, quiesce=True))
    taken = client.vm(vm.id).snapshot
    assert taken
    assert taken.powered_on


def test_without_a_snapshot_there_is_nothing_to_return_to(client: Client) -> None:
    with pytest.raises(Refused, match="does not have a snapshot"):
        client.revert_to_snapshot(vm_named(client, "sandbox").id)


# Disks and cards


def test_disks_are_added_grown_and_removed_in_one_task(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "shop-db")
    assert [(disk.instance_id, disk.size_mb) for disk in vm.disks] == [("2000", 20480), ("2001", 102400)]
    change = VmChange(disk_mb={"2000": 30720}, new_disks_mb=(1024, 2048), removed_disks=frozenset({"2001"}))
    finish(sim, client, client.reconfigure(vm.id, change))
    assert [(disk.size_mb, disk.bus_type) for disk in client.vm(vm.id).disks] == [(30720, 6), (1024, 6), (2048, 6)]
    units = [(disk.bus_instance_id, disk.unit_number) for disk in client.vm(vm.id).disks]
    assert len(set(units)) == 3


def test_many_disks_leave_out_the_place_of_the_controller(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    finish(sim, client, client.reconfigure(vm.id, VmChange(new_disks_mb=(1024,) * 8)))
    assert [disk.unit_number for disk in client.vm(vm.id).disks] == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_a_disk_that_would_shrink_is_refused_before_anything_is_sent(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    with pytest.raises(Refused, match="cannot be reduced from 10240 MB to 5120 MB"):
        client.reconfigure(vm.id, VmChange(disk_mb={"2000": 5120}))
    assert sent(sim, "/action/reconfigureVm") == 0


def test_a_disk_under_a_snapshot_does_not_grow(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    finish(sim, client, client.create_snapshot(vm.id))
    with pytest.raises(Refused, match="snapshots cannot be resized"):
        client.reconfigure(vm.id, VmChange(disk_mb={"2000": 20480}))


def test_a_card_changes_its_mode_and_address_and_keeps_its_mac(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    wirings = (
        (Wiring("acme-net", "MANUAL", "203.0.113.240"), ("acme-net", "MANUAL", "203.0.113.240", True)),
        (Wiring("acme-net", "DHCP"), ("acme-net", "DHCP", None, True)),
        (Wiring("acme-net", "DHCP", connected=False), ("acme-net", "DHCP", None, False)),
        (Wiring(), (None, "NONE", None, False)),
    )
    for wiring, expected in wirings:
        finish(sim, client, client.reconfigure(vm.id, VmChange(cards={0: wiring})))
        [nic] = client.vm(vm.id).nics
        assert (nic.network, nic.mode, nic.ip, nic.connected) == expected
        assert nic.mac == vm.nics[0].mac


def test_cards_are_added_and_removed_and_there_is_always_a_primary_one(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    finish(sim, client, client.reconfigure(vm.id, VmChange(cards={1: Wiring("acme-net"), 2: Wiring()})))
    nics = client.vm(vm.id).nics
    assert [(nic.index, nic.network, nic.primary) for nic in nics] == [
        (0, "acme-net", True),
        (1, "acme-net", False),
        (2, None, False),
    ]
    assert nics[0] == vm.nics[0]
    finish(sim, client, client.reconfigure(vm.id, VmChange(cards={0: None})))
    assert [(nic.mac, nic.primary) for nic in client.vm(vm.id).nics] == [(nics[1].mac, True), (nics[2].mac, False)]


def test_a_card_on_a_network_that_the_vapp_lacks_is_refused(client: Client) -> None:
    with pytest.raises(Refused, match="does not exist"):
        client.reconfigure(vm_named(client, "sandbox").id, VmChange(cards={0: Wiring("nowhere")}))


# Name, customization, hot add


def test_name_and_description_change_without_touching_the_rest(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    finish(sim, client, client.reconfigure(vm.id, VmChange(name="box", description="of Anna")))
    finish(sim, client, client.reconfigure(vm.id, VmChange(cpu_count=2)))
    after = client.vm(vm.id)
    assert (after.name, after.description, after.cpu_count) == ("box", "of Anna", 2)
    assert (after.disks, after.nics, after.customization) == (vm.disks, vm.nics, vm.customization)


def test_a_password_is_set_anew_and_applied_at_the_next_start(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    record = sim.world.vms[vm.id[-36:]]
    settings = GuestCustomization(enabled=True, password="Guest-pw-2")
    finish(sim, client, client.reconfigure(vm.id, VmChange(customization=settings)))
    before = record.customized_count
    finish(sim, client, client.deploy(vm.id, force_customization=True))
    assert (record.customization.admin_password, record.customized_count) == ("Guest-pw-2", before + 1)


def test_what_may_grow_hot_grows_hot(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "sandbox")
    record = sim.world.vms[vm.id[-36:]]
    record.cpu_hot_add = record.memory_hot_add = True
    finish(sim, client, client.deploy(vm.id))
    running = client.vm(vm.id)
    assert (running.cpu_hot_add, running.memory_hot_add) == (True, True)
    finish(sim, client, client.reconfigure(vm.id, VmChange(cpu_count=4, memory_mb=2048)))
    assert (client.vm(vm.id).cpu_count, client.vm(vm.id).memory_mb) == (4, 2048)


# Tasks, screen, leases


def test_a_task_is_cancelled(sim: Simulator, client: Client) -> None:
    task = client.power_on(vm_named(client, "sandbox").id)
    client.cancel(task.id)
    sim.settle()
    assert client.task(task.id).status is TaskStatus.CANCELED


def test_the_screen_of_a_running_vm_has_a_ticket_that_nobody_sees(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ticket = client.mks_ticket(vm_named(client, "wiki").id)
    assert (ticket.host, ticket.vmx, ticket.port) == ("127.0.0.1", "", 902)
    assert ticket.ticket
    assert ticket.ticket not in repr(ticket) + caplog.text


def test_the_screen_of_a_vm_that_is_off_has_none(client: Client) -> None:
    with pytest.raises(Refused, match="not running"):
        client.mks_ticket(vm_named(client, "sandbox").id)


def test_leases_are_told_in_seconds_and_for_ever_is_none(sim: Simulator, client: Client) -> None:
    vapp = vapp_named(client, "intranet")
    record = sim.world.vapps[vapp.id[-36:]]
    record.deployment_lease_s, record.storage_lease_s = 604_800, 0
    leases = client.vapp(vapp.id).leases
    assert (leases.deployment_s, leases.storage_s) == (604_800, None)


def test_the_password_that_vcloud_keeps_is_read_by_nothing_else(sim: Simulator, client: Client) -> None:
    vm = vm_named(client, "wiki")
    wish = GuestCustomization(enabled=True, password="Guest-pw<1")
    finish(sim, client, client.reconfigure(vm.id, VmChange(customization=wish)))
    assert vm.vapp_id is not None
    (told,) = client.admin_passwords(vm.vapp_id)
    assert (told.vm_id, told.password) == (vm.id, "Guest-pw<1")
    assert "Guest-pw" not in repr((told, client.vapp(vm.vapp_id)))
