"""Staff: what vCloud said and no rule explains, each with the rule that it lacks."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import get_locale
from sqlalchemy import select

from app.accounts.rules import Permission
from app.blueprints import lines, web
from app.cloud import explain, unexplained
from app.cloud.operation_models import Operation, UnexplainedError
from app.db import db

bp = Blueprint("staff_errors", __name__, url_prefix="/staff/errors")
SHOWN = 50
"""So many, for each brings its rule along; the others follow when these are done."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One refusal. `explained_now` is what a rule says of it that has come since then, else empty."""

    id: uuid.UUID
    message: str
    minor_code: str
    times: int
    first_at: datetime
    last_at: datetime
    operation_id: uuid.UUID
    operation: str
    explained_now: str
    rule: str


@bp.get("")
@web.requires(Permission.STAFF_SEE)
def index() -> web.Answer:
    """Those that want a rule, the most frequent first; below them those that have one by now."""
    rows = db.session.execute(
        select(UnexplainedError, Operation)
        .join(Operation, Operation.id == UnexplainedError.operation_id)
        .order_by(UnexplainedError.times.desc(), UnexplainedError.last_at.desc())
        .limit(SHOWN)
    ).all()
    found = sorted((_line(row, operation) for row, operation in rows), key=lambda line: line.explained_now != "")
    return render_template("staff/errors.html", lines=found, is_cut=len(found) == SHOWN)


def _line(row: UnexplainedError, operation: Operation) -> Line:
    known = explain.explain(row.minor_code, row.message, language=str(get_locale()))
    return Line(
        id=row.id,
        message=row.message,
        minor_code=row.minor_code or "",
        times=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
        operation_id=operation.id,
        operation=lines.title(operation),
        explained_now=f"{known.cause} {known.next_step}" if known else "",
        rule="" if known else unexplained.rule_for(row.minor_code, row.message),
    )


@bp.post("/<uuid:error_id>/remove")
@web.requires(Permission.STAFF_SEE)
def remove(error_id: uuid.UUID) -> web.Answer:
    """Take it off the list: its rule has come, or it needs none."""
    unexplained.remove(web.actor(), error_id)
    return redirect(url_for("staff_errors.index"), 303)
