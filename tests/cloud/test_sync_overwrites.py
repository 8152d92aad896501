"""What somebody changed in vCloud since the form was shown is never overwritten without being asked."""

import uuid
from collections.abc import Callable

import pytest

from app.cloud import disks, gateway, naming, networks, operations, resize, snapshots
from app.cloud.networks import CardWish
from app.cloud.rules import Action
from tests.support import elsewhere
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, vdc_of
from tests.support.machines import accepted, ask, real_vm, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator


def ended(cloud: Simulator, clock: Clock, asked: object) -> tuple[str, str | None]:
    """How the operation ends."""
    drain(cloud, clock)
    row = operation(asked)  # type: ignore[arg-type]
    return row.state, row.error_code


def test_memory_that_was_changed_meanwhile_is_left_and_the_person_is_told(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(memory_mb=6144))
    vm = vm_named("sandbox")
    asked = resize.request_resize(cast.owner, vm.id, new_token(), cpu_count=1, memory_mb=4096, restart=False)
    assert ended(cloud, clock, asked) == ("failed", "memory_mb_changed")
    assert operation(asked).error_params == {"now": 6144}
    assert (real_vm(cloud, "sandbox").memory_mb, vm_named("sandbox").memory_mb) == (6144, 6144)


def test_only_what_was_asked_for_is_sent(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(memory_mb=6144))
    vm = vm_named("sandbox")
    asked = resize.request_resize(cast.owner, vm.id, new_token(), cpu_count=3, memory_mb=vm.memory_mb, restart=False)
    assert ended(cloud, clock, asked) == ("succeeded", None)
    assert (real_vm(cloud, "sandbox").cpu_count, real_vm(cloud, "sandbox").memory_mb) == (3, 6144)


def test_a_name_that_was_given_meanwhile_stays(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.rename("theirs"))
    asked = naming.request_rename(cast.owner, vm_named("sandbox").id, new_token(), name="ours")
    assert ended(cloud, clock, asked) == ("failed", "name_changed")
    assert vm_named("theirs").urn == f"urn:vcloud:vm:{real_vm(cloud, 'theirs').id}"


def test_a_disk_that_has_grown_meanwhile_is_not_grown_further(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.grow_disk(1024))
    vm = vm_named("sandbox")
    disk = vm.disks[0]
    asked = disks.request_grow(
        cast.owner, vm.id, new_token(), instance_id=disk["instance_id"], size_gb=disk["size_mb"] // 1024 + 10
    )
    assert ended(cloud, clock, asked) == ("failed", "disks_changed")


def test_a_card_that_was_unplugged_meanwhile_stays_unplugged(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.unplug())
    vm = vm_named("sandbox")
    card = CardWish(index=0, network_id=wish(network="acme-internal").network_id)
    asked = networks.request_change(cast.owner, vm.id, new_token(), [card])
    assert ended(cloud, clock, asked) == ("failed", "nics_changed")
    assert not real_vm(cloud, "sandbox").nics[0].is_connected


@pytest.mark.parametrize(
    "wish_for",
    [
        lambda cast: snapshots.request_snapshot(cast.owner, vm_named("sandbox").id, new_token(), replace=True),
        lambda cast: ask(cast, "sandbox", Action.REVERT_SNAPSHOT),
        lambda cast: ask(cast, "sandbox", Action.REMOVE_SNAPSHOT),
    ],
    ids=["replaced", "gone back to", "removed"],
)
def test_only_the_snapshot_that_the_person_has_seen_is(
    cast: Cast, cloud: Simulator, clock: Clock, wish_for: Callable[[Cast], uuid.UUID]
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.take_snapshot())
    elsewhere.read(clock)
    elsewhere.do(cloud, clock, "sandbox", elsewhere.take_snapshot())
    theirs = real_vm(cloud, "sandbox").snapshot
    assert ended(cloud, clock, wish_for(cast)) == ("failed", "snapshot_changed")
    assert real_vm(cloud, "sandbox").snapshot is theirs
    assert ended(cloud, clock, wish_for(cast)) == ("succeeded", None)


def test_a_snapshot_that_vcloud_is_just_taking_is_waited_for_and_stays(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = snapshots.request_snapshot(cast.owner, vm_named("sandbox").id, new_token())
    operations.advance(asked)  # it has looked: there is none
    with gateway.client(vdc_of("acme-vdc").service_id) as client:
        client.create_snapshot(vm_named("sandbox").urn)
    assert ended(cloud, clock, asked) == ("failed", "snapshot_changed")
    assert accepted(cloud, "vappCreateSnapshot") == 1
