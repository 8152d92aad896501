"""Having a data center read now, and how far that is."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import select

from app.accounts.rules import Permission
from app.blueprints import web
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.schema import Note
from app.cloud import offers, sync_runs
from app.cloud.models import Service
from app.cloud.sync_models import SyncRun
from app.db import db
from app.errors import NotFoundError


class ReadingStage(StrEnum):
    """Where a reading stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of a data center."""

    id: uuid.UUID
    vdc_id: uuid.UUID
    state: ReadingStage
    asked_at: datetime
    started_at: datetime | None
    seen_at: Annotated[datetime | None, Note(about="What is answered about the data center was so then, or later.")]
    finished_at: datetime | None
    vapps_done: Annotated[int, Note(about="Of `vapps_total` that have changed.")]
    vapps_total: int
    new: Annotated[int, Note(about="Machines, like the numbers that follow.")]
    changed: int
    gone: int
    kept_back: Annotated[int, Note(about="So many at once are missing that the provider must confirm it first.")]
    error_code: str | None


def _reading(row: SyncRun, vdc_id: uuid.UUID) -> Reading:
    return Reading(
        id=row.id,
        vdc_id=vdc_id,
        state=ReadingStage(row.state),
        asked_at=row.asked_at,
        started_at=row.started_at,
        seen_at=row.listed_at,
        finished_at=row.finished_at,
        vapps_done=row.vapps_done,
        vapps_total=row.vapps_total,
        new=row.counts.get("new", 0),
        changed=row.counts.get("changed", 0),
        gone=row.counts.get("gone", 0),
        kept_back=row.counts.get("kept_back", 0),
        error_code=row.error_code,
    )


@endpoint(
    "POST",
    "/vdcs/<uuid:vdc_id>/refresh",
    tag="Data centers",
    answer=Reading,
    permission=Permission.VM_CHANGE,
    status=202,
    location="readings",
)
def refresh_vdc(vdc_id: uuid.UUID) -> Reading:
    """Have a data center read now. Safe to repeat: too soon, it answers the reading at work or just ended."""
    service_id = offers.own_vdc(web.actor(), vdc_id).service_id
    run_id = sync_runs.ask(service_id, "asked", user_id=web.actor().user_id)
    return _reading(sync_runs.get(run_id), vdc_id)


@endpoint("GET", "/readings/<uuid:reading_id>", tag="Data centers", answer=Reading)
def show_reading(reading_id: uuid.UUID) -> Reading:
    """How far a reading is, and what it has found. Readings are forgotten after a week."""
    own = select(SyncRun).join(SyncRun.service).where(Service.account_id == web.actor().account_id)
    row = db.session.scalar(own.where(SyncRun.id == reading_id))
    if row is None or row.service.vdc is None:
        raise NotFoundError
    return _reading(row, row.service.vdc.id)
