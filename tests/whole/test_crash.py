"""Real processes that die: whatever is killed, one click makes one server."""

import signal
from collections import Counter
from functools import partial

import pytest
import requests

from tests.support.customer import Customer
from tests.support.live import LivePanel
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until


def servers(panel: LivePanel) -> Counter[str]:
    """How often each vApp name exists in the simulated vCloud."""
    return Counter(vapp.name for vapp in panel.simulator.world.vapps.values())


def all_rest(panel: LivePanel) -> bool:
    """Whether every operation has come to its end."""
    return all(state not in {"queued", "running"} for _, state in panel.operations())


def is_resting_at(step: str, panel: LivePanel) -> bool:
    """Whether an operation waits at this step and no worker holds it."""
    return bool(panel.read("SELECT 1 FROM operations WHERE step = ? AND claimed_until IS NULL", step))


def instantiations(panel: LivePanel) -> int:
    """How many requests to create have reached vCloud."""
    return sum(path.endswith("/action/instantiateVAppTemplate") for _, path in panel.simulator.requests)


def reconfigurations(panel: LivePanel) -> int:
    """How many requests to change a machine have reached vCloud."""
    return sum(path.endswith("/action/reconfigureVm") for _, path in panel.simulator.requests)


def has_been_asked(panel: LivePanel, before: int) -> bool:
    """Whether one more request to change a machine has reached vCloud."""
    return reconfigurations(panel) == before + 1


@pytest.mark.parametrize("moment", ["vcloud has accepted", "vcloud is building"])
def test_a_worker_killed_in_the_middle_leaves_one_server(live_panel: LivePanel, moment: str) -> None:
    if moment == "vcloud has accepted":
        live_panel.simulator.faults.add("instantiate", latency_s=5)  # the answer is late, the worker dies waiting
    Customer(live_panel.url).create("crash-1")
    wait_until(lambda: instantiations(live_panel) == 1, "vCloud got the request", deadline_s=90)
    if moment == "vcloud is building":
        wait_until(lambda: is_resting_at("build", live_panel), "the worker waits for the task", deadline_s=90)
    live_panel.workers[0].stop(signal.SIGKILL)
    live_panel.let_time_pass(91)  # the dead worker's claim runs out
    live_panel.start_worker()
    wait_until(lambda: all_rest(live_panel), "the operation ends", deadline_s=180)
    assert live_panel.operations() == [("create", "succeeded")]
    assert servers(live_panel)["crash-1"] == 1
    assert instantiations(live_panel) == 1
    signs = live_panel.read("SELECT program, count(*) FROM heartbeats GROUP BY program ORDER BY program")
    assert signs == [("clock", 1), ("worker", 2)]


def test_a_worker_killed_at_a_resize_a_disk_and_a_deletion_does_each_once(live_panel: LivePanel) -> None:
    machine = next(vm for vm in live_panel.simulator.world.vms.values() if vm.name == "sandbox")
    wishes: tuple[tuple[str, dict[str, object]], ...] = (
        ("resize", {"cpu_count": 2, "memory_mb": 3072}),
        ("grow-disk", {"instance_id": str(machine.disks[0].instance_id), "size_gb": 60}),
        ("delete", {"typed_name": "sandbox"}),
    )
    headers = {"Authorization": f"Bearer {Customer(live_panel.url).token('crash')}"}
    address = f"{live_panel.url}/api/v1/vms"
    found = requests.get(f"{address}?q=name:sandbox", headers=headers, timeout=30)
    vm_id = found.json()["items"][0]["id"]
    for action, wish in wishes:
        live_panel.simulator.faults.add("reconfigure", latency_s=5)  # the answer is late, the worker dies waiting
        before = reconfigurations(live_panel)
        asked = requests.post(
            f"{address}/{vm_id}/actions/{action}",
            json=wish,
            headers={**headers, "Idempotency-Key": action},
            timeout=30,
        )
        assert asked.status_code == 202, asked.text
        wait_until(partial(has_been_asked, live_panel, before), "vCloud got the request", deadline_s=90)
        live_panel.workers[-1].stop(signal.SIGKILL)
        live_panel.let_time_pass(91)  # the dead worker's claim runs out
        live_panel.start_worker()
        wait_until(partial(all_rest, live_panel), "the operation ends", deadline_s=180)
    assert dict(live_panel.operations()) == dict.fromkeys(("resize", "grow_disk", "delete"), "succeeded")
    assert reconfigurations(live_panel) == len(wishes)
    assert (machine.cpu_count, machine.memory_mb, machine.disks[0].size_mb) == (2, 3072, 60 * 1024)
    assert machine.name.startswith("sandbox-")


def test_servers_survive_workers_killed_at_random(live_panel: LivePanel) -> None:
    customer = Customer(live_panel.url)
    for number in range(3):
        customer.create(f"crash-{number}")
        live_panel.workers[-1].stop(signal.SIGKILL)
        live_panel.start_worker()
    wait_until(lambda: all_rest(live_panel), "all operations end", deadline_s=240)
    assert live_panel.operations() == [("create", "succeeded")] * 3
    assert [servers(live_panel)[f"crash-{number}"] for number in range(3)] == [1, 1, 1]


def test_a_wiped_redis_loses_nothing(live_panel: LivePanel, redis_server: RedisServer) -> None:
    live_panel.workers[0].stop(signal.SIGKILL)
    Customer(live_panel.url).create("wiped-1")
    redis_server.wipe()
    live_panel.start_worker()
    wait_until(lambda: all_rest(live_panel), "the operation ends", deadline_s=180)
    assert live_panel.operations() == [("create", "succeeded")]
    assert servers(live_panel)["wiped-1"] == 1


def test_a_click_while_redis_is_away_is_carried_out_later(live_panel: LivePanel, redis_server: RedisServer) -> None:
    customer = Customer(live_panel.url)
    redis_server.kill()
    customer.create("away-1")
    redis_server.start()
    live_panel.start_worker()  # the first one may have died with its Redis, as under a supervisor
    wait_until(lambda: all_rest(live_panel), "the operation ends", deadline_s=180)
    assert live_panel.operations() == [("create", "succeeded")]
    assert servers(live_panel)["away-1"] == 1


def test_a_double_click_makes_one_server_and_shows_it_twice(live_panel: LivePanel) -> None:
    customer = Customer(live_panel.url)
    form = customer.filled("/vms/new", "/vms/new", vm_name="double-1")
    first, second = customer.post("/vms/new", form), customer.post("/vms/new", form)
    assert first.url == second.url
    wait_until(lambda: all_rest(live_panel), "the operation ends", deadline_s=180)
    assert servers(live_panel)["double-1"] == 1


def test_the_list_shows_its_machines_while_vcloud_is_away(live_panel: LivePanel) -> None:
    customer = Customer(live_panel.url)
    live_panel.stop_simulator()
    wait_until(lambda: "does not answer" in customer.get("/vms").text, "the panel notices", deadline_s=60)
    page = customer.get("/vms")
    assert page.status_code == 200
    assert "sandbox" in page.text
    assert "ago" in page.text
