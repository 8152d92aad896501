"""Inserting a medium into VMs, ejecting and deleting it. How media come in is not simulated."""

from __future__ import annotations

from vcdsim.entities import Task, Vm
from vcdsim.estate import Media
from vcdsim.people import User
from vcdsim.refusals import RefusalError
from vcdsim.tasks import effect, require_idle, start
from vcdsim.world import World


def inserted(world: World, vm: Vm) -> Media | None:
    """The medium in the drive of the VM."""
    return next((one for one in world.media.values() if vm.id in one.vm_ids), None)


def insert(world: World, actor: User, vm: Vm, medium: Media) -> Task:
    """Put a medium into the drive; one that is there comes out."""
    require_idle(world, vm)
    require_idle(world, medium)
    return start(world, actor, vm, "vappInsertCdFloppy", "insert_media", args={"media": medium.id})


def eject(world: World, actor: User, vm: Vm, medium: Media) -> Task:
    """Take a medium out of the drive it is in."""
    require_idle(world, vm)
    if vm.id not in medium.vm_ids:
        raise RefusalError(f'The media "{medium.name}" is not inserted in VM "{vm.name}".')  # INF
    return start(world, actor, vm, "vappEjectCdFloppy", "eject_media")


def delete(world: World, actor: User, medium: Media) -> Task:
    """Delete a medium that is in no drive."""
    require_idle(world, medium)
    world.require_own(actor, medium.org_id, "media", medium.id)
    if medium.vm_ids:
        names = ", ".join(world.vms[one].name for one in medium.vm_ids)
        raise RefusalError(f'The media "{medium.name}" cannot be deleted because it is inserted in {names}.')  # INF
    return start(world, actor, medium, "vdcDeleteMedia", "delete_media")


@effect("insert_media")
def _inserted(world: World, task: Task) -> None:
    world.empty_drive(task.owner_id)
    if (medium := world.media.get(task.args["media"])) is None:
        raise RefusalError("The media does not exist any more.")
    medium.vm_ids.append(task.owner_id)


@effect("eject_media")
def _ejected(world: World, task: Task) -> None:
    world.empty_drive(task.owner_id)


@effect("delete_media")
def _deleted(world: World, task: Task) -> None:
    del world.media[task.owner_id]
