"""Start, shut down and power off a machine: the requests and their steps. "Off" means undeployed."""

import uuid
from collections.abc import Callable

from sqlalchemy import select

from app import clock, vcloud
from app.accounts.rules import Actor, Permission, can
from app.cloud import operations, sync
from app.cloud.models import ACTIVE, Operation, Vm
from app.cloud.rules import Action, Blocked, allowed_actions
from app.cloud.steps import Kind, Next, Outcome, Step, Turn, Wait, register
from app.db import db, transaction
from app.errors import AppError, NotFoundError


def request(actor: Actor, vm_id: uuid.UUID, action: Action, form_token: str) -> uuid.UUID:
    """Ask for an action on a machine; returns the id of the operation.

    The same form sent again answers the first operation. Raises AppError `action_blocked` with the reason when the
    state has just changed, `not_permitted`, `vm_busy`, or NotFoundError for another customer's machine.
    """
    if not can(actor, Permission.VM_POWER):
        raise AppError("not_permitted", 403)
    with transaction():
        vm = own_vm(actor, vm_id)
        first = operations.find(form_token)
        if first is None:
            running = running_operation(vm_id)
            blocked = answers(vm, running)[action]
            if blocked is not None:
                raise AppError("action_blocked", action=action.value, reason=blocked.value, name=vm.name)
            if running is not None:
                operations.replace_running(running)
        operation_id = operations.add(
            KIND_OF[action],
            actor,
            account_id=vm.vdc.service.account_id,
            vdc_id=vm.vdc_id,
            vm_id=vm_id,
            form_token=form_token,
            params={"vm_name": vm.name},
        )
    operations.ring(operation_id)
    return operation_id


def own_vm(actor: Actor, vm_id: uuid.UUID) -> Vm:
    """The machine, if it is the actor's; NotFoundError else."""
    vm = db.session.get(Vm, vm_id)
    if vm is None or vm.vdc.service.account_id != actor.account_id:
        raise NotFoundError
    return vm


def running_operation(vm_id: uuid.UUID) -> Operation | None:
    """The operation at work on a machine, if any; there is at most one."""
    return db.session.scalar(select(Operation).where(Operation.vm_id == vm_id, Operation.state.in_(ACTIVE)))


def answers(vm: Vm, running: Operation | None) -> dict[Action, Blocked | None]:
    """For each action None or the reason against it, now."""
    if running is None:
        return allowed_actions(vm.state)
    age_s = (clock.now() - running.created_at).total_seconds()
    return allowed_actions(vm.state, running_kind=running.kind, running_s=age_s)


def _vm(turn: Turn) -> vcloud.Vm:
    return turn.client.vm(turn.machine)


def _command(call: Callable[[vcloud.Client, str], vcloud.Task]) -> Callable[[Turn], Outcome]:
    """A step's `send`: one command on the machine, then its task is waited for."""

    def send(turn: Turn) -> Outcome:
        task = call(turn.client, turn.machine)
        return Wait(task_urn=task.id, text=task.operation)

    return send


def _look_on(turn: Turn) -> Outcome | None:
    return Next() if _vm(turn).status == vcloud.VmStatus.POWERED_ON else None


def _look_asked(turn: Turn) -> Outcome | None:
    # A task that is here has ended well: the guest was asked, and stopping takes it some time.
    was_asked = turn.task_urn is not None or _vm(turn).status != vcloud.VmStatus.POWERED_ON
    return Next() if was_asked else None


def _look_stopped(turn: Turn) -> Outcome | None:
    return Wait() if _vm(turn).status == vcloud.VmStatus.POWERED_ON else Next()


def _look_undeployed(turn: Turn) -> Outcome | None:
    return None if _vm(turn).deployed else Next()


def _read_back(turn: Turn) -> Outcome | None:
    at = clock.now()
    vapp_urn = _vm(turn).vapp_id
    vapp = turn.client.vapp(vapp_urn) if vapp_urn else None

    def apply(operation: Operation) -> None:
        if vapp is not None:
            sync.apply_vapp(operation.vdc_id, vapp, at)

    return Next(apply=apply)


READ_BACK = Step(name="read_back", look=_read_back)
UNDEPLOY = Step(
    name="undeploy",
    look=_look_undeployed,
    send=_command(lambda client, vm: client.undeploy(vm, power_action="powerOff")),
)
START = register(
    Kind(
        name=Action.START.value,
        deadline_min=15,
        steps=(
            Step(name="power_on", look=_look_on, send=_command(lambda client, vm: client.power_on(vm))),
            READ_BACK,
        ),
    )
)
SHUT_DOWN = register(
    Kind(
        name=Action.SHUT_DOWN.value,
        deadline_min=10,
        deadline_verdict="guest_silent",
        steps=(
            Step(name="ask_guest", look=_look_asked, send=_command(lambda client, vm: client.shut_down(vm))),
            Step(name="guest_stops", look=_look_stopped),
            UNDEPLOY,
            READ_BACK,
        ),
    )
)
POWER_OFF = register(Kind(name=Action.POWER_OFF.value, deadline_min=15, steps=(UNDEPLOY, READ_BACK)))
KIND_OF = {Action.START: START, Action.SHUT_DOWN: SHUT_DOWN, Action.POWER_OFF: POWER_OFF}
