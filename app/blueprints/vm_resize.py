"""The form for processors and memory of a machine: old and new, and beforehand whether it restarts."""

import re
import uuid
from collections.abc import Sequence
from decimal import Decimal

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from app.accounts.rules import Permission
from app.blueprints import forms, web
from app.blueprints.vm_cards import LOCKED_SHARE, Range
from app.blueprints.vms import address, bp
from app.cloud import resize as resizing
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.cloud.sizes import Bound, Plan, plan, resize_errors
from app.texts import size_mb

MB_PER_GB = 1024


class ResizeForm(forms.WishForm):
    """The new size; people think of memory in GB."""

    name_of = {"memory_mb": "memory_gb"}
    cpu_count = StringField(_l("Processor"))
    memory_gb = StringField(_l("Memory"))

    def memory_mb(self) -> int:
        """What is typed as memory, in MB; 0, and an error at the field, for what is no number."""
        typed = (self.memory_gb.data or "").strip().replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", typed):
            self.refuse("memory_gb", gettext("Write a number."))
            return 0
        return int(Decimal(typed) * MB_PER_GB)


@bp.get(address(Action.RESIZE))
@web.requires(Permission.VM_CHANGE)
def ask_resize(vm_id: uuid.UUID) -> web.Answer:
    """The form with the present size."""
    vm = web.get_vm(vm_id)
    present = {"cpu_count": str(vm.cpu_count), "memory_gb": f"{vm.memory_mb / MB_PER_GB:g}"}
    return _page(vm, ResizeForm(formdata=None, data=present), restart=_always_restarts(vm))


@bp.post(address(Action.RESIZE))
@web.requires(Permission.VM_CHANGE)
def resize(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it; a server that has to restart for it is asked about first."""
    vm, actor, form = web.get_vm(vm_id), web.actor(), ResizeForm()
    cpu_count, memory_mb = form.whole_number("cpu_count"), form.memory_mb()
    shape = resizing.shape_of(vm)
    for error in resize_errors(shape, cpu_count, memory_mb, resizing.bounds_of(vm)) if not form.problems else ():
        form.take(error)
    restart = not form.problems and plan(shape, cpu_count, memory_mb) is Plan.RESTART
    if restart and not request.form.get("restart"):
        cpu, memory = f"{vm.cpu_count} → {cpu_count}\xa0CPU", f"{size_mb(vm.memory_mb)} → {size_mb(memory_mb)}"
        asked = [cpu] * (cpu_count != vm.cpu_count) + [memory] * (memory_mb != vm.memory_mb)
        return _page(vm, form, restart=True, asked=asked)
    token, size = web.given_token(), {"cpu_count": cpu_count, "memory_mb": memory_mb}
    return forms.send(
        vm_id,
        form,
        lambda: resizing.request_resize(actor, vm_id, token, restart=restart, **size),
        lambda vm: _page(vm, form, restart=_always_restarts(vm)),
    )


def _always_restarts(vm: Vm) -> bool:
    """Whether every change of size restarts it."""
    return vm.state is VmState.ON and not (vm.cpu_hot_add or vm.memory_hot_add)


def _page(vm: Vm, form: ResizeForm, *, restart: bool, asked: Sequence[str] = ()) -> str:
    """`restart`: the button says so and agrees to it. `asked`: old and new sizes, to be agreed to."""
    limits = resizing.bounds_of(vm)
    bounds = {
        "cpu_count": _range(limits.cpu_count, vm, 1),
        "memory_gb": _range(limits.memory_mb, vm, MB_PER_GB),
    }
    now, is_on = f"{vm.cpu_count}\xa0CPU, {size_mb(vm.memory_mb)}", vm.state is VmState.ON
    return forms.show(vm, Action.RESIZE, form, bounds=bounds, restart=restart, asked=asked, now=now, is_on=is_on)


def _range(bound: Bound, vm: Vm, unit: int) -> Range:
    def words(value: int) -> str:
        return size_mb(value) if unit > 1 else str(value)

    if bound.cause == "vdc":
        most_text = gettext("%(size)s: with what is free in %(vdc)s", size=words(bound.most), vdc=vm.vdc.name)
    else:
        most_text = gettext("%(size)s: vCloud's limit", size=words(bound.most))
    return Range(
        least=-(-bound.least // unit),
        most=max(1, bound.most // unit),
        least_text=words(bound.least),
        most_text=most_text,
        locked=LOCKED_SHARE if bound.cause == "vdc" else 0,
    )
