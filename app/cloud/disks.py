"""Disks of a machine: grow, add, remove. The request and its steps, side by side.

Disks only grow. An added or removed disk is looked for among those that were there before, which the first step notes,
so that a lost answer neither adds a disk twice nor removes another one.
"""

import uuid
from typing import Any

from sqlalchemy import select

from app import vcloud
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import LOOK_AGAIN, READ_BACK, Difference, change, live_vm, read_back
from app.cloud.models import Vdc, Vm
from app.cloud.offers import free_of
from app.cloud.rules import Action
from app.cloud.sizes import HARD_LIMITS
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register
from app.db import db
from app.errors import AppError

MB_PER_GB = 1024


# ---- the requests --------------------------------------------------------------------------------------------


def request_grow(actor: Actor, vm_id: uuid.UUID, form_token: str, *, instance_id: str, size_gb: int) -> uuid.UUID:
    """Ask for a larger disk; returns the id of the operation.

    Raises what `wishes.ask` raises, and AppError with its field: `disk_gone`, `disk_independent`, `disk_gb_not_larger`
    (with the old size), `disk_gb_no_room`.
    """

    def check(vm: Vm) -> None:
        disk = _own_disk(vm, instance_id)
        if size_gb * MB_PER_GB <= disk["size_mb"]:
            raise AppError("disk_gb_not_larger", 400, field="size_gb", value=size_gb, old=_whole_gb(disk["size_mb"]))
        _check_room(vm, size_gb, old_mb=disk["size_mb"])

    asked = {"instance_id": instance_id, "size_gb": size_gb}
    return wishes.ask(actor, vm_id, Action.GROW_DISK, form_token, asked=asked, check=check)


def request_add(actor: Actor, vm_id: uuid.UUID, form_token: str, *, size_gb: int) -> uuid.UUID:
    """Ask for one disk more; returns the id of the operation.

    Raises what `wishes.ask` raises, and AppError `disk_gb_empty` or `disk_gb_no_room` with its field.
    """

    def check(vm: Vm) -> None:
        if size_gb < 1:
            raise AppError("disk_gb_empty", 400, field="size_gb")
        _check_room(vm, size_gb, old_mb=0)

    return wishes.ask(actor, vm_id, Action.ADD_DISK, form_token, asked={"size_gb": size_gb}, check=check)


def request_remove(actor: Actor, vm_id: uuid.UUID, form_token: str, *, instance_id: str) -> uuid.UUID:
    """Ask for a disk to be deleted with its data; returns the id of the operation.

    Raises what `wishes.ask` raises, and AppError with its field: `disk_gone`, `disk_independent`, `disk_is_first` for
    the one that the system starts from.
    """

    def check(vm: Vm) -> None:
        _own_disk(vm, instance_id)
        if instance_id in first_disks([disk["instance_id"] for disk in vm.disks]):
            raise AppError("disk_is_first", field="instance_id")

    return wishes.ask(actor, vm_id, Action.REMOVE_DISK, form_token, asked={"instance_id": instance_id}, check=check)


def most_gb(vm: Vm, *, old_mb: int = 0) -> int:
    """The largest size that a disk of the machine can be given now, of which it has `old_mb` already."""
    free_gb = free_of(vm.vdc_id, vm.storage_profile).disk_gb
    return HARD_LIMITS.disk_gb if free_gb is None else min(HARD_LIMITS.disk_gb, old_mb // MB_PER_GB + free_gb)


def first_disks(instance_ids: list[str]) -> set[str]:
    """The ids of disks that may be the one the system starts from: first in vCloud's order, and of the lowest id.

    The two are one disk unless the disks are on controllers of several kinds; then both stay.
    """
    return {instance_ids[0], min(instance_ids, key=lambda one: (len(one), one))} if instance_ids else set()


def _own_disk(vm: Vm, instance_id: str) -> dict[str, Any]:
    """The mirrored disk; an independent one belongs to the data center and is not changed with a machine."""
    disk: dict[str, Any] | None = next((one for one in vm.disks if one["instance_id"] == instance_id), None)
    if disk is None:
        raise AppError("disk_gone", field="instance_id")
    if disk["independent"]:
        raise AppError("disk_independent", field="instance_id")
    return disk


def _check_room(vm: Vm, size_gb: int, *, old_mb: int) -> None:
    # One at a time in a data center: what one wish takes, the next one must not count as free.
    db.session.execute(select(Vdc.id).where(Vdc.id == vm.vdc_id).with_for_update())
    most = most_gb(vm, old_mb=old_mb)
    if size_gb > most:
        raise AppError("disk_gb_no_room", 400, field="size_gb", value=size_gb, most=most)


def _whole_gb(size_mb: int) -> int:
    return -(-size_mb // MB_PER_GB)


# ---- the steps -----------------------------------------------------------------------------------------------


def _asked_mb(turn: Turn) -> int:
    return int(turn.params["size_gb"]) * MB_PER_GB


def _live_disk(turn: Turn, vm: vcloud.Vm) -> vcloud.Disk | None:
    """The disk that the operation is about: named in the wish, or the one it has added."""
    instance_id = turn.params.get("instance_id") or turn.facts.get("instance_id")
    return next((disk for disk in vm.disks if disk.instance_id == instance_id), None)


def _size_difference(turn: Turn, vm: vcloud.Vm) -> list[Difference]:
    disk = _live_disk(turn, vm)
    got_mb = disk.size_mb if disk else 0
    return [] if got_mb == _asked_mb(turn) else [{"what": "disk_mb", "asked": _asked_mb(turn), "got": got_mb}]


def _look_grown(turn: Turn) -> Outcome | None:
    disk = _live_disk(turn, live_vm(turn))
    if disk is None:
        raise FailedError("disks_changed")
    if disk.size_mb >= _asked_mb(turn):
        return Next()
    if turn.params["before"]["disks"].get(disk.instance_id) != disk.size_mb:
        raise FailedError("disks_changed")
    return None


def _grow(turn: Turn) -> vcloud.Task:
    wish = vcloud.VmChange(disk_mb={turn.params["instance_id"]: _asked_mb(turn)})
    return turn.client.reconfigure(turn.machine, wish)


def _look_around(turn: Turn) -> Outcome:
    return Next(facts={"disks_before": _own_ids(live_vm(turn))})


def _own_ids(vm: vcloud.Vm) -> list[str]:
    return [disk.instance_id for disk in vm.disks if not disk.independent]


def _look_added(turn: Turn) -> Outcome | None:
    # Whatever its size: a disk that vCloud made a little larger must not be asked for a second time.
    added = [one for one in _own_ids(live_vm(turn)) if one not in turn.facts["disks_before"]]
    return Next(facts={"instance_id": added[-1]}) if added else None


def _add(turn: Turn) -> vcloud.Task:
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(new_disks_mb=(_asked_mb(turn),)))


def _look_around_doomed(turn: Turn) -> Outcome:
    """Note all disks, provided that the doomed one still is what the person has seen."""
    vm = live_vm(turn)
    doomed = _live_disk(turn, vm)
    if doomed is None or doomed.independent or doomed.instance_id in first_disks([d.instance_id for d in vm.disks]):
        raise FailedError("disks_changed")

    if turn.params["before"]["disks"].get(doomed.instance_id) != doomed.size_mb:
        raise FailedError("disks_changed")
    return Next(facts={"disks_before": [disk.instance_id for disk in vm.disks]})


def _look_removed(turn: Turn) -> Outcome | None:
    """Done when it is gone and all others are there; ids that mean something else by now stop everything."""
    present, others = {disk.instance_id for disk in live_vm(turn).disks}, set(turn.facts["disks_before"])
    others.discard(turn.params["instance_id"])
    if not others <= present:
        raise FailedError("disks_changed")
    return None if turn.params["instance_id"] in present else Next()


def _remove(turn: Turn) -> vcloud.Task:
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(removed_disks=frozenset({turn.params["instance_id"]})))


READ_BACK_SIZE = read_back(_size_difference)
GROW_DISK = register(
    Kind(
        name=Action.GROW_DISK.value,
        deadline_min=60,
        steps=(
            Step(name="grow_disk", look=_look_grown, send=change(_grow), may_cancel=True),
            READ_BACK_SIZE,
        ),
        clean_up=LOOK_AGAIN,
    )
)
ADD_DISK = register(
    Kind(
        name=Action.ADD_DISK.value,
        deadline_min=60,
        steps=(
            Step(name="note_disks", look=_look_around),
            Step(name="add_disk", look=_look_added, send=change(_add), may_cancel=True),
            READ_BACK_SIZE,
        ),
        clean_up=LOOK_AGAIN,
    )
)
REMOVE_DISK = register(
    Kind(
        name=Action.REMOVE_DISK.value,
        deadline_min=60,
        steps=(
            Step(name="note_disks", look=_look_around_doomed),
            Step(name="remove_disk", look=_look_removed, send=change(_remove)),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
