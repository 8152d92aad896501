"""What was changed in vCloud: panel, vCloud and last agreed side by side, with accept, restore and ignore."""

import uuid
from collections.abc import Callable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import ColumnElement

from app import clock
from app.accounts.rules import Permission, can
from app.blueprints import account_view, drift_lines, machines, web
from app.blueprints.paging import paging
from app.cloud import drift, drift_restore
from app.cloud.drift_models import Drift
from app.cloud.drift_restore import Way
from app.cloud.drift_rules import IGNORE_DAYS, DriftState
from app.db import db
from app.errors import AppError, NotFoundError
from app.texts.errors import error_text

bp = Blueprint("changes", __name__, url_prefix="/changes")


def _shown() -> Mapping[str, ColumnElement[bool]]:
    """What the list can be asked for."""
    now = clock.now()
    left = Drift.state == DriftState.IGNORED, Drift.ignored_until > now
    return {
        "open": drift.wants_decision(now),
        "ignored": left[0] & left[1],
        "noted": Drift.state == DriftState.NOTED,
    }


@bp.get("")
@web.requires(Permission.VM_SEE)
def index() -> web.Answer:
    """One page of the list, the newest first; `vm` narrows it to one machine."""
    shown = _shown()
    show = request.args.get("show", "open")
    here = [Drift.vdc_id.in_(account_view.vdc_ids())]
    counts = {name: drift.count(condition, *here) for name, condition in shown.items()}
    show = show if show in shown else "open"
    pages = paging(counts[show])
    newest = drift.listed().where(shown[show], *here).order_by(Drift.found_at.desc(), Drift.id)
    rows = list(db.session.scalars(drift.with_machines(newest).offset(pages.offset).limit(pages.size)))
    return render_template(
        "changes/index.html",
        lines=drift_lines.lines(rows),
        show=show,
        counts=counts,
        paging=pages,
        days=IGNORE_DAYS,
        may_decide=can(web.actor(), Permission.VM_CHANGE),
    )


@bp.post("/<uuid:drift_id>/accept")
@web.requires(Permission.VM_CHANGE)
def accept(drift_id: uuid.UUID) -> web.Answer:
    """What vCloud has is right."""
    return _do(lambda: drift.accept(web.actor(), drift_id, _seen()))


@bp.post("/<uuid:drift_id>/ignore")
@web.requires(Permission.VM_CHANGE)
def ignore(drift_id: uuid.UUID) -> web.Answer:
    """Not now."""
    days = request.form.get("days", 0, type=int)
    return _do(lambda: drift.ignore(web.actor(), drift_id, _seen(), days))


def _do(command: Callable[[], None]) -> web.Answer:
    """Back to the list; what is not possible any more is said there."""
    try:
        command()
    except AppError as error:
        if error.status not in (400, 409):
            raise
        flash(error_text(error))
    return redirect(url_for("changes.index"), 303)


def _seen() -> str:
    return request.form.get("seen", "")[:64]


@bp.get("/<uuid:drift_id>/restore")
@web.requires(Permission.VM_CHANGE)
def ask_restore(drift_id: uuid.UUID) -> web.Answer:
    """The question: what will be done, and what is lost by it."""
    return _question(drift_id, [])


@bp.post("/<uuid:drift_id>/restore")
@web.requires(Permission.VM_CHANGE)
def restore(drift_id: uuid.UUID) -> web.Answer:
    """Ask for the operation."""
    token, restarts = web.given_token(), bool(request.form.get("restarts"))
    vm_id = drift.own(web.actor(), drift_id).vm_id
    try:
        drift_restore.request(web.actor(), drift_id, token, _seen(), restarts=restarts)
    except AppError as error:
        if error.status in (403, 404):
            raise
        return _question(drift_id, [error_text(error)]), 422
    return redirect(url_for("vms.show", vm_id=vm_id), 303)


def _question(drift_id: uuid.UUID, problems: list[str]) -> str:
    row = drift.own(web.actor(), drift_id)
    if row.state not in (DriftState.OPEN, DriftState.IGNORED, DriftState.NOTED) and not problems:
        raise NotFoundError
    found = drift_restore.way(row, drift_restore.network_ids([row]))
    return render_template(
        "changes/restore.html",
        line=drift_lines.lines([row])[0],
        choice=machines.row(row.vm).choice(found.action) if isinstance(found, Way) else None,
        way=found if isinstance(found, Way) else None,
        problems=[("", text) for text in problems],
        token=web.given_token(),
    )
