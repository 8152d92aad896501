"""Power, deploy and undeploy, of one VM and of whole vApps.

Powered off and undeployed are two facts: `power off` and a guest shutdown leave the VM deployed,
only `undeploy` frees its outer addresses and lets it be deleted.
"""

from __future__ import annotations

from vcdsim import networks, quotas, startup
from vcdsim.entities import OFF, ON, SUSPENDED, Task, VApp, Vm
from vcdsim.people import User
from vcdsim.refusals import (
    RefusalError,
    already_running,
    compute_quota,
    expired,
    no_vms,
    not_running,
    nothing_powered_on,
)
from vcdsim.tasks import DURATIONS_S, effect, require_idle_vapp, require_idle_vm, stage, start
from vcdsim.world import World

#: action -> (task's operationName, effect)
_POWER_ACTIONS = {
    "powerOff": ("vappPowerOff", "power_off"),
    "shutdown": ("vappShutdownGuest", "shut_down"),
    "reboot": ("vappRebootGuest", "reboot"),
    "reset": ("vappReset", "reset"),
    "suspend": ("vappSuspend", "suspend"),
}
#: UndeployPowerAction -> (operationName, nominal seconds on top of the undeploy itself)
_UNDEPLOY_ACTIONS = {
    "powerOff": ("vappUndeployPowerOff", 0.0),
    "default": ("vappUndeployPowerOff", 0.0),
    "force": ("vappUndeployPowerOff", 0.0),
    "suspend": ("vappUndeploySuspend", 6.0),
    "shutdown": ("vappUndeployShutdown", 12.0),
}


def act(world: World, actor: User, owner: Vm | VApp, action: str) -> Task:
    """One of the verbs of `/power/action/` except `powerOn`."""
    vms = _idle_vms(world, owner)
    label = _label(owner)
    if not any(vm.power == ON for vm in vms):
        raise (not_running if action == "powerOff" else nothing_powered_on)(label, owner.name)
    operation_name, effect_name = _POWER_ACTIONS[action]
    return start(world, actor, owner, operation_name, effect_name)


def deploy(world: World, actor: User, owner: Vm | VApp, *, power_on: bool, force_customization: bool) -> Task:
    """Deploy, and by default power on; `powerOn` is this with the defaults."""
    vms = _idle_vms(world, owner)
    label = _label(owner)
    if all(vm.power == ON for vm in vms) or (not power_on and all(vm.is_deployed for vm in vms)):
        raise already_running(label, owner.name)
    args: dict[str, object] = {"power_on": power_on, "force": force_customization}
    extra_s = 0.0
    if isinstance(owner, VApp) and power_on:
        off = [vm for vm in vms if vm.power != ON and startup.starts(owner, vm)]
        args["stages"], extra_s = startup.starting(owner, off, DURATIONS_S["power_on"])
    return start(world, actor, owner, "vappDeploy", "power_on", args=args, extra_s=extra_s)


def undeploy(world: World, actor: User, owner: Vm | VApp, action: str) -> Task:
    """Stop in the wanted way and undeploy."""
    if action not in _UNDEPLOY_ACTIONS:
        raise RefusalError(f'The undeploy power action "{action}" is not valid.')
    vms = _idle_vms(world, owner)
    if not any(vm.is_deployed for vm in vms):
        raise not_running(_label(owner), owner.name)
    operation_name, extra_s = _UNDEPLOY_ACTIONS[action]
    args: dict[str, object] = {"action": action}
    running = [vm for vm in vms if vm.power == ON]
    if isinstance(owner, VApp) and action == "default":
        args["stages"], extra_s = startup.stopping(owner, running, _UNDEPLOY_ACTIONS["shutdown"][1])
    extra_s = extra_s if running else 0.0
    return start(world, actor, owner, operation_name, "undeploy", args=args, extra_s=extra_s)


def discard_state(world: World, actor: User, owner: Vm | VApp) -> Task:
    """Throw the suspended state away; what was suspended is then off."""
    vms = _idle_vms(world, owner)
    if not any(vm.power == SUSPENDED for vm in vms):
        raise RefusalError(
            f'The requested operation could not be executed since {_label(owner)} "{owner.name}" is not suspended.'
        )
    return start(world, actor, owner, "vappDiscardSuspendedState", "discard_state")


def deploy_vms(world: World, vapp: VApp, vms: list[Vm], *, power_on: bool, force_customization: bool) -> None:
    """Deploy these VMs of the vApp now, within the VDC's compute limits."""
    for vm in vms:
        _deploy_one(world, vapp, vm, power_on=power_on, force_customization=force_customization)


def _deploy_one(world: World, vapp: VApp, vm: Vm, *, power_on: bool, force_customization: bool) -> None:
    if vm.power == ON:
        return
    if not vm.is_deployed:
        quotas.check_deployed(world, vapp)
    if power_on:
        _check_compute(world, vm)
    networks.deploy(world, vapp, vm)
    vm.is_deployed = True
    if force_customization:
        vm.needs_customization = True
    if power_on:
        was_suspended = vm.power == SUSPENDED
        vm.power = ON
        networks.dhcp_answers(world, vapp, vm)
        if not was_suspended:
            _boot(world, vm)


def _boot(world: World, vm: Vm) -> None:
    """The guest begins anew; it applies its settings at a boot that needs it, and reports back."""
    vm.booted_at = world.now()
    if vm.customization.enabled and vm.needs_customization:
        vm.customized_count += 1
        vm.gc_status = "GC_COMPLETE"
        vm.needs_customization = False


def _check_compute(world: World, vm: Vm) -> None:
    vdc = world.vdcs[vm.vdc_id]
    if not vdc.cpu_limit_mhz and not vdc.memory_limit_mb:
        return
    cpu_mhz, memory_mb = world.compute_used(vdc)
    too_much_cpu = vdc.cpu_limit_mhz and cpu_mhz + vm.cpu_count * vdc.vcpu_mhz > vdc.cpu_limit_mhz
    too_much_memory = vdc.memory_limit_mb and memory_mb + vm.memory_mb > vdc.memory_limit_mb
    if too_much_cpu or too_much_memory:
        raise compute_quota()


def _idle_vms(world: World, owner: Vm | VApp) -> list[Vm]:
    if isinstance(owner, Vm):
        require_idle_vm(world, owner)
        if world.vapps[owner.container_id].is_expired:
            raise expired(world.vapps[owner.container_id].name)
        return [owner]
    require_idle_vapp(world, owner)
    if owner.is_expired:
        raise expired(owner.name)
    if not owner.vm_ids:
        raise no_vms(owner.name)
    return world.vms_of(owner)


def _label(owner: Vm | VApp) -> str:
    return "VM" if isinstance(owner, Vm) else "vApp"


def _targets(world: World, task: Task) -> list[tuple[VApp, Vm]]:
    if task.owner_kind == "vm":
        vm = world.vms[task.owner_id]
        return [(world.vapps[vm.container_id], vm)]
    vapp = world.vapps[task.owner_id]
    return [(vapp, vm) for vm in world.vms_of(vapp)]


@stage("power_on")
def _some_powered_on(world: World, task: Task, ids: list[str]) -> None:
    vms = [world.vms[one] for one in ids]
    deploy_vms(world, world.vapps[task.owner_id], vms, power_on=True, force_customization=task.args["force"])


@effect("power_on")
def _powered_on(world: World, task: Task) -> None:
    for vapp, vm in _targets(world, task):
        power_on = task.args["power_on"] and (task.owner_kind == "vm" or startup.starts(vapp, vm))
        _deploy_one(world, vapp, vm, power_on=power_on, force_customization=task.args["force"])


@effect("power_off")
@effect("shut_down")
def _powered_off(world: World, task: Task) -> None:
    for _, vm in _targets(world, task):
        if vm.power == ON:
            vm.power = OFF


@effect("reboot")
@effect("reset")
def _restarted(world: World, task: Task) -> None:
    for _, vm in _targets(world, task):
        if vm.power == ON:
            _boot(world, vm)


@effect("suspend")
def _suspended(world: World, task: Task) -> None:
    for _, vm in _targets(world, task):
        if vm.power == ON:
            vm.power = SUSPENDED


@effect("discard_state")
def _discarded(world: World, task: Task) -> None:
    for _, vm in _targets(world, task):
        if vm.power == SUSPENDED:
            vm.power = OFF


@stage("undeploy")
def _some_stopped(world: World, _task: Task, ids: list[str]) -> None:
    for vm in [world.vms[one] for one in ids]:
        if vm.power == ON:
            vm.power = OFF


@effect("undeploy")
def _undeployed(world: World, task: Task) -> None:
    for vapp, vm in _targets(world, task):
        if not vm.is_deployed:
            continue
        if task.args["action"] != "suspend":
            vm.power = OFF
        elif vm.power == ON:
            vm.power = SUSPENDED
        vm.is_deployed = False
        networks.undeploy(world, vapp, vm)
