"""Deletion: into the recycle bin, and for good when the time there is over; protection against it."""

import uuid
from contextlib import suppress

from sqlalchemy import select

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor, Permission, Role, can
from app.cloud import operations, wishes
from app.cloud.models import Vm, VmGuard, guard_of
from app.cloud.operation_models import Operation
from app.cloud.rules import Action, VmState
from app.db import db, transaction
from app.errors import AppError


def request_delete(actor: Actor, vm_id: uuid.UUID, form_token: str, *, typed_name: str, keep_h: int) -> uuid.UUID:
    """Ask for a machine to be put into the recycle bin for `keep_h` hours; returns the id of the operation.

    0 hours: it is erased by the next minute. Raises what `wishes.ask` raises (also for a protected machine), and
    AppError `name_not_typed` at the field `typed_name`. Out of the bin it is `wishes.ask` with RESTORE or ERASE.
    """

    def check(vm: Vm) -> None:
        if typed_name.strip() != vm.name:
            raise AppError("name_not_typed", 400, field="typed_name", name=vm.name)

    return wishes.ask(actor, vm_id, Action.DELETE, form_token, asked={"keep_h": keep_h}, check=check)


def protect(actor: Actor, vm_id: uuid.UUID, *, on: bool) -> None:
    """Protect a machine against deletion, or no longer. Safe to repeat.

    Raises AppError `not_permitted`, `action_blocked` for one that is deleted already, `vm_busy` for one that is being
    deleted, or NotFoundError.
    """
    if not can(actor, Permission.VM_CHANGE):
        raise AppError("not_permitted", 403)
    with transaction():
        db.session.execute(select(Vm.id).where(Vm.id == vm_id).with_for_update())  # two clicks make one guard
        vm = wishes.own_vm(actor, vm_id)
        if vm.state in (VmState.RECYCLED, VmState.GONE):
            raise AppError("action_blocked", reason=vm.state.value, name=vm.name)
        running = wishes.running_operation(vm.id)
        if running is not None and running.kind == Action.DELETE.value:
            raise AppError("vm_busy")  # too late
        if vm.condition.is_protected == on:
            return
        guard_of(vm).is_protected = on
        audit.record(actor, "vm.protected" if on else "vm.unprotected", object_id=vm.id)


def erase_due() -> None:
    """Ask for every machine whose time in the bin is over to be erased, in the name of whoever deleted it.

    Each is asked for once: the form token is made of the guard and the moment. One that is being restored is left alone
    until that has ended.
    """
    over = select(VmGuard).join(VmGuard.vm).where(VmGuard.erase_at <= clock.now(), Vm.gone_at.is_(None))
    due = [(guard.vm_id, f"erase-{guard.id.hex}-{guard.erase_at:%Y%m%d%H%M%S}") for guard in db.session.scalars(over)]
    for vm_id, form_token in due:
        deleter = _who_deleted(vm_id)
        if deleter is not None and operations.find(form_token) is None:
            with suppress(AppError):
                wishes.ask(deleter, vm_id, Action.ERASE, form_token)


def _who_deleted(vm_id: uuid.UUID) -> Actor | None:
    """The person, with the right that deleting already took: what he may do by now does not matter."""
    deletions = select(Operation).where(Operation.vm_id == vm_id, Operation.kind == Action.DELETE.value)
    last = db.session.scalar(deletions.order_by(Operation.created_at.desc()).limit(1))
    return Actor(user_id=last.user_id, account_id=last.account_id, role=Role.OWNER) if last else None
