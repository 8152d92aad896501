"""Staff: operations that need somebody, and everything about one of them."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.models import Account
from app.accounts.rules import Permission
from app.blueprints import lines, operation_page, web
from app.blueprints.operation_steps import step_lines
from app.cloud import rescue
from app.cloud.models import Service, Vdc
from app.cloud.operation_models import ACTIVE, Operation, OperationEvent
from app.db import db
from app.errors import AppError, NotFoundError
from app.texts.errors import error_text
from app.texts.operations import STEPS, WAITING

bp = Blueprint("staff_operations", __name__, url_prefix="/staff/operations")
SILENT = timedelta(minutes=3)  # longer than the claim of a worker that died
MOST_LINES = 200
SIMILAR = 5


@dataclass(frozen=True, kw_only=True)
class Line:
    """One operation that somebody may have to look at. `since` is its last sign of work."""

    id: uuid.UUID
    account: str
    who: str
    what: str
    glyph: str
    state: str
    since: datetime
    said: str


@bp.get("")
@web.requires(Permission.STAFF_SEE)
def index() -> web.Answer:
    """Those that have stopped, those that wait, those of which nothing is heard."""
    silent = Operation.moved_at < clock.now() - SILENT
    needs_somebody = or_(
        Operation.state == "needs_attention",
        and_(Operation.state.in_(ACTIVE), or_(Operation.waiting_for.is_not(None), silent)),
    )
    stopped_first = case((Operation.state == "needs_attention", 0), else_=1)
    rows = db.session.execute(
        select(Operation, Account.name)
        .join(Account, Account.id == Operation.account_id)
        .where(needs_somebody)
        .order_by(stopped_first, Operation.moved_at)
        .limit(MOST_LINES)
        .options(joinedload(Operation.user))
    ).all()
    said = _last_words([row.id for row, _ in rows])
    found = [_line(row, account, said.get(row.id, "")) for row, account in rows]
    return render_template("staff/operations.html", lines=found)


def _line(row: Operation, account: str, said: str) -> Line:
    glyph, state = _state(row)
    return Line(
        id=row.id,
        account=account,
        who=row.user.name,
        what=lines.title(row),
        glyph=glyph,
        state=state,
        since=row.moved_at,
        said=said,
    )


def _state(row: Operation) -> tuple[str, str]:
    if not row.is_active:
        return "warn", gettext("Needs attention")
    if row.moved_at < clock.now() - SILENT:
        return "warn", gettext("Nothing is heard of it")
    return "busy", str(WAITING[row.waiting_for]) if row.waiting_for else lines.step_words(row)


def _last_words(ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The last line with a text of each operation."""
    newest = (
        select(func.max(OperationEvent.id))
        .where(OperationEvent.operation_id.in_(ids), OperationEvent.text != "")
        .group_by(OperationEvent.operation_id)
    )
    rows = select(OperationEvent.operation_id, OperationEvent.text).where(OperationEvent.id.in_(newest))
    return dict(db.session.execute(rows).all())


@bp.get("/<uuid:operation_id>")
@web.requires(Permission.STAFF_SEE)
def show(operation_id: uuid.UUID) -> web.Answer:
    """Steps, what vCloud said, the ids on both sides, and what ended the same way."""
    row = _get(operation_id)
    glyph, state_label = operation_page.state(row)
    return render_template(
        "staff/operation.html",
        id=row.id,
        title=lines.title(row),
        glyph=glyph,
        state_label=state_label,
        who=row.user.name,
        started_at=row.created_at,
        moved_at=row.moved_at,
        step_lines=step_lines(row),
        log=operation_page.log_lines(row),
        facts=_facts(row),
        why=operation_page.explain(row, may_change=False) if row.error_code else None,
        may_retry=rescue.may_retry(row) or rescue.may_tidy_up(row),
        is_too_late=rescue.is_too_late(row),
        step=str(STEPS.get(row.facts.get("failed_step", row.step), row.step)),
        similar=_similar(row),
    )


@bp.post("/<uuid:operation_id>/retry")
@web.requires(Permission.STAFF_SEE)
def retry(operation_id: uuid.UUID) -> web.Answer:
    """Let it go on from the step at which it stopped; the audit names who did."""
    try:
        rescue.retry(web.actor(), operation_id)
    except AppError as error:
        if error.status != 409:
            raise
        flash(error_text(error))
    return redirect(url_for("staff_operations.show", operation_id=operation_id), 303)


def _get(operation_id: uuid.UUID) -> Operation:
    everything = joinedload(Operation.vdc).joinedload(Vdc.service)
    wanted = select(Operation).where(Operation.id == operation_id)
    row = db.session.scalar(
        wanted.options(everything.joinedload(Service.handler), everything.joinedload(Service.account))
    )
    if row is None:
        raise NotFoundError
    return row


def _facts(row: Operation) -> list[tuple[str, str]]:
    """Where it is, and the ids under which vCloud knows its parts."""
    service = row.vdc.service
    found = [
        (gettext("Account"), service.account.name),
        (gettext("E-mail"), row.user.email),
        ("vCloud", service.handler.name),
        (gettext("Organization"), service.org_name),
        (gettext("Data center"), row.vdc.name),
        ("vApp", row.vapp_urn or row.facts.get("vapp_urn")),
        ("VM", row.vm.urn if row.vm else None),
        (gettext("Task"), row.task_urn),
        (gettext("Turns"), str(row.claim_no)),
    ]
    return [(label, value) for label, value in found if value]


def _similar(row: Operation) -> list[Line]:
    """The last ones of this kind that ended with the same verdict, wherever."""
    if row.error_code is None:
        return []
    rows = db.session.execute(
        select(Operation, Account.name)
        .join(Account, Account.id == Operation.account_id)
        .where(Operation.kind == row.kind, Operation.error_code == row.error_code, Operation.id != row.id)
        .order_by(Operation.moved_at.desc())
        .limit(SIMILAR)
        .options(joinedload(Operation.user))
    ).all()
    return [_line(one, account, str(one.error_params.get("message") or "")) for one, account in rows]
