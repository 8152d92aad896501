"""Forms for the disks of a machine: one more, a larger one, one less."""

import uuid
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from app.accounts.rules import Permission
from app.blueprints import forms, web
from app.blueprints.vm_cards import Range
from app.blueprints.vms import address, bp
from app.cloud import disks
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.errors import NotFoundError
from app.texts import size_mb

MB_PER_GB = 1024
NEW_DISK_GB = 10
"""What the form for a new disk begins with."""


class DiskForm(forms.WishForm):
    """The size of a disk."""

    size_gb = StringField(_l("Size"))


def _chosen(vm: Vm) -> dict[str, Any]:
    """The disk that the address or the form names."""
    wanted = request.values.get("disk")
    found: dict[str, Any] | None = next((disk for disk in vm.disks if disk["instance_id"] == wanted), None)
    if found is None:
        raise NotFoundError
    return found


def _range(vm: Vm, *, old_mb: int) -> Range:
    """From what the disk has (a new one: 1 GB) to what fits."""
    least, most = max(1, -(-old_mb // MB_PER_GB)), disks.most_gb(vm, old_mb=old_mb)
    least_text, most_text = size_mb(least * MB_PER_GB), size_mb(most * MB_PER_GB)
    return Range(
        least=least,
        most=max(least, most),
        least_text=gettext("%(size)s: a disk only grows", size=size_mb(old_mb)) if old_mb else least_text,
        most_text=gettext("%(size)s: with what is free in %(vdc)s", size=most_text, vdc=vm.vdc.name),
        locked=0,
    )


@bp.get(address(Action.ADD_DISK))
@web.requires(Permission.VM_CHANGE)
def ask_add_disk(vm_id: uuid.UUID) -> web.Answer:
    """The form for one more."""
    return _add_page(web.get_vm(vm_id), DiskForm(formdata=None, data={"size_gb": str(NEW_DISK_GB)}))


@bp.post(address(Action.ADD_DISK))
@web.requires(Permission.VM_CHANGE)
def add_disk(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form = web.actor(), DiskForm()
    size_gb = form.whole_number("size_gb")
    return forms.send(
        vm_id,
        form,
        lambda: disks.request_add(actor, vm_id, web.given_token(), size_gb=size_gb),
        lambda vm: _add_page(vm, form),
    )


def _add_page(vm: Vm, form: DiskForm) -> str:
    return forms.show(vm, Action.ADD_DISK, form, bounds=_range(vm, old_mb=0))


@bp.get(address(Action.GROW_DISK))
@web.requires(Permission.VM_CHANGE)
def ask_grow_disk(vm_id: uuid.UUID) -> web.Answer:
    """The form for a larger one, which begins with the size that it has."""
    vm = web.get_vm(vm_id)
    old_mb = int(_chosen(vm)["size_mb"])
    return _grow_page(vm, DiskForm(formdata=None, data={"size_gb": str(-(-old_mb // MB_PER_GB))}))


@bp.post(address(Action.GROW_DISK))
@web.requires(Permission.VM_CHANGE)
def grow_disk(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form = web.actor(), DiskForm()
    size_gb, instance_id = form.whole_number("size_gb"), request.form.get("disk", "")
    return forms.send(
        vm_id,
        form,
        lambda: disks.request_grow(actor, vm_id, web.given_token(), instance_id=instance_id, size_gb=size_gb),
        lambda vm: _grow_page(vm, form),
    )


def _grow_page(vm: Vm, form: DiskForm) -> str:
    disk = _chosen(vm)
    return forms.show(vm, Action.GROW_DISK, form, disk=disk, bounds=_range(vm, old_mb=disk["size_mb"]))


@bp.get(address(Action.REMOVE_DISK))
@web.requires(Permission.VM_CHANGE)
def ask_remove_disk(vm_id: uuid.UUID) -> web.Answer:
    """The question: its data are lost."""
    return _remove_page(web.get_vm(vm_id), forms.WishForm(formdata=None))


@bp.post(address(Action.REMOVE_DISK))
@web.requires(Permission.VM_CHANGE)
def remove_disk(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form, instance_id = web.actor(), forms.WishForm(), request.form.get("disk", "")
    return forms.send(
        vm_id,
        form,
        lambda: disks.request_remove(actor, vm_id, web.given_token(), instance_id=instance_id),
        lambda vm: _remove_page(vm, form),
    )


def _remove_page(vm: Vm, form: forms.WishForm) -> str:
    return forms.show(vm, Action.REMOVE_DISK, form, disk=_chosen(vm))
