"""Power, deploy, undeploy, snapshots and the console ticket: the verbs of vApps and VMs."""

from __future__ import annotations

from vcdsim import power, snapshots
from vcdsim.administration import checked_lease
from vcdsim.api import xml
from vcdsim.api.context import Answer, Context
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer
from vcdsim.entities import ON, VApp, Vm
from vcdsim.refusals import RefusalError, no_access

_SNAPSHOT_VERBS = {"createSnapshot": "create", "revertToCurrentSnapshot": "revert", "removeAllSnapshots": "remove"}


def owner_named(ctx: Context, ref: str) -> Vm | VApp:
    """What `vm-UUID` or `vapp-UUID` stands for."""
    kind, _, entity_id = ref.partition("-")
    if kind == "vm":
        return ctx.world.vm(entity_id, ctx.user)
    if kind == "vapp":
        return ctx.world.vapp(entity_id, ctx.user)
    raise no_access("vapp", ref)


@route("POST", "/api/vApp/{ref}/power/action/powerOn", "powerOn")
def power_on(ctx: Context, ref: str) -> Answer:
    """Deploy and power on."""
    owner = owner_named(ctx, ref)
    return task_answer(ctx, power.deploy(ctx.world, ctx.user, owner, power_on=True, force_customization=False))


@route("POST", "/api/vApp/{ref}/power/action/powerOff", "powerOff")
@route("POST", "/api/vApp/{ref}/power/action/shutdown", "shutdown")
@route("POST", "/api/vApp/{ref}/power/action/reboot", "reboot")
@route("POST", "/api/vApp/{ref}/power/action/reset", "reset")
@route("POST", "/api/vApp/{ref}/power/action/suspend", "suspend")
def power_action(ctx: Context, ref: str) -> Answer:
    """The other power verbs; the path names the verb, the body is empty."""
    return task_answer(ctx, power.act(ctx.world, ctx.user, owner_named(ctx, ref), ctx.path.rpartition("/")[2]))


@route("POST", "/api/vApp/{ref}/action/deploy", "deploy")
def deploy(ctx: Context, ref: str) -> Answer:
    """Deploy, by default with power on; may force customization."""
    owner = owner_named(ctx, ref)
    element = ctx.parse("DeployVAppParams")
    power_on = xml.boolean(element.get("powerOn")) is not False
    force = xml.boolean(element.get("forceCustomization")) is True
    lease_s = xml.number(element.get("deploymentLeaseSeconds"), "deploymentLeaseSeconds")
    lease_s = None if lease_s is None else checked_lease(lease_s)
    task = power.deploy(ctx.world, ctx.user, owner, power_on=power_on, force_customization=force)
    if isinstance(owner, VApp) and lease_s is not None:
        # 0 stands for the organization's own, as the schema says.
        owner.deployment_lease_s = lease_s or ctx.world.orgs[owner.org_id].deployment_lease_s
    return task_answer(ctx, task)


@route("POST", "/api/vApp/{ref}/action/undeploy", "undeploy")
def undeploy(ctx: Context, ref: str) -> Answer:
    """Stop in the wanted way and undeploy."""
    owner = owner_named(ctx, ref)
    action = xml.value(ctx.parse("UndeployVAppParams"), "UndeployPowerAction") or "powerOff"
    return task_answer(ctx, power.undeploy(ctx.world, ctx.user, owner, action))


@route("POST", "/api/vApp/{ref}/action/discardSuspendedState", "discardSuspendedState")
def discard_state(ctx: Context, ref: str) -> Answer:
    """Throw the suspended state away."""
    return task_answer(ctx, power.discard_state(ctx.world, ctx.user, owner_named(ctx, ref)))


@route("POST", "/api/vApp/vm-{entity_id}/action/customizeAtNextPowerOn", "customize")
def customize(ctx: Context, entity_id: str) -> Answer:
    """Have the guest customized at its next boot."""
    vm = ctx.world.vm(entity_id, ctx.user)
    if vm.power == ON:
        raise RefusalError(
            f'The requested operation could not be executed on VM "{vm.name}". Stop the VM and try again.'
        )
    vm.needs_customization = True
    ctx.world.changed()
    return Answer(204)


@route("POST", "/api/vApp/{ref}/action/createSnapshot", "createSnapshot")
@route("POST", "/api/vApp/{ref}/action/revertToCurrentSnapshot", "revertSnapshot")
@route("POST", "/api/vApp/{ref}/action/removeAllSnapshots", "removeSnapshots")
def snapshot(ctx: Context, ref: str) -> Answer:
    """Create, return to, or remove the snapshot."""
    verb = _SNAPSHOT_VERBS[ctx.path.rpartition("/")[2]]
    memory = None
    if verb == "create" and ctx.body:
        memory = xml.boolean(ctx.parse("CreateSnapshotParams").get("memory"))
    task = snapshots.request(ctx.world, ctx.user, owner_named(ctx, ref), verb, memory=memory or False)
    return task_answer(ctx, task)
