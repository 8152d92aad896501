"""Servers: the list, the page of one, and what one press asks of it. Forms: `vm_create`, `vm_change` and others."""

import uuid
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.accounts.rules import Permission, can
from app.blueprints import account_view, machines, readings, vm_page, web
from app.blueprints.frame import news
from app.blueprints.vm_list import listing
from app.cloud import wishes
from app.cloud.rules import Action
from app.errors import AppError
from app.texts.errors import error_text

bp = Blueprint("vms", __name__)


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
    found, latest, may_create = listing(), news(), can(web.actor(), Permission.VM_CREATE)
    answer = web.fragment("vms/_table.html", (latest, found.stamp), listing=found, news=latest, may_create=may_create)
    readings.keep_fresh(account_view.vdcs())
    return answer


@bp.get("/vms/<uuid:vm_id>")
@web.requires(Permission.VM_SEE)
def show(vm_id: uuid.UUID) -> web.Answer:
    """One machine."""
    return render_template("vms/show.html", page=vm_page.page(web.get_vm(vm_id)))


@bp.get("/vms/<uuid:vm_id>/live")
@web.requires(Permission.VM_SEE)
def live_show(vm_id: uuid.UUID) -> web.Answer:
    """Its moving part."""
    page, latest = vm_page.page(web.get_vm(vm_id)), news()
    answer = web.fragment("vms/_vm.html", (latest, page.stamp), page=page, news=latest)
    readings.keep_fresh(page.vdcs)
    return answer


# ---- Actions that need nothing but a press -------------------------------------------------------------------------

QUESTIONS = (Action.POWER_OFF, Action.RESET, Action.REVERT_SNAPSHOT, Action.REMOVE_SNAPSHOT, Action.ERASE)
"""Those that ask first, on a page of their own name that says what is lost."""
AT_ONCE = (*QUESTIONS, Action.START, Action.RESUME, Action.SHUT_DOWN, Action.RESTART, Action.SUSPEND, Action.RESTORE)


def _add_routes() -> None:
    """Each action at `/vms/<id>/<its name>`: a POST asks for it; a GET shows the question before it."""
    needed = web.requires(Permission.VM_CHANGE)
    for action in AT_ONCE:
        url = address(action)
        bp.add_url_rule(url, action.value, needed(partial(press, action=action)), methods=["POST"])
        if action in QUESTIONS:
            bp.add_url_rule(url, f"ask_{action.value}", needed(partial(question, action=action)), methods=["GET"])


def address(action: Action) -> str:
    """The rule of an action's address."""
    return f"/vms/<uuid:vm_id>/{action.value.replace('_', '-')}"


def question(vm_id: uuid.UUID, *, action: Action) -> web.Answer:
    """What is lost by it; the same page holds the button."""
    vm = web.get_vm(vm_id)
    return render_template(f"vms/{action.value}.html", vm=vm, choice=machines.row(vm).choice(action))


def press(vm_id: uuid.UUID, *, action: Action) -> AnyResponse:
    """Ask, then back to where the button was; what the state forbids by now is said there."""
    vm = web.get_vm(vm_id)
    try:
        wishes.ask(web.actor(), vm.id, action, web.given_token(url_for(f"vms.{action.value}", vm_id=vm_id)))
    except AppError as error:
        if error.status != 409:
            raise
        flash(error_text(error))
    return redirect(web.own_path(request.form.get("next"), url_for("vms.show", vm_id=vm_id)), 303)


_add_routes()
