"""Asking something of an existing machine: one door for every kind of change, with the checks they share."""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app import clock
from app.accounts.rules import Actor, Permission, can
from app.cloud import operations
from app.cloud.models import Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import Action, Blocked, allowed_actions
from app.cloud.steps import KINDS
from app.db import db, transaction
from app.errors import AppError, NotFoundError

SEEN = ("vm_name", "before")
"""What a wish keeps of the machine as its form showed it."""


def _seen(vm: Vm) -> dict[str, Any]:
    """The name, and what a change could overwrite of what somebody does in vCloud until it gets there."""
    before = {
        "name": vm.name,
        "cpu_count": vm.cpu_count,
        "memory_mb": vm.memory_mb,
        "disks": {disk["instance_id"]: disk["size_mb"] for disk in vm.disks},
        "nics": {str(nic["index"]): [nic["network"], nic["mode"], nic["is_connected"]] for nic in vm.nics}
        if vm.read_at is not None
        else None,  # nobody has seen them
        "snapshot": str(vm.snapshot_at) if vm.has_snapshot else None,
    }
    return {"vm_name": vm.shown_name, "before": before}


def _fits(_vm: Vm) -> None:
    """Most actions ask for nothing that could be wrong."""


def ask(
    actor: Actor,
    vm_id: uuid.UUID,
    action: Action,
    form_token: str,
    *,
    asked: dict[str, Any] | None = None,
    check: Callable[[Vm], None] = _fits,
    password: str | None = None,
) -> uuid.UUID:
    """Ask for an action on a machine; returns the id of the operation.

    `asked` holds what the person asked for besides the action itself, `check` raises the AppError of what is wrong with
    it for the machine as it is now. The same form sent again answers the first operation. Raises AppError
    `action_blocked` with the reason when the state has just changed, `not_permitted`, `vm_busy`, or NotFoundError for
    another customer's machine.
    """
    if not can(actor, Permission.VM_CHANGE):
        raise AppError("not_permitted", 403)
    with transaction():
        vm = own_vm(actor, vm_id)
        first = operations.find(form_token)
        if first is None:
            _make_way(vm, action)
            check(vm)
        operation_id = operations.add(
            KINDS[action.value],
            actor,
            account_id=vm.vdc.service.account_id,
            vdc_id=vm.vdc_id,
            vm_id=vm_id,
            vapp_urn=vm.vapp.urn,
            form_token=form_token,
            # A machine that changed must not make a form that is sent again look like another one.
            params={**(_seen(vm) if first is None else _seen_then(first)), **(asked or {})},
            password=password,
        )
    operations.ring(operation_id)
    return operation_id


def _seen_then(first: Operation) -> dict[str, Any]:
    """What was seen when this was asked for; a form of another kind may have seen none of it, and is refused then."""
    return {key: first.params[key] for key in SEEN if key in first.params}


def _make_way(vm: Vm, action: Action) -> None:
    """Refuse what the state forbids; end a running operation whose place this one may take."""
    running = running_operation(vm.id)
    blocked = answers(vm, running)[action]
    if blocked is not None:
        raise AppError("action_blocked", action=action.value, reason=blocked.value, name=vm.shown_name)
    if running is not None:
        operations.replace_running(running)


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
        return allowed_actions(vm.condition)
    age_s = (clock.now() - running.created_at).total_seconds()
    return allowed_actions(vm.condition, running_kind=running.kind, running_s=age_s)
