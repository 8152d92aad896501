"""Forms that change a machine: its name, its password and its snapshot."""

import uuid

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from app.accounts.rules import Permission
from app.blueprints import forms, web
from app.blueprints.vms import address, bp
from app.cloud import naming, passwords, snapshots
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState

# ---- Name ----------------------------------------------------------------------------------------------------------


class RenameForm(forms.WishForm):
    """The new name."""

    vm_name = StringField(_l("Name"))


@bp.get(address(Action.RENAME))
@web.requires(Permission.VM_CHANGE)
def ask_rename(vm_id: uuid.UUID) -> web.Answer:
    """The form with the present name."""
    vm = web.get_vm(vm_id)
    return _rename_page(vm, RenameForm(formdata=None, data={"vm_name": vm.name}))


@bp.post(address(Action.RENAME))
@web.requires(Permission.VM_CHANGE)
def rename(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form = web.actor(), RenameForm()
    name = (form.vm_name.data or "").strip()
    return forms.send(
        vm_id,
        form,
        lambda: naming.request_rename(actor, vm_id, web.given_token(), name=name),
        lambda vm: _rename_page(vm, form),
    )


def _rename_page(vm: Vm, form: RenameForm) -> str:
    return forms.show(vm, Action.RENAME, form)


# ---- Password ------------------------------------------------------------------------------------------------------


@bp.get(address(Action.RESET_PASSWORD))
@web.requires(Permission.VM_CHANGE)
def ask_reset_password(vm_id: uuid.UUID) -> web.Answer:
    """The form."""
    return _password_page(web.get_vm(vm_id), forms.PasswordForm(formdata=None))


@bp.post(address(Action.RESET_PASSWORD))
@web.requires(Permission.VM_CHANGE)
def reset_password(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it; the page of the operation shows the password once."""
    actor, form = web.actor(), forms.PasswordForm()
    password = form.own_password()
    return forms.send(
        vm_id,
        form,
        lambda: passwords.request_new_password(actor, vm_id, web.given_token(), password),
        lambda vm: _password_page(vm, form),
        to_operation=True,
    )


def _password_page(vm: Vm, form: forms.PasswordForm) -> str:
    return forms.show(vm, Action.RESET_PASSWORD, form)


# ---- Snapshot ------------------------------------------------------------------------------------------------------


class SnapshotForm(forms.WishForm):
    """What a snapshot keeps besides the disks."""

    memory = BooleanField(_l("Keep what is in memory, too"))


@bp.get(address(Action.TAKE_SNAPSHOT))
@web.requires(Permission.VM_CHANGE)
def ask_take_snapshot(vm_id: uuid.UUID) -> web.Answer:
    """The form; a server with a snapshot is told that it is replaced."""
    return _snapshot_page(web.get_vm(vm_id), SnapshotForm(formdata=None))


@bp.post(address(Action.TAKE_SNAPSHOT))
@web.requires(Permission.VM_CHANGE)
def take_snapshot(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form = web.actor(), SnapshotForm()
    memory, replace = bool(form.memory.data), bool(request.form.get("replace"))
    return forms.send(
        vm_id,
        form,
        lambda: snapshots.request_snapshot(actor, vm_id, web.given_token(), memory=memory, replace=replace),
        lambda vm: _snapshot_page(vm, form),
    )


def _snapshot_page(vm: Vm, form: SnapshotForm) -> str:
    return forms.show(vm, Action.TAKE_SNAPSHOT, form, may_keep_memory=vm.state is VmState.ON)
