"""The snapshot of a machine: vCloud keeps one, and a new one replaces it."""

import dataclasses
import uuid

from app import vcloud
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import LOOK_AGAIN, READ_BACK, adopted, change, command, live_vm, once
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register
from app.errors import AppError

# ---- the request -------------------------------------------------------------------------------------------------


def request_snapshot(
    actor: Actor, vm_id: uuid.UUID, form_token: str, *, memory: bool = False, replace: bool = False
) -> uuid.UUID:
    """Ask for a snapshot; `memory` keeps that of the running guest too, `replace` agrees to lose the one that is shown.

    Returns the id of the operation. Raises AppError like `wishes.ask`, and `snapshot_memory_needs_on` (field `memory`)
    or `snapshot_in_place` (field `replace`).
    """

    def check(vm: Vm) -> None:
        if memory and vm.state is not VmState.ON:
            raise AppError("snapshot_memory_needs_on", 400, field="memory")
        if vm.has_snapshot and not replace:
            raise AppError("snapshot_in_place", field="replace")

    asked = {"memory": memory, "replace": replace}
    return wishes.ask(actor, vm_id, Action.TAKE_SNAPSHOT, form_token, asked=asked, check=check)


# ---- the steps ---------------------------------------------------------------------------------------------------


def _moment(turn: Turn) -> str | None:
    """When the snapshot that is there now was taken, None without one."""
    found = live_vm(turn).snapshot
    return str(found.created_at) if found else None


def _require_as_seen(turn: Turn, now: str | None) -> None:
    """Refuse to lose, or to go back to, another snapshot than the one that the person has seen."""
    if now != turn.params["before"]["snapshot"]:
        raise FailedError("snapshot_changed")


def _look_before(turn: Turn) -> Outcome | None:
    """Note which snapshot is there, to tell ours from it; none at all is none to lose."""
    before = _moment(turn)
    if before is not None:
        _require_as_seen(turn, before)
    return Next(facts={"snapshot_before": before})


def _look_taken(turn: Turn) -> Outcome | None:
    if turn.task_urn is not None:  # the engine has waited for it, and it has ended well
        return Next()
    is_another = (now := _moment(turn)) is not None and now != turn.facts["snapshot_before"]
    if turn.sent_at is None:
        if is_another:  # taken while vCloud was busy with something else, which was this
            raise FailedError("snapshot_changed")
        return None
    return Next() if is_another else adopted(turn, "vappCreateSnapshot")


def _take(turn: Turn) -> vcloud.Task:
    return turn.client.create_snapshot(turn.machine, memory=turn.params["memory"])


def _look_reverted(turn: Turn) -> Outcome | None:
    if turn.task_urn is None:
        _require_as_seen(turn, _moment(turn))
    return _GO_BACK.look(turn)


def _look_removed(turn: Turn) -> Outcome | None:
    now = _moment(turn)
    if now is None:
        return Next()
    _require_as_seen(turn, now)
    return None


def _look_freed(turn: Turn) -> Outcome | None:
    vm = live_vm(turn)
    return None if vm.deployed and vm.status == vcloud.VmStatus.POWERED_OFF else Next(skipped=turn.task_urn is None)


_GO_BACK = once("revert_snapshot", "vappRevertToCurrentSnapshot", lambda client, vm: client.revert_to_snapshot(vm))
_FREE = Step(
    # A machine whose snapshot was off comes back off, but with its resources still held: not what "off" means here.
    name="free",
    look=_look_freed,
    send=command(lambda client, vm: client.undeploy(vm)),
)

TAKE_SNAPSHOT = register(
    Kind(
        name=Action.TAKE_SNAPSHOT.value,
        deadline_min=60,
        steps=(
            Step(name="look_before", look=_look_before),
            Step(name="take_snapshot", look=_look_taken, send=change(_take), may_cancel=True),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
REVERT_SNAPSHOT = register(
    Kind(
        name=Action.REVERT_SNAPSHOT.value,
        deadline_min=60,
        steps=(
            dataclasses.replace(_GO_BACK, look=_look_reverted),
            _FREE,
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
REMOVE_SNAPSHOT = register(
    Kind(
        name=Action.REMOVE_SNAPSHOT.value,
        deadline_min=120,  # a large one is merged for a long time
        steps=(
            Step(
                name="remove_snapshot",
                look=_look_removed,
                send=command(lambda client, vm: client.remove_snapshots(vm)),
            ),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
