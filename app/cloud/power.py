"""Switch a machine on and off: the steps of each kind. "Off" means undeployed."""

from app import vcloud
from app.cloud.machine_steps import LOOK_AGAIN, POWER_ON, READ_BACK, UNDEPLOY, command, live_vm
from app.cloud.rules import Action
from app.cloud.steps import Kind, Next, Outcome, Step, Turn, Wait, register


def _look_asked(turn: Turn) -> Outcome | None:
    # A task that is here has ended well: the guest was asked, and stopping takes it some time.
    was_asked = turn.task_urn is not None or live_vm(turn).status != vcloud.VmStatus.POWERED_ON
    return Next() if was_asked else None


def _look_stopped(turn: Turn) -> Outcome | None:
    return Wait() if live_vm(turn).status == vcloud.VmStatus.POWERED_ON else Next()


START = register(Kind(name=Action.START.value, deadline_min=15, steps=(POWER_ON, READ_BACK), clean_up=LOOK_AGAIN))
RESUME = register(Kind(name=Action.RESUME.value, deadline_min=15, steps=(POWER_ON, READ_BACK), clean_up=LOOK_AGAIN))
SHUT_DOWN = register(
    Kind(
        name=Action.SHUT_DOWN.value,
        deadline_min=10,
        deadline_verdict="guest_silent",
        steps=(
            Step(
                name="ask_guest",
                look=_look_asked,
                send=command(lambda client, vm: client.shut_down(vm)),
                may_cancel=True,
                shares_vapp=True,
            ),
            Step(name="guest_stops", look=_look_stopped, may_cancel=True),
            UNDEPLOY,
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
POWER_OFF = register(
    Kind(name=Action.POWER_OFF.value, deadline_min=15, steps=(UNDEPLOY, READ_BACK), clean_up=LOOK_AGAIN)
)
