"""The sync of all data centers: each is read for itself, and one that cannot be read holds up no other."""

import logging
import uuid

from sqlalchemy import func, select

from app import vcloud
from app.accounts.models import Account
from app.cloud import sync, sync_runs
from app.cloud.models import Service, Vdc
from app.db import db

log = logging.getLogger(__name__)


def ask_all() -> None:
    """Have every data center read: the schedule's part."""
    for service_id in list(db.session.scalars(select(Service.id))):
        sync_runs.ask(service_id, "schedule")


def ask_again(handler_id: uuid.UUID) -> None:
    """Have those data centers of a vCloud read whose last run failed: it answers again."""
    for service_id in sync_runs.failed_last(handler_id):
        sync_runs.ask(service_id, "schedule")


def refresh_all() -> tuple[int, list[str]]:
    """Read every data center now; returns how many there are, and a line about each one that could not be read."""
    service = select(Service.id, Account.name.label("account"), func.coalesce(Vdc.name, Service.vdc_urn).label("vdc"))
    joined = service.join(Service.account).outerjoin(Service.vdc).order_by(Account.name, Vdc.name)
    rows, failed = db.session.execute(joined).all(), list[str]()
    db.session.rollback()
    for row in rows:
        try:
            sync.refresh(row.id)
        except Exception as error:  # one must not keep the others from being read
            db.session.rollback()
            failed.append(f"{row.account}, {row.vdc}: {error}")
            if not isinstance(error, vcloud.VcloudError):
                log.exception("data center %s of %s could not be read", row.vdc, row.account)
    return len(rows), failed
