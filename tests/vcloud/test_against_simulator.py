"""The same calls against the simulator, over real HTTP, in each generation of the API.

The two share no code, so an error of one is not an error of both.
"""

from datetime import UTC, datetime

import pytest

from app.vcloud import (
    Busy,
    Client,
    GuestCustomization,
    Login,
    NewVApp,
    NewVm,
    NotFound,
    Refused,
    SessionExpired,
    Unavailable,
    VApp,
    VAppNetwork,
    VmChange,
    VmStatus,
    Wiring,
)
from app.vcloud.query import version_key
from tests.vcloud.simulated import finish
from tests.vcloud.support import templates
from vcdsim import Simulator

NAME = "shop (a), b; c & <d>"


@pytest.fixture(params=["5.5", "5.6", "9.0", "27.0", "32.0", "33.0", "34.0", "35.0", "36.3", "37.2", "38.0", "39.1"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes the client believe that this is the newest version it was written for."""
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(request.param), 1))
    return str(request.param)


def create(client: Client, fence_mode: str, name: str = NAME) -> VApp:
    [vdc] = client.vdcs()
    template = next(item for item in templates(client) if item.name == "debian-12")
    parent = next(item for item in client.inventory(vdc.id).networks if item.name == "acme-net")
    network = VAppNetwork(parent.name, parent.id, "bridged")
    if fence_mode == "natRouted":
        network = VAppNetwork(
            "lab", parent.id, "natRouted", "10.9.0.1", "255.255.255.0", range_start="10.9.0.2", range_end="10.9.0.9"
        )
    vm = NewVm(template.vms[0].id, "web1", cards=(Wiring(network.name),))
    return client.instantiate(vdc.id, NewVApp(name, "mark 42", template.id, (vm,), network))


@pytest.mark.parametrize("fence_mode", ["bridged", "natRouted"])
def test_a_machine_is_made_shaped_started_stopped_and_deleted(
    sim: Simulator, client: Client, version: str, fence_mode: str
) -> None:
    vapp = create(client, fence_mode)
    assert client.session
    assert client.session.api_version == version
    assert (vapp.status, vapp.vms, vapp.description) == (VmStatus.UNRESOLVED, (), "mark 42")
    finish(sim, client, vapp.tasks[0])

    [vm] = client.vapp(vapp.id).vms
    if vm.name != "web1":  # below 5.6 names and networks can only be given afterwards
        cards = {0: Wiring(client.vapp(vapp.id).networks[0].name)}
        finish(sim, client, client.reconfigure(vm.id, VmChange(name="web1", cards=cards)))
    disks = {vm.disks[0].instance_id: vm.disks[0].size_mb + 1024}
    settings = GuestCustomization(enabled=True, computer_name="web1", password="Guest-pw-1")
    change = VmChange(cpu_count=2, memory_mb=2048, disk_mb=disks, customization=settings)
    finish(sim, client, client.reconfigure(vm.id, change))
    changed = client.vm(vm.id)
    assert (changed.name, changed.cpu_count, changed.memory_mb) == ("web1", 2, 2048)
    assert [disk.size_mb for disk in changed.disks] == list(disks.values())
    assert (changed.customization.computer_name, changed.customization.password_auto) == ("web1", False)

    finish(sim, client, client.deploy(vapp.id))
    running = client.vm(vm.id)
    assert (running.status, running.deployed) == (VmStatus.POWERED_ON, True)
    assert running.nics[0].ip
    assert (running.nics[0].external_ip is not None) == (fence_mode == "natRouted")

    finish(sim, client, client.shut_down(vm.id))
    stopped = client.vm(vm.id)
    assert (stopped.status, stopped.deployed) == (VmStatus.POWERED_OFF, True)
    finish(sim, client, client.undeploy(vapp.id))
    finish(sim, client, client.delete(vapp.id))
    with pytest.raises(NotFound):
        client.vapp(vapp.id)
    with pytest.raises(NotFound):
        client.vm(vm.id)


def test_a_name_with_all_signs_of_the_filter_is_found_exactly(sim: Simulator, client: Client, version: str) -> None:
    vapp = create(client, "bridged")
    [vdc] = client.vdcs()
    assert [record.id for record in client.vapps(vdc.id, NAME)] == [vapp.id]
    assert client.vapps(vdc.id, NAME[:-1]) == []
    [task] = client.tasks_named(NAME, since=datetime(2000, 1, 1, tzinfo=UTC))
    assert (task.id, task.object_id) == (vapp.tasks[0].id, vapp.id)


def test_all_vms_are_listed_once_and_those_of_templates_not_at_all(sim: Simulator, client: Client) -> None:
    [vdc] = client.vdcs()
    found = client.vms(vdc.id)
    assert len(found) == len({row.id for row in found})
    read = [vm for row in client.vapps(vdc.id) for vm in client.vapp(row.id).vms]
    assert {(row.id, row.name, row.status, row.cpu_count, row.memory_mb, row.vapp_id) for row in found} == {
        (vm.id, vm.name, vm.status, vm.cpu_count, vm.memory_mb, vm.vapp_id) for vm in read
    }


def test_a_taken_name_is_refused_by_its_code(sim: Simulator, client: Client) -> None:
    create(client, "bridged")
    with pytest.raises(Refused) as caught:
        create(client, "bridged")
    assert (caught.value.minor_code, caught.value.sent) == ("DUPLICATE_NAME", False)
    assert caught.value.request_id


def test_a_second_command_meets_a_busy_entity_and_learns_its_task(sim: Simulator, client: Client) -> None:
    vapp = create(client, "bridged")
    sim.settle()
    task = client.deploy(vapp.id)
    with pytest.raises(Busy) as caught:
        client.power_on(client.vapp(vapp.id).vms[0].id)
    assert caught.value.task_id == task.id


def test_what_is_deployed_can_not_be_deleted(sim: Simulator, client: Client) -> None:
    vapp = create(client, "bridged")
    sim.settle()
    finish(sim, client, client.deploy(vapp.id))
    with pytest.raises(Refused, match="Stop the v"):
        client.delete(vapp.id)


def test_an_ended_session_is_not_noticed(sim: Simulator, client: Client) -> None:
    before = client.vdcs()
    sim.expire_sessions()
    assert client.vdcs() == before


def test_a_wrong_password_is_told_apart_from_an_outage(url: str) -> None:
    with Client(f"{url}/api", Login("acme", "acme-admin", "wrong")) as client, pytest.raises(SessionExpired):
        client.vdcs()


def test_the_provider_lists_the_same_machines_as_the_customer(url: str, client: Client) -> None:
    [vdc] = client.vdcs()
    with Client(f"{url}/api", Login("System", "administrator", "secret")) as provider:
        assert {row.id for row in provider.vms(vdc.id)} == {row.id for row in client.vms(vdc.id)}


def test_a_lost_answer_leaves_one_vapp_that_carries_our_mark(sim: Simulator, client: Client) -> None:
    [vdc] = client.vdcs()
    sim.faults.add(operation="instantiate", drop_answer=True, times=1)
    with pytest.raises(Unavailable) as caught:
        create(client, "bridged")
    assert caught.value.sent
    [record] = client.vapps(vdc.id, NAME)
    assert client.vapp(record.id).description == "mark 42"
