"""Renaming a machine."""

import uuid

import pytest

from app.cloud import naming
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation
from tests.support.machines import accepted, real_vm, vm_named
from vcdsim import Simulator
from vcdsim.faults import error

pytestmark = pytest.mark.one_database


def ask(cast: Cast, old: str, new: str) -> uuid.UUID:
    """Ask for another name as the owner."""
    return naming.request_rename(cast.owner, vm_named(old).id, new_token(), name=new)


@pytest.mark.parametrize("old", ["sandbox", "terminal", "legacy-erp"])
def test_a_machine_gets_its_new_name_and_its_guest_keeps_the_old_one(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock, old: str
) -> None:
    vm_id = vm_named(old).id
    asked = ask(cast, old, "web-9")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert vm_named("web-9").id == vm_id
    assert real_vm(cloud, "web-9").customization.computer_name == old


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("shop-web-1", "", "vm_name_empty"),
        ("shop-web-1", "a_b", "vm_name_bad"),
        ("shop-web-1", "shop-web-1", "vm_name_unchanged"),
        ("shop-web-1", "shop-web-2", "vm_name_taken"),
        ("shop-web-1", "x" * 64, "vm_name_long"),
        ("terminal", "x" * 16, "vm_name_long_windows"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_field(
    cast: Cast, cloud: Simulator, clock: Clock, old: str, new: str, code: str
) -> None:
    with pytest.raises(AppError) as refused:
        ask(cast, old, new)
    assert (refused.value.code, refused.value.field) == (code, "vm_name")


def test_a_name_of_another_vapp_may_be_taken(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast, "sandbox", "wiki")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


def test_a_name_that_only_vcloud_knows_to_be_taken_is_explained(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real_vm(cloud, "shop-web-2").name = "web-9"
    asked = ask(cast, "shop-web-1", "web-9")
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "vm_name_taken")


def test_a_clash_that_shows_only_in_the_task_is_explained_too(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", task_error=error("DUPLICATE_NAME", "The VCD entity web-9 already exists."))
    asked = ask(cast, "sandbox", "web-9")
    drain(cloud, clock)
    assert operation(asked).error_code == "vm_name_taken"


def test_the_same_form_sent_again_after_the_renaming_is_the_same_operation(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vm_id, token = vm_named("sandbox").id, new_token()
    first = naming.request_rename(cast.owner, vm_id, token, name="web-9")
    drain(cloud, clock)
    assert naming.request_rename(cast.owner, vm_id, token, name="web-9") == first


@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_has_exactly_one_effect(cast: Cast, cloud: Simulator, clock: Clock, fault: str) -> None:
    cloud.faults.add("reconfigure", drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = ask(cast, "sandbox", "web-9")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert real_vm(cloud, "web-9").memory_mb == 1024
    assert accepted(cloud, "vappUpdateVm") == 1
