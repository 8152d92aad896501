"""The task engine: starts tasks, moves them on the world's clock, ends them with an effect.

An effect is a function registered under a name; the task stores only the name and JSON
arguments, so a task half done survives saving and loading the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vcdsim.entities import Catalog, IndependentDisk, OrgNetwork, Task, TaskError, Template, VApp, Vdc, Vm
from vcdsim.estate import Media
from vcdsim.people import Org, User
from vcdsim.refusals import RefusalError, busy
from vcdsim.world import World

Owner = Vm | VApp | IndependentDisk | Vdc | Org | User | Template | Catalog | OrgNetwork | Media
Effect = Callable[[World, Task], None]
#: What a part of a task does to the VMs of these ids.
Stage = Callable[[World, Task, list[str]], None]

_EFFECTS: dict[str, Effect] = {}
_ROLLBACKS: dict[str, Effect] = {}
_STAGES: dict[str, Stage] = {}

_KINDS: dict[type, str] = {
    Vm: "vm",
    VApp: "vapp",
    IndependentDisk: "disk",
    Vdc: "vdc",
    Org: "org",
    User: "user",
    Template: "vapptemplate",
    Catalog: "catalog",
    OrgNetwork: "network",
    Media: "media",
}
#: Nominal seconds from `running` to the end; instantiate adds time for its disks.
DURATIONS_S = {
    "instantiate": 60.0,
    "compose": 4.0,
    "recompose": 20.0,
    "clone": 60.0,
    "create_vm": 60.0,
    "power_on": 15.0,
    "power_off": 5.0,
    "shut_down": 20.0,
    "reboot": 20.0,
    "reset": 6.0,
    "suspend": 12.0,
    "discard_state": 4.0,
    "undeploy": 8.0,
    "delete": 10.0,
    "reconfigure": 8.0,
    "update_vapp": 5.0,
    "renew_lease": 5.0,
    "update_startup": 5.0,
    "snapshot": 10.0,
    "create_disk": 10.0,
    "update_disk": 5.0,
    "delete_disk": 5.0,
    "attach_disk": 8.0,
    "detach_disk": 8.0,
    "insert_media": 5.0,
    "eject_media": 5.0,
    "delete_media": 5.0,
    "metadata": 2.0,
    "products": 2.0,
    "create_vdc": 20.0,
    "update_vdc": 5.0,
    "delete_vdc": 10.0,
}
QUEUE_S = 0.5
EXPIRY_S = 90 * 86400.0
KEPT_TASKS = 20_000


def effect(name: str) -> Callable[[Effect], Effect]:
    """Register the function that ends tasks of this name successfully."""

    def register(function: Effect) -> Effect:
        _EFFECTS[name] = function
        return function

    return register


def stage(name: str) -> Callable[[Stage], Stage]:
    """Register what happens at the `stages` in the arguments of tasks of this name: (seconds, ids of VMs)."""

    def register(function: Stage) -> Stage:
        _STAGES[name] = function
        return function

    return register


def rollback(name: str) -> Callable[[Effect], Effect]:
    """Register what is left behind when a task of this name fails or is canceled."""

    def register(function: Effect) -> Effect:
        _ROLLBACKS[name] = function
        return function

    return register


def require_idle_vm(world: World, vm: Vm) -> None:
    """Refuse with BUSY_ENTITY while a task works on the VM or on its vApp."""
    for kind, entity_id in (("vm", vm.id), ("vapp", vm.container_id)):
        _require_idle(world, kind, entity_id)


def require_idle(world: World, owner: Owner) -> None:
    """Refuse with BUSY_ENTITY while a task works on the entity, on its vApp or on its VMs."""
    if isinstance(owner, Vm):
        require_idle_vm(world, owner)
    elif isinstance(owner, VApp):
        require_idle_vapp(world, owner)
    else:
        _require_idle(world, _KINDS[type(owner)], owner.id)


def require_idle_vapp(world: World, vapp: VApp) -> None:
    """Refuse with BUSY_ENTITY while a task works on the vApp or on any of its VMs."""
    _require_idle(world, "vapp", vapp.id)
    for vm_id in vapp.vm_ids:
        _require_idle(world, "vm", vm_id)


def is_busy_vm(world: World, vm: Vm) -> bool:
    """True while a task works on the VM or on its vApp."""
    return world.active_task(vm.id) is not None or world.active_task(vm.container_id) is not None


def is_busy_vapp(world: World, vapp: VApp) -> bool:
    """True while a task works on the vApp or on any of its VMs."""
    return any(world.active_task(entity_id) is not None for entity_id in (vapp.id, *vapp.vm_ids))


def _require_idle(world: World, kind: str, entity_id: str) -> None:
    task = world.active_task(entity_id)
    if task is not None:
        raise busy(kind, entity_id, task.operation_name, task.id)


def start(
    world: World,
    actor: User,
    owner: Owner,
    operation_name: str,
    effect_name: str,
    *,
    args: dict[str, Any] | None = None,
    extra_s: float = 0.0,
) -> Task:
    """Start a task on `owner`, which counts as busy until the task is final."""
    fault, world.task_fault = world.task_fault, None
    now = world.now()
    runs_at = now + world.clock.scale(QUEUE_S)
    task = Task(
        id=world.new_id(),
        operation_name=operation_name,
        effect=effect_name,
        owner_kind=_KINDS[type(owner)],
        owner_id=owner.id,
        owner_name=owner.name,
        org_id=owner.org_id,
        user_id=actor.id,
        created_at=now,
        runs_at=runs_at,
        ends_at=runs_at + world.clock.scale(DURATIONS_S[effect_name] + extra_s),
        args=args or {},
        is_stuck=fault is not None and fault.stuck,
        is_blocked=fault is not None and fault.blocked,
        is_to_abort=fault is not None and fault.aborted,
        fails_with=fault.error if fault is not None else None,
    )
    world.tasks[task.id] = task
    owner.last_task_id = task.id
    world.occupy(owner.id, task.id)
    world.schedule(task.runs_at, task.id)
    _forget_old(world)
    world.changed()
    return task


def tick(world: World) -> Iterator[tuple[Task, float]]:
    """Move every task that became due since the last look; gives those that ended, and when."""
    now = world.now()
    while (due := world.take_due(now)) is not None:
        moment, task = due
        _move(world, task, moment)
        if task.is_final:
            yield task, moment
    _forget_expired(world, now)


def resume(world: World, task: Task) -> None:
    """Let a task on that waits in `preRunning` or is stuck; ValueError for any other."""
    if task.is_final or not (task.is_blocked or task.is_stuck):
        raise ValueError("only a blocked or a stuck task can be resumed")
    duration_s = task.ends_at - task.runs_at
    if task.is_blocked:
        task.is_blocked = False
    else:
        task.is_stuck = False
    if task.status in ("preRunning", "running"):
        task.runs_at = world.now()
        task.ends_at = task.runs_at + duration_s
    if task.status == "preRunning":
        task.status = "queued"
        _move(world, task, task.runs_at)
    elif task.status == "running":
        _schedule_next(world, task)
    world.changed()


def abort(world: World, task: Task) -> None:
    """End a task that waits in `preRunning`, or any other unfinished one, as `aborted`."""
    if not task.is_final:
        _undo(world, task)
        _finish(world, task, "aborted", world.now())


def cancel(world: World, task: Task) -> None:
    """Cancel an unfinished task at once; a final task is left as it is."""
    task.cancel_requested = True
    if not task.is_final:
        _undo(world, task)
        _finish(world, task, "canceled", world.now())


def is_workable(world: World, task: Task) -> bool:
    """True if what an unfinished task does is known and what it does it to is there."""
    owners = {"vapptemplate": world.templates, **{kind: getattr(world, f"{kind}s", {}) for kind in _KINDS.values()}}
    owners["media"] = world.media
    return task.effect in _EFFECTS and task.owner_id in owners.get(task.owner_kind, {})


def resume_agenda(world: World) -> None:
    """Rebuild the agenda and the busy marks from the stored tasks, after loading a world."""
    for task in world.tasks.values():
        if not task.is_final:
            world.occupy(task.owner_id, task.id)
            if task.status == "queued":
                world.schedule(task.runs_at, task.id)
            elif task.status == "running":
                _schedule_next(world, task)


def progress(task: Task, now: float) -> int:
    """Percent done: 1 once running, 100 at the end; a stuck task stays at 1."""
    if task.is_final:
        return 100
    if task.status in ("queued", "preRunning"):
        return 0
    if task.is_stuck:
        return 1
    share = (now - task.runs_at) / max(task.ends_at - task.runs_at, 0.001)
    return max(1, min(99, int(share * 100)))


def _move(world: World, task: Task, moment: float) -> None:
    if task.is_final:
        return
    if task.status == "queued" and task.is_blocked:
        task.status = "preRunning"
        world.changed()
        return
    if task.status == "queued":
        task.status = "running"
        _schedule_next(world, task)
        world.changed()
        return
    if task.args.get("stages"):
        _do_stage(world, task, moment)
        return
    if task.is_to_abort:
        abort(world, task)
        return
    if task.fails_with is not None:
        _undo(world, task)
        task.error = task.fails_with
        _finish(world, task, "error", moment)
        return
    try:
        _EFFECTS[task.effect](world, task)
    except RefusalError as refusal:
        _fail(world, task, moment, refusal)
    else:
        _finish(world, task, "success", moment)


def _schedule_next(world: World, task: Task) -> None:
    """A stuck task is not looked at again."""
    stages = task.args.get("stages")
    if not task.is_stuck:
        world.schedule(task.runs_at + world.clock.scale(stages[0][0]) if stages else task.ends_at, task.id)


def _do_stage(world: World, task: Task, moment: float) -> None:
    _, ids = task.args["stages"].pop(0)
    try:
        _STAGES[task.effect](world, task, ids)
    except RefusalError as refusal:
        _fail(world, task, moment, refusal)
    else:
        _schedule_next(world, task)
        world.changed()


def _fail(world: World, task: Task, moment: float, refusal: RefusalError) -> None:
    _undo(world, task)
    task.error = TaskError(refusal.minor_code, refusal.message, refusal.status)
    _finish(world, task, "error", moment)


def _undo(world: World, task: Task) -> None:
    if task.effect in _ROLLBACKS:
        _ROLLBACKS[task.effect](world, task)


def _finish(world: World, task: Task, status: str, moment: float) -> None:
    task.status = status
    task.finished_at = moment
    task.args = {}
    world.release(task.owner_id, task.id)
    world.changed()


def _forget_expired(world: World, now: float) -> None:
    """Tasks are destroyed at their expiry time; the dictionary has the oldest first."""
    while world.tasks:
        oldest = next(iter(world.tasks.values()))
        if not oldest.is_final or oldest.created_at + EXPIRY_S > now:
            return
        del world.tasks[oldest.id]


def _forget_old(world: World) -> None:
    """Drop the oldest final tasks beyond what is kept; vCD forgets tasks too."""
    excess = len(world.tasks) - KEPT_TASKS
    if excess > 0:
        for task_id in [one.id for one in world.tasks.values() if one.is_final][: excess + KEPT_TASKS // 10]:
            del world.tasks[task_id]
