"""Servers: the list, the page of one, start, shut down, power off. `vm_create` has the form for a new one."""

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.accounts.rules import Permission, can
from app.blueprints import lines, machines, web
from app.blueprints.frame import news
from app.blueprints.vm_list import listing
from app.cloud import wishes
from app.cloud.models import Operation, Vm
from app.cloud.rules import Action
from app.db import db
from app.errors import AppError
from app.texts import error_text

bp = Blueprint("vms", __name__)
TIMELINE_LINES = 20


@bp.get("/vms")
@web.requires(Permission.VM_SEE)
def index() -> web.Answer:
    """The list."""
    may_create = can(web.actor(), Permission.VM_CREATE)
    return render_template("vms/index.html", listing=listing(), may_create=may_create)


@bp.get("/vms/live")
@web.requires(Permission.VM_SEE)
def live_index() -> web.Answer:
    """Its moving part."""
    found, latest = listing(), news()
    return web.fragment("vms/_table.html", (latest, found.stamp), listing=found, news=latest)


@bp.get("/vms/<uuid:vm_id>")
@web.requires(Permission.VM_SEE)
def show(vm_id: uuid.UUID) -> web.Answer:
    """One machine."""
    vm = web.get_vm(vm_id)
    return render_template("vms/show.html", row=machines.rows([vm])[0], days=_timeline(vm))


@bp.get("/vms/<uuid:vm_id>/live")
@web.requires(Permission.VM_SEE)
def live_show(vm_id: uuid.UUID) -> web.Answer:
    """Its moving part."""
    vm = web.get_vm(vm_id)
    row, latest = machines.rows([vm])[0], news()
    stamp = (latest, vm.seen_at, vm.status, vm.is_deployed, row.busy)
    return web.fragment("vms/_vm.html", stamp, row=row, days=_timeline(vm), news=latest)


def _timeline(vm: Vm) -> list[tuple[str, list[lines.Entry]]]:
    recent = select(Operation).where(Operation.vm_id == vm.id).order_by(Operation.created_at.desc())
    operations = db.session.scalars(recent.limit(TIMELINE_LINES).options(joinedload(Operation.user)))
    return lines.timeline(list(operations))


@bp.post("/vms/<uuid:vm_id>/start")
@web.requires(Permission.VM_CHANGE)
def start(vm_id: uuid.UUID) -> web.Answer:
    """Ask for a start."""
    return _ask(vm_id, Action.START)


@bp.post("/vms/<uuid:vm_id>/resume")
@web.requires(Permission.VM_CHANGE)
def resume(vm_id: uuid.UUID) -> web.Answer:
    """Ask for a suspended one to go on."""
    return _ask(vm_id, Action.RESUME)


@bp.post("/vms/<uuid:vm_id>/shut-down")
@web.requires(Permission.VM_CHANGE)
def shut_down(vm_id: uuid.UUID) -> web.Answer:
    """Ask the system inside to shut down."""
    return _ask(vm_id, Action.SHUT_DOWN)


@bp.get("/vms/<uuid:vm_id>/power-off")
@web.requires(Permission.VM_CHANGE)
def confirm_power_off(vm_id: uuid.UUID) -> web.Answer:
    """The question first: unsaved work is lost."""
    return render_template("vms/power_off.html", vm=web.get_vm(vm_id))


@bp.post("/vms/<uuid:vm_id>/power-off")
@web.requires(Permission.VM_CHANGE)
def power_off(vm_id: uuid.UUID) -> web.Answer:
    """Switch it off like by the plug."""
    return _ask(vm_id, Action.POWER_OFF)


def _ask(vm_id: uuid.UUID, action: Action) -> AnyResponse:
    """Ask, then back to where the button was; what the state forbids by now is said there."""
    vm = web.get_vm(vm_id)
    try:
        wishes.ask(web.actor(), vm.id, action, web.given_token())
    except AppError as error:
        if error.status != 409:
            raise
        flash(error_text(error))
    return redirect(web.own_path(request.form.get("next"), url_for("vms.show", vm_id=vm_id)), 303)
