"""Templates of several servers: all are made in one new vApp, each with its name, its size and the password."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.cloud import offers, vms
from app.cloud.operation_models import Operation
from app.cloud.sizes import Size, default_names, machine_names_errors
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, vdc_of
from tests.support.machines import accepted, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator, entities
from vcdsim.faults import error

NAMES = ("front", "app", "data")


def several(**changes: Any) -> vms.VmSpec:
    return wish(**{"template": "lamp", "size": None, "machine_names": NAMES, "vm_name": "blog", **changes})


def create(cast: Cast, cloud: Simulator, clock: Clock, **changes: Any) -> Operation:
    operation_id = vms.request_create(cast.owner, several(**changes), new_token())
    drain(cloud, clock)
    return operation(operation_id)


def made(cloud: Simulator) -> list[entities.Vm]:
    """The servers of the new vApp in the simulated vCloud, in its order."""
    vapps = [vapp for vapp in cloud.world.vapps.values() if vapp.name == "shop-3"]
    return [cloud.world.vms[vm_id] for vapp in vapps for vm_id in vapp.vm_ids]


@pytest.mark.usefixtures("generation")
def test_all_servers_run_with_their_names_sizes_addresses_and_the_password(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    done = create(cast, cloud, clock)
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    real = made(cloud)
    assert [(vm.name, vm.customization.computer_name) for vm in real] == [(name, name) for name in NAMES]
    assert [(vm.cpu_count, vm.memory_mb) for vm in real] == [(1, 1024), (2, 2048), (2, 4096)]
    assert [[disk.size_mb for disk in vm.disks] for vm in real] == [[10240], [10240], [10240, 40960]]
    assert {vm.customization.admin_password for vm in real} == {done.password}
    assert {vm.power for vm in real} == {"on"}
    mirrored = [vm_named(name) for name in NAMES]
    assert len({vm.inner_ip for vm in mirrored if vm.inner_ip}) == len(NAMES)
    assert len({vm.outer_ip for vm in mirrored if vm.outer_ip}) == len(NAMES)


def test_all_are_switched_on_by_one_command(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    create(cast, cloud, clock)
    assert accepted(cloud, "vappDeploy") == 1


def test_the_work_on_the_next_server_begins_at_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    assert done.finished_at is not None
    assert (done.finished_at - done.created_at).total_seconds() < 4 * 60


def test_without_names_they_are_called_as_in_the_template(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    create(cast, cloud, clock, machine_names=())
    assert [vm.name for vm in made(cloud)] == ["lamp-web", "lamp-app", "lamp-db"]


@pytest.mark.usefixtures("generation")
@pytest.mark.parametrize("command", ["instantiate", "reconfigure", "deploy"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_command_whose_answer_is_lost_has_one_effect(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, command: str, skip: int
) -> None:
    cloud.faults.add(command, drop_answer=True, skip=skip)
    assert create(cast, cloud, clock).state == "succeeded"
    assert [vm.name for vm in made(cloud)] == list(NAMES)
    assert accepted(cloud, "vdcInstantiateVapp") == 1


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_task_that_fails_on_any_of_them_removes_all(cast: Cast, cloud: Simulator, clock: Clock, skip: int) -> None:
    cloud.faults.add("reconfigure", task_error=error("INTERNAL_SERVER_ERROR", "No."), skip=skip)
    failed = create(cast, cloud, clock)
    assert (failed.state, failed.error_code) == ("failed", "task_failed")
    assert made(cloud) == []


def test_all_of_them_count_as_taken_and_must_fit_together(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vdc_id = vdc_of("acme-vdc").id
    before = offers.free_of(vdc_id)
    vms.request_create(cast.owner, several(), new_token())
    after = offers.free_of(vdc_id)
    assert before.memory_mb is not None
    assert after.memory_mb == before.memory_mb - 7 * 1024
    assert before.disk_gb is not None
    assert after.disk_gb == before.disk_gb - 70
    with transaction():
        vdc_of("acme-vdc").memory_limit_mb = (vdc_of("acme-vdc").memory_limit_mb or 0) - after_leaves(after, 6 * 1024)
    with pytest.raises(AppError, match="template_needs_memory_mb") as refused:
        vms.request_create(cast.owner, several(vapp_name="shop-4"), new_token())
    assert refused.value.params == {"needs": 7 * 1024, "free": 6 * 1024}


def after_leaves(free: Any, left_mb: int) -> int:
    """How much memory must go so that this much is left."""
    assert free.memory_mb is not None
    return int(free.memory_mb - left_mb)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"machine_names": ("front", "app")}, "machine_names_count", "machine_names"),
        ({"machine_names": ("front", "app", "no spaces")}, "vm_name_bad", "machine_names"),
        ({"machine_names": ("front", "app", "Front")}, "machine_name_twice", "machine_names"),
        ({"vm_name": ""}, "vm_name_empty", "vm_name"),
        ({"size": Size(cpu_count=1, memory_mb=1024, disk_gb=10)}, "template_of_many_has_sizes", "cpu_count"),
    ],
)
def test_bad_input_is_refused_at_its_field(
    cast: Cast, cloud: Simulator, clock: Clock, changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(AppError, match=code) as refused:
        vms.request_create(cast.owner, several(**changes), new_token())
    assert refused.value.field == field


def test_the_same_form_with_another_template_is_refused(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    token = new_token()
    vms.request_create(cast.owner, several(), token)
    for other in (wish(), several(machine_names=("a", "b")), several(network=None)):
        with pytest.raises(AppError, match="form_reused"):
            vms.request_create(cast.owner, other, token)
    assert db.session.query(Operation).count() == 1


# ---- Names, as tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["web", "db"], []),
        (["lamp-web", "lamp-db"], []),
        (["web", "WEB"], [2]),
        (["lamp-db", "x"], [1]),  # what the other one is called in the template
        (["", "12"], [1, 2]),
        (["x" * 16, "x" * 15], [1]),
    ],
)
def test_each_name_must_do_for_a_computer_of_its_own(names: Sequence[str], wrong: list[int]) -> None:
    errors = machine_names_errors(names, ["lamp-web", "lamp-db"], [True, False])
    assert [error.params["number"] for error in errors] == wrong


@pytest.mark.parametrize(
    ("template_names", "windows", "taken", "expected"),
    [
        (["web", "db"], False, (), ["web", "db"]),
        (["web", "db"], False, ("db", "web-2"), ["web", "db-2"]),
        (["My VM #1", "my_vm"], False, (), ["My-VM-1", "my-vm"]),
        (["сервер", "17"], False, (), ["server", "vm-17"]),
        (["web 1", "web.1"], False, (), ["web-1", "web-1-2"]),
        (["a-very-long-name-1", "a-very-long-name-2"], True, (), ["a-very-long-nam", "a-very-long-n-2"]),
    ],
)
def test_names_that_are_suggested_can_be_had(
    template_names: list[str],
    windows: bool,  # noqa: FBT001
    taken: tuple[str, ...],
    expected: list[str],
) -> None:
    are_windows = [windows] * len(template_names)
    found = default_names(template_names, are_windows, taken)
    assert found == expected
    assert not [error for error in machine_names_errors(found, template_names, are_windows) if found == template_names]
