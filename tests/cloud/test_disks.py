"""Disks: grown, added, removed; nothing else touched, and nothing twice."""

import uuid
from collections.abc import Callable

import pytest

from app.cloud import disks, offers, operations, rescue
from app.cloud.models import Vm
from app.cloud.rules import VmState
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, vdc_of
from tests.support.machines import real_vm, vm_named
from vcdsim import Simulator
from vcdsim.faults import error

GB = 1024


def sizes_gb(cloud: Simulator, name: str) -> dict[str, int]:
    """Instance id -> size of the disks that the machine has in the simulated vCloud."""
    return {str(disk.instance_id): disk.size_mb // GB for disk in real_vm(cloud, name).disks}


def mirrored_gb(name: str) -> dict[str, int]:
    """The same as the panel knows it."""
    return {disk["instance_id"]: disk["size_mb"] // GB for disk in vm_named(name).disks}


def grow(cast: Cast, name: str, instance_id: str, size_gb: int) -> uuid.UUID:
    return disks.request_grow(cast.owner, vm_named(name).id, new_token(), instance_id=instance_id, size_gb=size_gb)


def add(cast: Cast, name: str, size_gb: int) -> uuid.UUID:
    return disks.request_add(cast.owner, vm_named(name).id, new_token(), size_gb=size_gb)


def remove(cast: Cast, name: str, instance_id: str) -> uuid.UUID:
    return disks.request_remove(cast.owner, vm_named(name).id, new_token(), instance_id=instance_id)


def with_a_second_disk(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    """The machine "sandbox", which is off, gets a disk of 5 GB."""
    add(cast, "sandbox", 5)
    drain(cloud, clock)


def test_a_disk_grows_and_the_others_stay(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = grow(cast, "shop-db", "2001", 120)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    assert sizes_gb(cloud, "shop-db") == mirrored_gb("shop-db") == {"2000": 20, "2001": 120}
    assert vm_named("shop-db").state is VmState.ON


def test_a_disk_is_added_behind_the_others(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = add(cast, "sandbox", 5)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    assert operation(asked).facts["instance_id"] == "2001"
    assert sizes_gb(cloud, "sandbox") == mirrored_gb("sandbox") == {"2000": 10, "2001": 5}


def test_a_disk_is_removed_and_the_others_stay(generation: str, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with_a_second_disk(cast, cloud, clock)
    asked = remove(cast, "sandbox", "2001")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded", operation(asked).error_params
    assert sizes_gb(cloud, "sandbox") == mirrored_gb("sandbox") == {"2000": 10}


@pytest.mark.parametrize(
    ("ask", "code", "field"),
    [
        (lambda cast: grow(cast, "sandbox", "2000", 10), "disk_gb_not_larger", "size_gb"),
        (lambda cast: grow(cast, "sandbox", "2000", 100_000), "disk_gb_no_room", "size_gb"),
        (lambda cast: grow(cast, "sandbox", "2009", 20), "disk_gone", "instance_id"),
        (lambda cast: add(cast, "sandbox", 0), "disk_gb_empty", "size_gb"),
        (lambda cast: add(cast, "sandbox", 100_000), "disk_gb_no_room", "size_gb"),
        (lambda cast: remove(cast, "sandbox", "2000"), "disk_is_first", "instance_id"),
        (lambda cast: remove(cast, "sandbox", "2009"), "disk_gone", "instance_id"),
    ],
)
def test_a_wrong_wish_is_refused_at_its_field_and_asks_nothing_of_vcloud(
    cast: Cast, cloud: Simulator, clock: Clock, ask: Callable[[Cast], uuid.UUID], code: str, field: str
) -> None:
    before = len(cloud.requests)
    with pytest.raises(AppError, match=code) as refused:
        ask(cast)
    assert refused.value.field == field
    assert len(cloud.requests) == before


def test_a_disk_that_would_shrink_is_told_its_present_size(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError) as refused:
        grow(cast, "shop-db", "2001", 99)
    assert refused.value.params == {"value": 99, "old": 100}


def test_a_disk_may_take_all_that_is_free_and_no_more(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    free_gb = offers.free_of(vdc_of("acme-vdc").id).disk_gb
    assert free_gb is not None
    with pytest.raises(AppError, match="disk_gb_no_room") as refused:
        grow(cast, "sandbox", "2000", 10 + free_gb + 1)
    assert refused.value.params["most"] == 10 + free_gb
    asked = grow(cast, "sandbox", "2000", 10 + free_gb)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"


def test_what_a_disk_is_about_to_take_counts_as_taken(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    free_gb = offers.free_of(vdc_of("acme-vdc").id).disk_gb
    assert free_gb is not None
    grow(cast, "sandbox", "2000", 30)
    add(cast, "accounting", 7)
    assert offers.free_of(vdc_of("acme-vdc").id).disk_gb == free_gb - 20 - 7


@pytest.mark.parametrize(
    "ask", [lambda cast: grow(cast, "sandbox", "2001", 9), lambda cast: remove(cast, "sandbox", "2001")]
)
def test_an_independent_disk_is_left_alone(
    cast: Cast, cloud: Simulator, clock: Clock, ask: Callable[[Cast], uuid.UUID]
) -> None:
    with_a_second_disk(cast, cloud, clock)
    vm_id = vm_named("sandbox").id
    with transaction():
        vm = db.session.get_one(Vm, vm_id)
        vm.disks = [vm.disks[0], {**vm.disks[1], "independent": True}]
    with pytest.raises(AppError, match="disk_independent"):
        ask(cast)


def test_a_disk_that_became_another_one_in_vcloud_is_not_removed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with_a_second_disk(cast, cloud, clock)
    real_vm(cloud, "sandbox").disks[1].size_mb = 50 * GB
    asked = remove(cast, "sandbox", "2001")
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "disks_changed")
    assert sizes_gb(cloud, "sandbox") == mirrored_gb("sandbox") == {"2000": 10, "2001": 50}


def test_a_disk_that_vanished_in_vcloud_does_not_grow(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with_a_second_disk(cast, cloud, clock)
    del real_vm(cloud, "sandbox").disks[1]
    asked = grow(cast, "sandbox", "2001", 20)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "disks_changed")
    assert mirrored_gb("sandbox") == {"2000": 10}


def test_a_disk_removed_in_vcloud_meanwhile_is_removed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with_a_second_disk(cast, cloud, clock)
    asked = remove(cast, "sandbox", "2001")
    operations.advance(asked)  # has looked at the disks
    del real_vm(cloud, "sandbox").disks[1]
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    assert sizes_gb(cloud, "sandbox") == {"2000": 10}


def test_what_vcloud_made_of_a_size_is_told_beside_what_was_asked(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = add(cast, "sandbox", 5)
    while operation(asked).step != "read_back":
        for one in operations.due():
            operations.advance(one)
        cloud.settle()
        clock.move(11)
    real_vm(cloud, "sandbox").disks[1].size_mb = 5 * GB + 512
    drain(cloud, clock)
    assert operation(asked).facts["differences"] == [{"what": "disk_mb", "asked": 5 * GB, "got": 5 * GB + 512}]


def test_an_addition_that_is_given_up_adds_nothing(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", stuck_task=True)
    asked = add(cast, "sandbox", 5)
    for _ in range(3):
        operations.advance(asked)
    rescue.cancel(cast.owner, asked)
    drain(cloud, clock)
    assert operation(asked).state == "cancelled"
    assert sizes_gb(cloud, "sandbox") == mirrored_gb("sandbox") == {"2000": 10}


def test_a_refusal_of_vcloud_leaves_the_disk_as_it_was(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("reconfigure", error=error("BAD_REQUEST", "The requested operation will exceed the quota."))
    asked = grow(cast, "sandbox", "2000", 20)
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "refused")
    assert sizes_gb(cloud, "sandbox") == {"2000": 10}
