"""Change processors and memory of a machine: while it runs where that is possible, else by stopping and starting it."""

import uuid
from dataclasses import replace

from sqlalchemy import select

from app import vcloud
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import (
    ASK_GUEST,
    GUEST_STOPS,
    LOOK_AGAIN,
    POWER_ON,
    UNDEPLOY,
    Difference,
    change,
    live_vm,
    read_back,
)
from app.cloud.models import Vdc, Vm
from app.cloud.offers import free_of
from app.cloud.rules import Action, VmState
from app.cloud.sizes import Plan, ResizeBounds, Shape, plan, resize_bounds, resize_errors
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register
from app.db import db
from app.errors import AppError

# ---- the request -------------------------------------------------------------------------------------------------


def shape_of(vm: Vm) -> Shape:
    """The machine as `sizes.plan` wants to see it."""
    return Shape(
        is_on=vm.state is VmState.ON,
        cpu_count=vm.cpu_count,
        memory_mb=vm.memory_mb,
        cores_per_socket=vm.cores_per_socket,
        cpu_hot_add=vm.cpu_hot_add,
        memory_hot_add=vm.memory_hot_add,
    )


def bounds_of(vm: Vm) -> ResizeBounds:
    """What may be asked for this machine now: what it has, and what its data center has free."""
    return resize_bounds(shape_of(vm), free_of(vm.vdc_id))


def request_resize(
    actor: Actor, vm_id: uuid.UUID, form_token: str, *, cpu_count: int, memory_mb: int, restart: bool
) -> uuid.UUID:
    """Ask for another size; `restart` is what the person was told, and agreed to. Returns the id of the operation.

    Raises AppError like `wishes.ask`, those of `sizes.resize_errors` with their fields, and `plan_changed` with the
    field `restart` when the machine must be restarted now and was not to be, or the other way round.
    """

    def check(vm: Vm) -> None:
        # One at a time in a data center: what one wish takes, the next one must not count as free.
        db.session.execute(select(Vdc.id).where(Vdc.id == vm.vdc_id).with_for_update())
        shape = shape_of(vm)
        for error in resize_errors(shape, cpu_count, memory_mb, bounds_of(vm)):
            raise error
        if (plan(shape, cpu_count, memory_mb) is Plan.RESTART) != restart:
            raise AppError("plan_changed", field="restart")

    asked = {"cpu_count": cpu_count, "memory_mb": memory_mb, "restart": restart}
    return wishes.ask(actor, vm_id, Action.RESIZE, form_token, asked=asked, check=check)


# ---- the steps ---------------------------------------------------------------------------------------------------


def _look_asked(turn: Turn) -> Outcome | None:
    """Only who has stopped the machine starts it again: one that is off already stays off."""
    if turn.sent_at is None:
        _require_as_seen(turn, live_vm(turn))  # before it is stopped for nothing
    if not turn.params["restart"]:
        return Next(skipped=True)
    if ASK_GUEST.look(turn) is None:
        return None
    is_ours = turn.sent_at is not None
    return Next(facts={"stopped": is_ours}, skipped=not is_ours)


def _if_stopped(step: Step) -> Step:
    """The step, for a machine that this operation has stopped."""

    def look(turn: Turn) -> Outcome | None:
        return step.look(turn) if turn.facts.get("stopped") else Next(skipped=True)

    return replace(step, look=look)


def _wanted(turn: Turn) -> dict[str, int]:
    """What shall be other than it was: only that is sent, so that the rest stays as vCloud has it."""
    before = turn.params["before"]
    return {what: turn.params[what] for what in ("cpu_count", "memory_mb") if turn.params[what] != before[what]}


def _require_as_seen(turn: Turn, vm: vcloud.Vm) -> None:
    """Refuse to overwrite what somebody has changed in vCloud since the person saw it."""
    for what, asked in _wanted(turn).items():
        now = getattr(vm, what)
        if now not in (asked, turn.params["before"][what]):
            raise FailedError("cpu_count_changed" if what == "cpu_count" else "memory_mb_changed", now=now)


def _look_resized(turn: Turn) -> Outcome | None:
    # A task that has ended well and gave something else would do so again: reading back tells the difference.
    if turn.task_urn is not None:
        return Next()
    vm = live_vm(turn)
    _require_as_seen(turn, vm)
    return None if _differences(turn, vm) else Next()


def _resize(turn: Turn) -> vcloud.Task:
    wanted = _wanted(turn)
    wish = vcloud.VmChange(cpu_count=wanted.get("cpu_count"), memory_mb=wanted.get("memory_mb"))
    return turn.client.reconfigure(turn.machine, wish)


def _differences(turn: Turn, vm: vcloud.Vm) -> list[Difference]:
    return [
        {"what": what, "asked": asked, "got": getattr(vm, what)}
        for what, asked in _wanted(turn).items()
        if asked != getattr(vm, what)
    ]


RESIZE = register(
    Kind(
        name=Action.RESIZE.value,
        deadline_min=45,
        steps=(
            replace(ASK_GUEST, look=_look_asked),
            _if_stopped(GUEST_STOPS),
            _if_stopped(UNDEPLOY),
            Step(name="resize", look=_look_resized, send=change(_resize)),
            _if_stopped(replace(POWER_ON, may_cancel=False)),
            read_back(_differences),
        ),
        clean_up=(replace(_if_stopped(POWER_ON), name="switch_on_again", undoes=True), *LOOK_AGAIN),
    )
)
