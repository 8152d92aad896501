"""Passwords of machines: made, shown once to who asked for them, erased; and set anew on an existing machine."""

import secrets
import uuid
from datetime import timedelta

from sqlalchemy import and_, or_, update

from app import clock, vcloud
from app.accounts import audit
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import LOOK_AGAIN, READ_BACK, change, live_vm
from app.cloud.models import Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.cloud.sizes import password_errors
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register
from app.db import db, transaction
from app.errors import AppError, NotFoundError

PASSWORD_STAYS = timedelta(minutes=10)
"""So long it can be read again after it was shown."""
STOPPED_STAYS = timedelta(days=7)
"""So long staff can let an operation go on that has stopped; nobody was shown its password."""


def make_password() -> str:
    """A random password that every guest system takes: three kinds of characters, none that look alike."""
    kinds = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789")
    characters = [secrets.choice(kind) for kind in kinds] + [secrets.choice("".join(kinds)) for _ in range(13)]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


# ---- shown once --------------------------------------------------------------------------------------------------


def take_password(actor: Actor, operation_id: uuid.UUID) -> str:
    """The password that an operation has set, to the person who asked for the operation.

    It can be read again for `PASSWORD_STAYS`, because an answer may be lost on its way, then it is erased. Raises
    NotFoundError for other people, AppError `password_not_ready` before the machine is ready, `password_taken` after.
    """
    with transaction():
        operation = _own_operation(actor, operation_id)
        if operation.is_active:
            raise AppError("password_not_ready")
        now = clock.now()
        is_over = operation.password_shown_at is not None and now - operation.password_shown_at > PASSWORD_STAYS
        password = operation.password
        if password is None or is_over:
            raise AppError("password_taken")
        if operation.password_shown_at is None:
            operation.password_shown_at = now
            audit.record(actor, "vm.password_shown", object_id=operation.vm_id)
    return password


def forget_password(actor: Actor, operation_id: uuid.UUID) -> None:
    """Erase the password now: the person who asked for it has saved it. Safe to repeat."""
    with transaction():
        _own_operation(actor, operation_id).password = None


def forget_old_passwords() -> None:
    """Erase every password whose time is over; the schedule calls it."""
    with transaction():
        now = clock.now()
        seen = Operation.password_shown_at < now - PASSWORD_STAYS
        stopped = and_(Operation.state == "needs_attention", Operation.finished_at < now - STOPPED_STAYS)
        has_one = Operation.password_sealed.is_not(None)
        db.session.execute(update(Operation).where(or_(seen, stopped), has_one).values(password_sealed=None))


def _own_operation(actor: Actor, operation_id: uuid.UUID) -> Operation:
    operation = db.session.get(Operation, operation_id)
    if operation is None or operation.user_id != actor.user_id or operation.account_id != actor.account_id:
        raise NotFoundError
    return operation


# ---- set anew ----------------------------------------------------------------------------------------------------


def request_new_password(actor: Actor, vm_id: uuid.UUID, form_token: str, password: str | None = None) -> uuid.UUID:
    """Ask for a new password of a machine that is off, which is switched on by it; None: one is made.

    Returns the id of the operation, from which `take_password` takes it. Raises AppError like `wishes.ask`, and those
    of `sizes.password_errors` with the field `password`.
    """

    def check(_vm: Vm) -> None:
        for error in password_errors(password) if password is not None else ():
            raise error

    return wishes.ask(
        actor, vm_id, Action.RESET_PASSWORD, form_token, check=check, password=password or make_password()
    )


def _look_set(turn: Turn) -> Outcome | None:
    # vCloud does not tell the password; that ours was set is known only when the task of our request ended well.
    return Next() if turn.task_urn is not None else None


def _set(turn: Turn) -> vcloud.Task:
    # Windows must not become another machine (sysprep) because of a password.
    settings = vcloud.GuestCustomization(
        enabled=True, password=turn.password, reset_password_required=False, change_sid=False
    )
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(customization=settings))


def _look_on(turn: Turn) -> Outcome | None:
    if live_vm(turn).status != vcloud.VmStatus.POWERED_ON:
        return None
    if turn.sent_at is None:  # somebody else has started it, so its guest was not told to take the settings
        raise FailedError("started_meanwhile")
    return Next()


def _apply(turn: Turn) -> vcloud.Task:
    return turn.client.deploy(turn.machine, power_on=True, force_customization=True)


RESET_PASSWORD = register(
    Kind(
        name=Action.RESET_PASSWORD.value,
        deadline_min=20,
        steps=(
            Step(name="set_password", look=_look_set, send=change(_set)),
            Step(name="customised_start", look=_look_on, send=change(_apply)),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
        has_secret=True,
    )
)
