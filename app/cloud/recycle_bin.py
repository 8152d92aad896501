"""The recycle bin: the steps of deletion, restoring and erasure.

A deleted machine is switched off and renamed in vCloud at once, so that its name is free; so is a vApp of ours in which
nothing else is left. What is gone in vCloud already is as good as erased.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from app import clock, vcloud
from app.cloud import mirror
from app.cloud.creation import MARK
from app.cloud.machine_steps import LOOK_AGAIN, Difference, change, command, live_vm, read_back
from app.cloud.models import Vm, guard_of
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import Action
from app.cloud.sizes import VAPP_NAME_MOST, VM_NAME_MOST, put_away_suffix
from app.cloud.steps import Kind, Next, Outcome, Step, Turn, Wait, register
from app.db import db

# ---- names in the bin ----------------------------------------------------------------------------------------


def _is_binned(thing: vcloud.Vm | vcloud.VApp) -> bool:
    return thing.name.endswith(put_away_suffix(thing.id))


def _free(name: str, is_taken: Callable[[str], bool], most: int) -> str:
    """The name, with a number if it is taken, not longer than `most` characters."""
    numbered = (f"{name[: most - 4]}-{number}" for number in range(2, 1000))
    return next(free for free in (name, *numbered) if not is_taken(free))


# ---- steps: into the bin -------------------------------------------------------------------------------------


def _if_there(turn: Turn) -> vcloud.Vm | None:
    try:
        return live_vm(turn)
    except vcloud.NotFound:
        return None


def _vapp_if_there(turn: Turn, vm: vcloud.Vm | None) -> vcloud.VApp | None:
    """The vApp that the machine is in, or was in when the operation began."""
    urn = vm.vapp_id if vm else turn.facts.get("vapp_urn")
    try:
        return turn.client.vapp(urn) if urn else None
    except vcloud.NotFound:
        return None


def _look_off(turn: Turn) -> Outcome | None:
    vm = _if_there(turn)
    if vm is None:
        return Next(text="it is no longer in vCloud")
    return None if vm.deployed else Next(facts={"vapp_urn": vm.vapp_id})


def _look_put_away(turn: Turn) -> Outcome | None:
    vm = _if_there(turn)
    # vCloud cannot change a machine that it could not build.
    is_done = vm is None or _is_binned(vm) or vm.status == vcloud.VmStatus.FAILED_CREATION
    return Next() if is_done else None


def _put_away(turn: Turn) -> vcloud.Task:
    name = live_vm(turn).name[: VM_NAME_MOST - len(put_away_suffix(turn.machine))] + put_away_suffix(turn.machine)
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(name=name))


def _look_vapp_put_away(turn: Turn) -> Outcome | None:
    vapp = _vapp_if_there(turn, _if_there(turn))
    if vapp is None or _is_binned(vapp) or not vapp.description.startswith(MARK):
        return Next()
    is_free = all(map(_is_binned, vapp.vms)) and len(vapp.name + put_away_suffix(vapp.id)) <= VAPP_NAME_MOST
    return None if is_free else Next()


def _put_vapp_away(turn: Turn) -> vcloud.Task:
    vapp = _its_vapp(turn)
    return turn.client.rename_vapp(vapp.id, vapp.name + put_away_suffix(vapp.id))


def _its_vapp(turn: Turn) -> vcloud.VApp:
    vapp = _vapp_if_there(turn, _if_there(turn))
    if vapp is None:
        raise vcloud.NotFound("the vApp is gone")
    return vapp


def _look_recycled(turn: Turn) -> Outcome:
    at = clock.now()
    vm = _if_there(turn)
    if vm is None:
        return _gone(turn)
    vapp = _vapp_if_there(turn, vm)

    def apply(operation: Operation) -> None:
        if vapp is not None:
            mirror.apply_vapp(operation.vdc_id, vapp, at)
        guard = guard_of(_of(operation))
        guard.recycled_at, guard.erase_at = at, at + timedelta(hours=turn.params["keep_h"])
        guard.name_before = turn.params["vm_name"]

    return Next(apply=apply)


def _of(operation: Operation) -> Vm:
    if operation.vm is None:
        raise LookupError("this operation is about no machine")
    return operation.vm


# ---- steps: out of it ----------------------------------------------------------------------------------------


def _look_taken_out(turn: Turn) -> Outcome | None:
    if _is_binned(live_vm(turn)):
        return None

    def apply(operation: Operation) -> None:
        db.session.delete(guard_of(_of(operation)))

    return Next(apply=apply)


def _take_out(turn: Turn) -> vcloud.Task:
    neighbours = {vm.name for vm in _its_vapp(turn).vms if vm.id != turn.machine}
    name = _free(turn.params["vm_name"], neighbours.__contains__, VM_NAME_MOST)
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(name=name))


def _look_vapp_taken_out(turn: Turn) -> Outcome | None:
    return None if _is_binned(_its_vapp(turn)) else Next()


def _take_vapp_out(turn: Turn) -> vcloud.Task:
    vapp = _its_vapp(turn)
    name_before = vapp.name.removesuffix(put_away_suffix(vapp.id))
    name = _free(name_before, lambda name: bool(turn.client.vapps(turn.vdc_urn, name)), VAPP_NAME_MOST)
    return turn.client.rename_vapp(vapp.id, name)


def _name_difference(turn: Turn, vm: vcloud.Vm) -> list[Difference]:
    asked = turn.params["vm_name"]
    return [] if vm.name == asked else [{"what": "name", "asked": asked, "got": vm.name}]


# ---- steps: for good -----------------------------------------------------------------------------------------


def _look_erased(turn: Turn) -> Outcome | None:
    return Next() if _if_there(turn) is None else None


def _erase(turn: Turn) -> Outcome:
    return _deleted(turn, turn.machine, _look_erased)


def _deleted(turn: Turn, urn: str, look: Callable[[Turn], Outcome | None]) -> Outcome:
    try:
        task = turn.client.delete(urn)
    except vcloud.NotFound:
        # Gone in this moment. One that can still be read is only forbidden to us.
        outcome = look(turn)
        if outcome is None:
            raise
        return outcome
    return Wait(task_urn=task.id, text=task.operation)


def _look_vapp_erased(turn: Turn) -> Outcome | None:
    """Our own vApp goes with its last machine, unless somebody is about to put another one into it."""
    vapp = _vapp_if_there(turn, None)
    is_in_use = vapp is None or vapp.vms or not vapp.description.startswith(MARK) or _is_wanted(turn, vapp.id)
    return Next() if is_in_use else None


def _erase_vapp(turn: Turn) -> Outcome:
    return _deleted(turn, turn.facts["vapp_urn"], _look_vapp_erased)


def _is_wanted(turn: Turn, vapp_urn: str) -> bool:
    others = select(Operation.id).where(
        Operation.vapp_urn == vapp_urn, Operation.state.in_(ACTIVE), Operation.id != turn.operation_id
    )
    is_wanted = db.session.scalar(others.limit(1)) is not None
    db.session.rollback()
    return is_wanted


def _gone(turn: Turn) -> Outcome:
    """The last step of an erasure: the mirror says that the machine is gone, and the vApp if it went along."""
    at = clock.now()
    vapp = _vapp_if_there(turn, None)

    def apply(operation: Operation) -> None:
        vm = _of(operation)
        vm.gone_at = vm.seen_at = at
        if vapp is not None:
            mirror.apply_vapp(operation.vdc_id, vapp, at)
        elif "vapp_urn" in turn.facts:
            vm.vapp.gone_at = vm.vapp.seen_at = at

    return Next(apply=apply)


UNDEPLOY = Step(
    name="undeploy",
    look=_look_off,
    send=command(lambda client, vm: client.undeploy(vm, power_action="powerOff")),
)
DELETE = register(
    Kind(
        name=Action.DELETE.value,
        deadline_min=30,
        steps=(
            UNDEPLOY,
            Step(name="put_away", look=_look_put_away, send=change(_put_away)),
            Step(name="put_vapp_away", look=_look_vapp_put_away, send=change(_put_vapp_away)),
            Step(name="recycle", look=_look_recycled),
        ),
        clean_up=LOOK_AGAIN,
    )
)
RESTORE = register(
    Kind(
        name=Action.RESTORE.value,
        deadline_min=30,
        steps=(
            Step(name="take_vapp_out", look=_look_vapp_taken_out, send=change(_take_vapp_out)),
            Step(name="take_out", look=_look_taken_out, send=change(_take_out)),
            read_back(_name_difference),
        ),
        clean_up=LOOK_AGAIN,
    )
)
ERASE = register(
    Kind(
        name=Action.ERASE.value,
        deadline_min=30,
        steps=(
            UNDEPLOY,
            Step(name="erase", look=_look_erased, send=_erase),
            Step(name="erase_vapp", look=_look_vapp_erased, send=_erase_vapp),
            Step(name="forget", look=_gone),
        ),
        clean_up=LOOK_AGAIN,
    )
)
