"""Rename a machine. The computer name inside its guest stays as it is: vCloud gives that only at a customization."""

import uuid

from sqlalchemy import select

from app import vcloud
from app.accounts.rules import Actor
from app.cloud import wishes
from app.cloud.machine_steps import LOOK_AGAIN, READ_BACK, change, live_vm
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.cloud.sizes import vm_name_errors
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register
from app.db import db
from app.errors import AppError


def request_rename(actor: Actor, vm_id: uuid.UUID, form_token: str, *, name: str) -> uuid.UUID:
    """Ask for another name of a machine; returns the id of the operation.

    Names obey the rules of new ones, for a later customization makes them the computer's. Raises AppError like
    `wishes.ask`, and with the field `vm_name` those of `sizes.vm_name_errors`, `vm_name_unchanged`, `vm_name_taken`.
    """

    def check(vm: Vm) -> None:
        for error in vm_name_errors(name, windows=vm.is_windows):
            raise error
        if name == vm.name:
            raise AppError("vm_name_unchanged", 400, field="vm_name")
        same = select(Vm.id).where(Vm.vapp_id == vm.vapp_id, Vm.name == name, Vm.gone_at.is_(None))
        if db.session.scalar(same.limit(1)) is not None:
            raise AppError("vm_name_taken", field="vm_name", name=name, vapp=vm.vapp.name)

    return wishes.ask(actor, vm_id, Action.RENAME, form_token, asked={"new_name": name}, check=check)


def _look_renamed(turn: Turn) -> Outcome | None:
    name = live_vm(turn).name
    if name == turn.params["new_name"]:
        return Next()
    if name != turn.params["before"]["name"]:
        raise FailedError("name_changed", now=name)
    return None


def _rename(turn: Turn) -> vcloud.Task:
    return turn.client.reconfigure(turn.machine, vcloud.VmChange(name=turn.params["new_name"]))


RENAME = register(
    Kind(
        name=Action.RENAME.value,
        deadline_min=15,
        steps=(
            Step(
                name="rename",
                look=_look_renamed,
                send=change(_rename),
                failures={"^DUPLICATE_NAME ": "vm_name_taken"},
            ),
            READ_BACK,
        ),
        clean_up=LOOK_AGAIN,
    )
)
