"""Leases: how long a vApp may run, and how long it may lie about stopped, on the clock of the world.

Both begin anew when the vApp comes to be deployed or undeployed, and with every renewal. At the end
of the runtime lease vCloud suspends the vApp, or powers it off if its organization says so; at the
end of the storage lease the stopped vApp is deleted or marked expired (vCD 5.5 guide and the schema's
OrgLeaseSettingsType). Lengths are in seconds, 0 means for ever. Like everything that takes time,
leases run `speed` times as fast; the dates that documents show are true.
"""

from __future__ import annotations

from vcdsim import power, tasks
from vcdsim.administration import checked_lease
from vcdsim.entities import Task, VApp
from vcdsim.people import User
from vcdsim.refusals import RefusalError
from vcdsim.vapps import delete_vapp
from vcdsim.world import World

#: How much later a busy vApp is looked at again.
_RETRY_S = 60.0


def tick(world: World) -> None:
    """Do all that became due since the last look: tasks, then leases. Called before every request."""
    now = world.now()
    for task, moment in tasks.tick(world):
        _follow(world, task, moment)
    while (vapp := world.take_lease(now)) is not None:
        if tasks.is_busy_vapp(world, vapp):
            world.watch_lease(now + world.clock.scale(_RETRY_S), vapp)
        else:
            _end(world, vapp)


def renew(world: World, actor: User, vapp: VApp, *, deployment_s: int | None, storage_s: int | None) -> Task:
    """Set the lengths given and begin both leases anew; an expired vApp is as before."""
    tasks.require_idle_vapp(world, vapp)
    args = {
        "deployment_s": vapp.deployment_lease_s if deployment_s is None else checked_lease(deployment_s),
        "storage_s": vapp.storage_lease_s if storage_s is None else checked_lease(storage_s),
    }
    return tasks.start(world, actor, vapp, "vdcUpdateVapp", "renew_lease", args=args)


def runtime_end(world: World, vapp: VApp) -> float | None:
    """When a deployed vApp will be stopped, None for never."""
    if not vapp.deployment_lease_s or not world.is_deployed(vapp):
        return None
    return _beginning(vapp) + world.clock.scale(vapp.deployment_lease_s)


def storage_end(world: World, vapp: VApp) -> float | None:
    """When the vApp will expire if it is not deployed then, None for never."""
    return _beginning(vapp) + world.clock.scale(vapp.storage_lease_s) if vapp.storage_lease_s else None


def _beginning(vapp: VApp) -> float:
    return vapp.leased_from or vapp.created_at


def watch_all(world: World) -> None:
    """Have the ends of all leases looked at, after a world was loaded."""
    for vapp in world.vapps.values():
        _watch(world, vapp)


def _follow(world: World, task: Task, moment: float) -> None:
    """Begin the leases anew when a finished task made a vApp, deployed it or undeployed it."""
    vapp_id = world.vms[task.owner_id].container_id if task.owner_id in world.vms else task.owner_id
    vapp = world.vapps.get(vapp_id)
    if vapp is None:
        return
    if vapp.was_deployed != world.is_deployed(vapp) or not vapp.leased_from:
        vapp.was_deployed, vapp.leased_from = world.is_deployed(vapp), moment
    _watch(world, vapp)


def _watch(world: World, vapp: VApp) -> None:
    end = runtime_end(world, vapp) if world.is_deployed(vapp) else storage_end(world, vapp)
    if end is not None and not vapp.is_expired:
        world.watch_lease(end, vapp)


def _end(world: World, vapp: VApp) -> None:
    """Carry out the lease that has ended, if it was not renewed in the meantime."""
    now, org = world.now(), world.orgs[vapp.org_id]
    actor = _system_user(world, vapp)
    if world.is_deployed(vapp):
        if (runtime_end(world, vapp) or now + 1) <= now:
            power.undeploy(world, actor, vapp, "powerOff" if org.is_powered_off_at_end else "suspend")
    elif (storage_end(world, vapp) or now + 1) <= now:
        vapp.is_expired = True
        world.changed()
        if org.is_deleted_at_end:
            _delete(world, actor, vapp)


def _delete(world: World, actor: User, vapp: VApp) -> None:
    try:
        delete_vapp(world, actor, vapp)
    except RefusalError:
        return  # an independent disk is attached: the vApp stays, expired


def _system_user(world: World, vapp: VApp) -> User:
    """Nobody asked for it, so the task names the system's administrator."""
    return next((one for one in world.users.values() if world.sees_all(one)), world.users[vapp.owner_id])


@tasks.effect("renew_lease")
def _renewed(world: World, task: Task) -> None:
    vapp = world.vapps[task.owner_id]
    vapp.deployment_lease_s, vapp.storage_lease_s = task.args["deployment_s"], task.args["storage_s"]
    vapp.leased_from, vapp.is_expired = 0.0, False
