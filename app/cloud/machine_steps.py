"""Steps that many kinds of operations on a machine share: look at it, send one command, switch off, read back."""

from collections.abc import Callable, Mapping
from typing import Any

from app import clock, vcloud
from app.cloud import mirror
from app.cloud.operation_models import Operation
from app.cloud.steps import Next, Outcome, Step, Turn, Wait

Difference = dict[str, Any]
"""{"what": name of a quantity, "asked": value, "got": value}, for "asked / got" on the page of the operation."""


def live_vm(turn: Turn) -> vcloud.Vm:
    """The machine as vCloud has it now; NotFound when it is gone."""
    return turn.client.vm(turn.machine)


def command(call: Callable[[vcloud.Client, str], vcloud.Task]) -> Callable[[Turn], Outcome]:
    """A step's `send`: one command on the machine that needs nothing but its urn, then its task is waited for."""
    return change(lambda turn: call(turn.client, turn.machine))


def change(call: Callable[[Turn], vcloud.Task]) -> Callable[[Turn], Outcome]:
    """A step's `send`: one command made from the wish, then its task is waited for."""

    def send(turn: Turn) -> Outcome:
        task = call(turn)
        return Wait(task_urn=task.id, text=task.operation)

    return send


def once(
    name: str,
    task_name: str,
    call: Callable[[vcloud.Client, str], vcloud.Task],
    *,
    failures: Mapping[str, str] | None = None,
) -> Step:
    """A step whose effect cannot be seen afterwards (a reset, a revert), so that it must not be sent twice.

    A command whose answer was lost is looked for among vCloud's tasks, by its `task_name`; it is sent again only when
    vCloud has had time to register it and shows none.
    """

    def look(turn: Turn) -> Outcome | None:
        if turn.task_urn is not None:  # the engine has waited for it, and it has ended well
            return Next()
        return adopted(turn, task_name)

    return Step(name=name, look=look, send=command(call), failures=failures or {})


def adopted(turn: Turn, task_name: str) -> Outcome | None:
    """The task of a command whose answer was lost, to be waited for; None when vCloud has begun none."""
    if turn.sent_at is None:
        return None
    found = turn.client.tasks_named(turn.params["vm_name"], since=turn.sent_at)
    ours = [task for task in found if task.object_id == turn.machine and task.operation_name == task_name]
    return Wait(task_urn=ours[0].id, delay_s=0) if ours else None


def read_back(differences: Callable[[Turn, vcloud.Vm], list[Difference]] | None = None) -> Step:
    """The last step: the machine enters the mirror as vCloud has it, and what differs from the wish is kept."""

    def look(turn: Turn) -> Outcome | None:
        at = clock.now()
        vm = live_vm(turn)
        vapp = turn.client.vapp(vm.vapp_id) if vm.vapp_id else None

        def apply(operation: Operation) -> None:
            if vapp is not None:
                mirror.apply_vapp(operation.vdc_id, vapp, at)

        found = differences(turn, vm) if differences else []
        return Next(apply=apply, facts={"differences": found} if found else {})

    return Step(name="read_back", look=look)


def _look_again(turn: Turn) -> Outcome | None:
    try:
        return READ_BACK.look(turn)
    except vcloud.NotFound:
        return Next()  # it is gone, or out of our reach: the next inventory says so


def _look_on(turn: Turn) -> Outcome | None:
    return Next() if live_vm(turn).status == vcloud.VmStatus.POWERED_ON else None


def _look_asked(turn: Turn) -> Outcome | None:
    # A task that is here has ended well: the guest was asked, and stopping takes it some time.
    was_asked = turn.task_urn is not None or live_vm(turn).status != vcloud.VmStatus.POWERED_ON
    return Next() if was_asked else None


def _look_stopped(turn: Turn) -> Outcome | None:
    return Wait() if live_vm(turn).status == vcloud.VmStatus.POWERED_ON else Next()


def _look_undeployed(turn: Turn) -> Outcome | None:
    return None if live_vm(turn).deployed else Next()


NO_TOOLS = {r"(?i)VMware Tools (is|are) not|VM tools were found unavailable": "no_guest_tools"}
"""A guest can only be asked through the tools in it; vCloud says so in its task, not at once."""
READ_BACK = read_back()
LOOK_AGAIN = (Step(name="look_again", look=_look_again, deadline_min=5),)
"""The clean-up of a kind that takes nothing back: what a failure half way has left of the machine is shown."""
POWER_ON = Step(name="power_on", look=_look_on, send=command(lambda client, vm: client.power_on(vm)), may_cancel=True)
ASK_GUEST = Step(
    name="ask_guest",
    look=_look_asked,
    send=command(lambda client, vm: client.shut_down(vm)),
    deadline_min=10,
    deadline_verdict="guest_silent",
    failures=NO_TOOLS,
    may_cancel=True,
    shares_vapp=True,
)
GUEST_STOPS = Step(
    name="guest_stops", look=_look_stopped, deadline_min=10, deadline_verdict="guest_silent", may_cancel=True
)
UNDEPLOY = Step(
    name="undeploy",
    look=_look_undeployed,
    send=command(lambda client, vm: client.undeploy(vm, power_action="powerOff")),
)
