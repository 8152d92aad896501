"""The form that deletes a machine by its name, and the switch that protects it against that."""

import uuid

from flask import flash, redirect, request, url_for
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from app.accounts.rules import Permission
from app.blueprints import forms, web
from app.blueprints.vms import address, bp
from app.cloud import deletion
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.errors import AppError
from app.texts.errors import error_text


class DeleteForm(forms.WishForm):
    """The name, so that it is this machine and no other."""

    typed_name = StringField(_l("Type the name of the server"))


@bp.get(address(Action.DELETE))
@web.requires(Permission.VM_CHANGE)
def ask_delete(vm_id: uuid.UUID) -> web.Answer:
    """The question: what is lost, and until when it can be restored."""
    return _page(web.get_vm(vm_id), DeleteForm(formdata=None))


@bp.post(address(Action.DELETE))
@web.requires(Permission.VM_CHANGE)
def delete(vm_id: uuid.UUID) -> web.Answer:
    """Ask for it."""
    actor, form, keep_h = web.actor(), DeleteForm(), web.config().recycle_hours
    typed_name = form.typed_name.data or ""
    return forms.send(
        vm_id,
        form,
        lambda: deletion.request_delete(actor, vm_id, web.given_token(), typed_name=typed_name, keep_h=keep_h),
        lambda vm: _page(vm, form),
    )


def _page(vm: Vm, form: DeleteForm) -> str:
    return forms.show(vm, Action.DELETE, form, keep_h=web.config().recycle_hours)


@bp.post("/vms/<uuid:vm_id>/protection")
@web.requires(Permission.VM_CHANGE)
def protect(vm_id: uuid.UUID) -> web.Answer:
    """Protect it, or take the protection off."""
    web.get_vm(vm_id)
    try:
        deletion.protect(web.actor(), vm_id, on=bool(request.form.get("is_protected")))
    except AppError as error:
        if error.status != 409:
            raise
        flash(error_text(error))
    return redirect(url_for("vms.show", vm_id=vm_id), 303)
