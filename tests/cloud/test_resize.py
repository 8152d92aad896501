"""Changing processors and memory: hot, with a restart, or of a machine that is off."""

import uuid
from typing import Any

import pytest

from app.cloud import deletion, operations, resize, sync
from app.cloud.rules import VmState
from app.db import transaction
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, pass_time
from tests.support.machines import accepted, real_vm, vm_named
from vcdsim import Simulator
from vcdsim.entities import OFF, ON
from vcdsim.faults import error

QUOTA = error("BAD_REQUEST", "There are insufficient CPU or memory resources to complete the operation.")


def change(cast: Cast, name: str, cpu_count: int, memory_mb: int, *, restart: bool = False) -> uuid.UUID:
    """Ask for another size as the owner."""
    return resize.request_resize(
        cast.owner, vm_named(name).id, new_token(), cpu_count=cpu_count, memory_mb=memory_mb, restart=restart
    )


def let(cloud: Simulator, name: str, **values: Any) -> None:
    """Make the machine like this in vCloud, and read it."""
    for key, value in values.items():
        setattr(real_vm(cloud, name), key, value)
    with transaction():  # no task has done it, so vCloud's listing does not tell: it would be read within a day
        vm_named(name).vapp.read_key = None
    sync.refresh(vm_named(name).vdc.service_id)


def size_of(cloud: Simulator, name: str) -> tuple[int, int]:
    """CPU and memory, of which both sides know the same."""
    real, mirror = real_vm(cloud, name), vm_named(name)
    assert (real.cpu_count, real.memory_mb) == (mirror.cpu_count, mirror.memory_mb)
    return mirror.cpu_count, mirror.memory_mb


def told(asked: uuid.UUID, kind: str) -> list[str]:
    """The steps with an event of this kind."""
    return [event.step for event in operation(asked).events if event.kind == kind]


def test_a_machine_that_is_off_changes_and_stays_off(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = change(cast, "sandbox", 3, 2048)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert size_of(cloud, "sandbox") == (3, 2048)
    assert vm_named("sandbox").state is VmState.OFF
    assert told(asked, "skip") == ["ask_guest", "guest_stops", "undeploy", "power_on"]


def test_a_running_machine_grows_hot(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    let(cloud, "wiki", cpu_hot_add=True, memory_hot_add=True)
    asked = change(cast, "wiki", 4, 8192)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert size_of(cloud, "wiki") == (4, 8192)
    assert accepted(cloud, "vappShutdownGuest") == 0


def test_a_running_machine_is_stopped_and_started_again(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = change(cast, "wiki", 1, 2048, restart=True)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert size_of(cloud, "wiki") == (1, 2048)
    assert vm_named("wiki").state is VmState.ON
    assert told(asked, "skip") == []


def test_a_number_that_the_cores_do_not_divide_takes_a_restart(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    let(cloud, "wiki", cpu_hot_add=True, cores_per_socket=2)
    with pytest.raises(AppError, match="plan_changed"):
        change(cast, "wiki", 3, 4096)
    change(cast, "wiki", 3, 4096, restart=True)
    drain(cloud, clock)
    assert size_of(cloud, "wiki") == (3, 4096)
    assert real_vm(cloud, "wiki").cores_per_socket == 1


def test_cores_stay_where_they_divide_the_number(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    let(cloud, "wiki", cpu_hot_add=True, cores_per_socket=2)
    change(cast, "wiki", 4, 4096)
    drain(cloud, clock)
    assert (size_of(cloud, "wiki"), real_vm(cloud, "wiki").cores_per_socket) == ((4, 4096), 2)


@pytest.mark.parametrize(("name", "restart"), [("wiki", False), ("sandbox", True)])
def test_another_plan_than_the_person_agreed_to_is_refused(
    cast: Cast, cloud: Simulator, clock: Clock, name: str, *, restart: bool
) -> None:
    with pytest.raises(AppError, match="plan_changed") as refused:
        change(cast, name, 3, 8192, restart=restart)
    assert refused.value.field == "restart"


def test_a_machine_that_somebody_stopped_meanwhile_stays_off(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = change(cast, "wiki", 1, 2048, restart=True)
    vm = real_vm(cloud, "wiki")
    vm.power, vm.is_deployed = OFF, False
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert (size_of(cloud, "wiki"), vm_named("wiki").state) == ((1, 2048), VmState.OFF)


def test_a_silent_guest_leaves_the_machine_as_it_was(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("shutdown", stuck_task=True)
    asked = change(cast, "wiki", 1, 2048, restart=True)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "guest_silent")
    assert (size_of(cloud, "wiki"), vm_named("wiki").state) == ((2, 4096), VmState.ON)
    assert (clock.at - operation(asked).created_at).total_seconds() < 11 * 60


def test_a_machine_that_was_stopped_in_vain_is_started_again(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", error=QUOTA)
    asked = change(cast, "wiki", 1, 2048, restart=True)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert (size_of(cloud, "wiki"), vm_named("wiki").state) == ((2, 4096), VmState.ON)


def test_a_machine_is_not_deleted_while_it_is_being_resized(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = change(cast, "sandbox", 3, 2048)
    operations.advance(asked)
    with pytest.raises(AppError, match="action_blocked") as refused:
        deletion.request_delete(cast.owner, vm_named("sandbox").id, new_token(), typed_name="sandbox", keep_h=24)
    assert refused.value.params["reason"] == "busy"
    drain(cloud, clock)
    assert (operation(asked).state, size_of(cloud, "sandbox")) == ("succeeded", (3, 2048))


def test_what_vcloud_made_otherwise_is_told(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = change(cast, "sandbox", 3, 2048)
    for _ in range(5):
        operations.advance(asked)
    pass_time(cloud, clock, 60)
    real_vm(cloud, "sandbox").memory_mb = 1536
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert operation(asked).facts["differences"] == [{"what": "memory_mb", "asked": 2048, "got": 1536}]


@pytest.mark.parametrize(
    ("cpu_count", "memory_mb", "code", "field"),
    [
        (0, 1024, "new_cpu_count_too_small", "cpu_count"),
        (33, 1024, "new_cpu_count_too_large_vsphere", "cpu_count"),
        (1, 256, "new_memory_mb_too_small", "memory_mb"),
        (1, 1024 * 1024, "new_memory_mb_too_large_vdc", "memory_mb"),
        (1, 1026, "memory_mb_not_multiple", "memory_mb"),
        (1, 1024, "size_unchanged", "cpu_count"),
    ],
)
def test_a_size_that_cannot_be_is_refused_at_its_field(
    cast: Cast, cloud: Simulator, clock: Clock, cpu_count: int, memory_mb: int, code: str, field: str
) -> None:
    with pytest.raises(AppError) as refused:
        change(cast, "sandbox", cpu_count, memory_mb)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_suspended_machine_is_resumed_first(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="action_blocked") as refused:
        change(cast, "legacy-erp", 4, 8192)
    assert refused.value.params["reason"] == "resume_first"


def test_what_one_machine_will_take_is_not_free_for_the_next(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    most = resize.bounds_of(vm_named("sandbox")).memory_mb.most
    change(cast, "sandbox", 1, most)
    with pytest.raises(AppError, match="new_memory_mb_too_large_vdc"):
        change(cast, "ci-runner-2", 4, 8196)
    drain(cloud, clock)
    assert vm_named("sandbox").memory_mb == most


def test_a_full_data_center_lets_a_machine_shrink(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.world.vdcs[real_vm(cloud, "sandbox").vdc_id].memory_limit_mb = 1024
    sync.refresh(vm_named("sandbox").vdc.service_id)
    asked = change(cast, "ci-runner-2", 4, 4096)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


COMMANDS = {
    "shutdown": "vappShutdownGuest",
    "undeploy": "vappUndeployPowerOff",
    "reconfigure": "vappUpdateVm",
    "powerOn": "vappDeploy",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_has_exactly_one_effect(
    cast: Cast, cloud: Simulator, clock: Clock, command: str, fault: str
) -> None:
    cloud.faults.add(command, drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = change(cast, "wiki", 1, 2048, restart=True)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert (size_of(cloud, "wiki"), real_vm(cloud, "wiki").power) == ((1, 2048), ON)
    assert {task: accepted(cloud, task) for task in COMMANDS.values()} == dict.fromkeys(COMMANDS.values(), 1)


def test_a_machine_can_be_asked_again_after_a_failure(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", error=QUOTA)
    change(cast, "sandbox", 3, 2048)
    drain(cloud, clock)
    asked = change(cast, "sandbox", 3, 2048)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
