"""What was touched lately, by the tasks of a vCloud whose clock is not ours."""

from datetime import UTC, datetime, timedelta

import pytest

from app.vcloud import Client
from tests.vcloud.simulated import vdc_of, vm_named
from vcdsim import Simulator

AHEAD_S = 3600
MINUTE = timedelta(minutes=1)


@pytest.fixture
def since(sim: Simulator, client: Client) -> datetime:
    """A minute before now, by our clock; nothing was touched from there on. That of vCloud is an hour ahead."""
    for task in sim.world.tasks.values():
        task.created_at, task.finished_at = task.created_at - 86400, (task.finished_at or task.created_at) - 86400
    sim.advance(AHEAD_S)
    client.versions()  # tells its clock
    return datetime.now(UTC) - MINUTE


def touched(client: Client, since: datetime) -> dict[str, datetime]:
    """What the inventory says of the data center."""
    return client.inventory(vdc_of(client).id, since=since).touched


def test_what_is_being_worked_on_was_touched_just_now(sim: Simulator, client: Client, since: datetime) -> None:
    vm = vm_named(client, "wiki")
    assert touched(client, since) == {}
    client.suspend(vm.id)
    sim.requests.clear()
    found = touched(client, since)
    assert len([path for _, path in sim.requests if "type=task" in path]) == 1
    assert set(found) == {vm.id}
    assert abs(found[vm.id] - datetime.now(UTC)) < MINUTE


def test_what_was_touched_twice_has_the_later_moment_by_our_clock(
    sim: Simulator, client: Client, since: datetime
) -> None:
    vm = vm_named(client, "wiki")
    client.suspend(vm.id)
    sim.settle()
    sim.advance(600)
    client.power_on(vm.id)
    sim.settle()
    client.versions()
    [(urn, at)] = touched(client, since - 20 * MINUTE).items()
    assert urn == vm.id
    assert abs(at - datetime.now(UTC)) < MINUTE


def test_a_task_that_began_long_ago_and_ended_since_counts(sim: Simulator, client: Client, since: datetime) -> None:
    vm = vm_named(client, "wiki")
    task = client.suspend(vm.id)
    sim.settle()
    sim.world.tasks[task.id[-36:]].created_at -= 86400
    assert set(touched(client, since)) == {vm.id}
    assert touched(client, datetime.now(UTC) + 5 * MINUTE) == {}


def test_vapps_count_and_other_objects_do_not(sim: Simulator, client: Client, since: datetime) -> None:
    vm = vm_named(client, "wiki")
    assert vm.vapp_id
    client.undeploy(vm.vapp_id)
    sim.settle()
    assert vm.vapp_id in touched(client, since)
    for task in sim.world.tasks.values():
        task.owner_kind = "network"
    assert touched(client, since) == {}


def test_below_35_where_rows_name_the_last_task_nobody_is_asked(
    sim: Simulator, client: Client, since: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (34, 0, 1))
    vm = vm_named(client, "wiki")
    task = client.suspend(vm.id)
    sim.requests.clear()
    assert touched(client, since) == {}
    assert not any("type=task" in path for _, path in sim.requests)
    assert vm.vapp_id
    assert [row.task_id for row in client.vms(vdc_of(client).id) if row.id == vm.id] == [task.id]
