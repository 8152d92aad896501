"""Activity: what was asked of the machines or done to them in vCloud; the page of one operation; passwords."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import CompoundSelect, Select, desc, func, null, select, union_all
from sqlalchemy.orm import joinedload

from app.accounts.rules import Actor, Permission
from app.blueprints import lines, operation_page, vm_events, web
from app.blueprints.frame import news
from app.blueprints.machines import login
from app.blueprints.paging import Paging, paging
from app.cloud import passwords, rescue
from app.cloud.operation_models import Operation
from app.cloud.sync_models import VmEvent
from app.db import db
from app.errors import AppError
from app.texts.errors import error_text

bp = Blueprint("operations", __name__)


def _values() -> dict[str, object]:
    """One page of the list: running ones as strips on the first page, then all by day."""
    own, told = _own()
    pages = paging(db.session.scalar(_total(own, told)) or 0)
    found, events = _found(own, told, pages)
    return {
        "active": [lines.brief(operation) for operation in found if operation.is_active],
        "days": lines.timeline(
            [operation for operation in found if not operation.is_active], vm_events.entries_of_all(events)
        ),
        "paging": pages,
        "live_url": url_for("operations.live_index", page=pages.number if pages.number > 1 else None),
        "stamp": [(operation.id, operation.moved_at, operation.progress) for operation in found]
        + [(event.id, len(event.changes)) for event in events],
    }


def _own() -> tuple[Select[Any], Select[Any]]:
    """The operations of the account, and what was done in vCloud to its machines."""
    account_id = web.actor().account_id
    return select(Operation).where(Operation.account_id == account_id), vm_events.of_account(account_id)


def _total(own: Select[Any], told: Select[Any]) -> Select[Any]:
    operations, events = (one.with_only_columns(func.count()).scalar_subquery() for one in (own, told))
    return select(operations + events)


def _found(own: Select[Any], told: Select[Any], pages: Paging) -> tuple[list[Operation], list[VmEvent]]:
    """What stands on this page of both together: which, by their indexes, and then these."""
    both: CompoundSelect[Any] = union_all(
        own.with_only_columns(Operation.created_at.label("at"), Operation.id.label("operation_id"), null()),
        told.with_only_columns(VmEvent.at, null(), VmEvent.id),
    )
    shown = db.session.execute(both.order_by(desc("at")).offset(pages.offset).limit(pages.size)).all()
    ids, event_ids = ([row[place] for row in shown if row[place] is not None] for place in (1, 2))
    operations = select(Operation).where(Operation.id.in_(ids)).order_by(Operation.created_at.desc())
    events = select(VmEvent).where(VmEvent.id.in_(event_ids)).options(vm_events.WITH_NAMES)
    return (
        list(db.session.scalars(operations.options(joinedload(Operation.user)))) if ids else [],
        list(db.session.scalars(events)) if event_ids else [],
    )


@bp.get("/operations")
@web.requires(Permission.VM_SEE)
def index() -> web.Answer:
    """The list."""
    return render_template("operations/index.html", **_values())


@bp.get("/operations/live")
@web.requires(Permission.VM_SEE)
def live_index() -> web.Answer:
    """Its moving part."""
    values = _values()
    latest = news()
    return web.fragment("operations/_list.html", (latest, values.pop("stamp")), news=latest, **values)


@bp.get("/operations/<uuid:operation_id>")
@web.requires(Permission.VM_SEE)
def show(operation_id: uuid.UUID) -> web.Answer:
    """Steps, elapsed time, what vCloud said, and an explanation if it failed."""
    operation = web.get_operation(operation_id)
    return render_template("operations/show.html", line=operation_page.page(operation, web.actor()))


@bp.get("/operations/<uuid:operation_id>/live")
@web.requires(Permission.VM_SEE)
def live_show(operation_id: uuid.UUID) -> web.Answer:
    """Its moving part."""
    operation = web.get_operation(operation_id)
    latest = news()
    stamp = (operation.state, operation.claim_no, operation.moved_at, operation.progress, latest)
    line = operation_page.page(operation, web.actor())
    return web.fragment("operations/_operation.html", stamp, line=line, news=latest)


@bp.post("/operations/<uuid:operation_id>/cancel")
@web.requires(Permission.VM_CHANGE)
def cancel(operation_id: uuid.UUID) -> web.Answer:
    """Give it up, as far as vCloud allows; the page says what comes of it."""
    return _do(rescue.cancel, operation_id)


@bp.post("/operations/<uuid:operation_id>/retry")
@web.requires(Permission.VM_CHANGE)
def retry(operation_id: uuid.UUID) -> web.Answer:
    """Let it go on from the step at which it stopped."""
    return _do(rescue.retry, operation_id)


def _do(command: Callable[[Actor, uuid.UUID], None], operation_id: uuid.UUID) -> web.Answer:
    """Back to the page; what is not possible any more is said there."""
    try:
        command(web.actor(), operation_id)
    except AppError as error:
        if error.status != 409:
            raise
        flash(error_text(error))
    return redirect(url_for("operations.show", operation_id=operation_id), 303)


@bp.post("/operations/<uuid:operation_id>/password")
@web.requires(Permission.VM_CREATE)
def show_password(operation_id: uuid.UUID) -> web.Answer:
    """The password, to the person who asked for the machine; for a while it can be opened again."""
    password = passwords.take_password(web.actor(), operation_id)
    operation = web.get_operation(operation_id)
    return render_template(
        "operations/password.html",
        password=password,
        until=operation_page.password_until(operation),
        operation_id=operation_id,
        name=lines.name_of(operation),
        login=login(operation.vm) if operation.vm else "",
    )


@bp.post("/operations/<uuid:operation_id>/password-saved")
@web.requires(Permission.VM_CREATE)
def forget_password(operation_id: uuid.UUID) -> web.Answer:
    """The person has it: erase it here."""
    passwords.forget_password(web.actor(), operation_id)
    return redirect(url_for("operations.show", operation_id=operation_id), 303)
