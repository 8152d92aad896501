"""Staff: the drift desk over all accounts. What is done about an entry is the customer's to decide."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from sqlalchemy import ColumnElement, case, func, select

from app import clock
from app.accounts.models import Account
from app.accounts.rules import Permission
from app.blueprints import drift_lines, web
from app.blueprints.drift_lines import DriftLine
from app.blueprints.paging import paging
from app.cloud import drift
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import DriftState
from app.cloud.models import Service, Vdc
from app.db import db

bp = Blueprint("staff_drift", __name__, url_prefix="/staff/drift")


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry and whose it is."""

    drift: DriftLine
    account: str
    is_alarming: bool


@web.once
def counts() -> dict[str, int]:
    """How many entries there are of each kind that can be shown; one statement."""
    found = {name: func.count(case((condition, 1))) for name, condition in _shown().items()}
    row = db.session.execute(drift.listed().with_only_columns(*found.values())).one()
    return dict(zip(found, row, strict=True))


def _shown() -> dict[str, ColumnElement[bool]]:
    now = clock.now()
    return {
        "open": drift.wants_decision(now),
        "old": drift.is_alarming(now),
        "ignored": (Drift.state == DriftState.IGNORED) & (Drift.ignored_until > now),
        "noted": Drift.state == DriftState.NOTED,
    }


@bp.get("")
@web.requires(Permission.STAFF_SEE)
def index() -> web.Answer:
    """One page of it, the oldest first."""
    show = request.args.get("show", "open")
    show = show if show in _shown() else "open"
    pages = paging(counts()[show])
    oldest = drift.listed().where(_shown()[show]).order_by(Drift.found_at, Drift.id)
    rows = list(db.session.scalars(drift.with_machines(oldest).offset(pages.offset).limit(pages.size)))
    return render_template("staff/drift.html", lines=_lines(rows), show=show, counts=counts(), paging=pages)


def _lines(rows: list[Drift]) -> list[Line]:
    owners = select(Vdc.id, Account.name).join(Vdc.service).join(Service.account)
    accounts = dict(db.session.execute(owners.where(Vdc.id.in_({row.vdc_id for row in rows}))).all())
    now = clock.now()
    return [
        Line(drift=line, account=accounts[row.vdc_id], is_alarming=row.is_alarming(now))
        for row, line in zip(rows, drift_lines.lines(rows), strict=True)
    ]
