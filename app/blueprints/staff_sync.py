"""Staff: how the readings of every data center go, and the answer where one was held back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.rules import Permission
from app.blueprints import filters, readings, staff_drift, web
from app.cloud import sync_guard
from app.cloud.models import Service, Vm
from app.cloud.sync_models import SyncRun
from app.cloud.sync_runs import LIVE, LOST
from app.db import db

bp = Blueprint("staff_sync", __name__, url_prefix="/staff/sync")
LATE = timedelta(hours=2)
"""A data center that was not read for so long is a matter for somebody: at the usual 30 minutes, four runs failed."""

# What ended a run: the classes of `app/vcloud/errors.py`.
_NO_RIGHTS = ("SessionExpired", "Refused", "NotFound")
_TO_WAIT_FOR = ("Unavailable", "Busy")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One data center. `took` is of the last run that came to its end, `error` of the last one if that one failed.

    `kept_back`: so many machines were not listed, of `vm_count`, and nothing was marked.
    """

    service_id: uuid.UUID
    account: str
    vdc: str
    handler: str
    vm_count: int
    listed_at: datetime | None
    took: str
    vapps_read: int
    at_work: str
    error: str
    next_step: str
    kept_back: int
    is_late: bool

    @property
    def wants_somebody(self) -> bool:
        """Whether the line stands on top."""
        return bool(self.kept_back) or self.is_late or bool(self.error)


Runs = dict[tuple[uuid.UUID, str], SyncRun]


@bp.get("")
@web.requires(Permission.STAFF_SEE)
def index() -> web.Answer:
    """Every data center, those that want somebody first; four statements, however many there are."""
    runs, machines = _runs(), _vm_counts()
    whose = joinedload(Service.account), joinedload(Service.handler), joinedload(Service.vdc)
    found = [_line(service, runs, machines) for service in db.session.scalars(select(Service).options(*whose))]
    found.sort(key=lambda line: (not line.wants_somebody, line.account, line.vdc))
    at_work = [line for line in found if line.at_work]
    return render_template("staff/sync.html", lines=found, at_work=len(at_work), drift=staff_drift.counts())


@bp.post("/<uuid:service_id>/confirm-loss")
@web.requires(Permission.STAFF_SEE)
def confirm_loss(service_id: uuid.UUID) -> web.Answer:
    """The machines that were not listed are gone; the audit names who said so."""
    sync_guard.confirm_loss(web.actor(), service_id)
    return redirect(url_for("staff_sync.index"), 303)


def _runs() -> Runs:
    """The newest run of each data center in each state."""
    newest_first = func.row_number().over(
        partition_by=(SyncRun.service_id, SyncRun.state), order_by=SyncRun.asked_at.desc()
    )
    numbered = select(SyncRun.id, newest_first.label("number")).subquery()
    newest = select(SyncRun).join(numbered, numbered.c.id == SyncRun.id).where(numbered.c.number == 1)
    return {(run.service_id, run.state): run for run in db.session.scalars(newest)}


def _vm_counts() -> dict[uuid.UUID, int]:
    rows = select(Vm.vdc_id, func.count()).where(Vm.gone_at.is_(None)).group_by(Vm.vdc_id)
    return dict(db.session.execute(rows).all())


def _line(service: Service, runs: Runs, machines: dict[uuid.UUID, int]) -> Line:
    done, failed = runs.get((service.id, "done")), runs.get((service.id, "failed"))
    is_failing = failed is not None and (done is None or failed.asked_at > done.asked_at)
    seen_at = service.vdc.seen_at if service.vdc else None
    return Line(
        service_id=service.id,
        account=service.account.name,
        vdc=service.vdc.name if service.vdc else service.vdc_urn,
        handler=service.handler.name,
        vm_count=machines.get(service.vdc.id, 0) if service.vdc else 0,
        listed_at=seen_at,
        took=_took(done),
        vapps_read=done.vapps_done if done else 0,
        at_work=next((_stage(run) for state in reversed(LIVE) if (run := runs.get((service.id, state)))), ""),
        error=str(failed.error_params.get("text", failed.error_code)) if failed and is_failing else "",
        next_step=_next_step(failed.error_code) if failed and is_failing else "",
        kept_back=_kept_back(service, done),
        is_late=seen_at is None or clock.now() - seen_at > LATE,
    )


def _took(run: SyncRun | None) -> str:
    return filters.duration(run.finished_at - run.started_at) if run and run.finished_at and run.started_at else ""


def _next_step(error_code: str | None) -> str:
    """What to do about a run that failed, and when it is tried again."""
    if error_code in _NO_RIGHTS:
        todo = gettext("Check the administrator's login and rights in vCloud; flask service-attach takes a new login.")
    elif error_code == LOST:
        todo = gettext("Our own programs broke off at it again and again. The log of the workers says more.")
    elif error_code in _TO_WAIT_FOR:
        todo = ""
    else:
        todo = gettext("The fault is ours. The log of the workers says more.")
    return f"{todo} {readings.tried_again()}".strip()


def _stage(run: SyncRun) -> str:
    if run.state == "waiting":
        return gettext("waits for its turn")
    if run.phase is None:
        return gettext("reads the list")
    if run.phase == "templates":
        return gettext("reads templates")
    if run.phase == "details":
        return gettext("%(done)s of %(total)s vApps read", done=run.vapps_done, total=run.vapps_total)
    return gettext("looks for what is missing") if run.phase == "missing" else gettext("reads addresses")


def _kept_back(service: Service, done: SyncRun | None) -> int:
    """How many machines wait for the word of staff; none once it is given."""
    if done is None or done.finished_at is None:
        return 0
    is_confirmed = service.loss_confirmed_at is not None and service.loss_confirmed_at >= done.finished_at
    return 0 if is_confirmed else int(done.counts.get("kept_back", 0))
