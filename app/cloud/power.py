"""Switch a machine on and off, and what lies between: the steps of each kind. "Off" means undeployed."""

from app import vcloud
from app.cloud.machine_steps import (
    ASK_GUEST,
    GUEST_STOPS,
    LOOK_AGAIN,
    NO_TOOLS,
    POWER_ON,
    READ_BACK,
    UNDEPLOY,
    command,
    live_vm,
    once,
)
from app.cloud.rules import Action
from app.cloud.steps import Again, Kind, Next, Outcome, Step, Turn, Wait, register


def _look_suspended(turn: Turn) -> Outcome | None:
    return Next() if live_vm(turn).status == vcloud.VmStatus.SUSPENDED else None


def _look_off(turn: Turn) -> Outcome | None:
    vm = live_vm(turn)
    if vm.status == vcloud.VmStatus.SUSPENDED:
        return None
    if not vm.deployed:
        return Next()
    has_discarded = turn.task_urn is not None and turn.facts.get("discards")
    return Again(facts={"discards": False}) if has_discarded else None


def _switch_off(turn: Turn) -> Outcome:
    """What is suspended loses its memory first, for vCloud undeploys it as it is; the rest comes in a second part."""
    if live_vm(turn).status != vcloud.VmStatus.SUSPENDED:
        task = turn.client.undeploy(turn.machine, power_action="powerOff")
        return Wait(task_urn=task.id, text=task.operation)
    task = turn.client.discard_suspended_state(turn.machine)
    return Wait(task_urn=task.id, text=task.operation, facts={"discards": True})


START = register(Kind(name=Action.START.value, deadline_min=15, steps=(POWER_ON, READ_BACK), clean_up=LOOK_AGAIN))
RESUME = register(Kind(name=Action.RESUME.value, deadline_min=15, steps=(POWER_ON, READ_BACK), clean_up=LOOK_AGAIN))
SHUT_DOWN = register(
    Kind(
        name=Action.SHUT_DOWN.value,
        deadline_min=30,
        steps=(ASK_GUEST, GUEST_STOPS, UNDEPLOY, READ_BACK),
        clean_up=LOOK_AGAIN,
    )
)
POWER_OFF = register(
    Kind(
        name=Action.POWER_OFF.value,
        deadline_min=15,
        steps=(Step(name=UNDEPLOY.name, look=_look_off, send=_switch_off), READ_BACK),
        clean_up=LOOK_AGAIN,
    )
)
RESTART = register(
    Kind(
        name=Action.RESTART.value,
        deadline_min=15,
        steps=(
            once("restart", "vappRebootGuest", lambda client, vm: client.reboot(vm), failures=NO_TOOLS),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
RESET = register(
    Kind(
        name=Action.RESET.value,
        deadline_min=15,
        steps=(once("reset", "vappReset", lambda client, vm: client.reset(vm)), READ_BACK),
        clean_up=LOOK_AGAIN,
    )
)
SUSPEND = register(
    Kind(
        name=Action.SUSPEND.value,
        deadline_min=30,
        steps=(
            Step(name="suspend", look=_look_suspended, send=command(lambda client, vm: client.suspend(vm))),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
