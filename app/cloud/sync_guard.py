"""Letting a reading mark as gone what is gone: the answer of staff where most of a data center was not listed."""

import uuid

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor, Permission, can
from app.cloud import sync_runs
from app.cloud.models import Service
from app.db import db, transaction
from app.errors import AppError, NotFoundError


def confirm_loss(actor: Actor, service_id: uuid.UUID) -> None:
    """Say that the machines that are missing now are gone, and have the data center read. Safe to repeat.

    What is found missing later is not confirmed by it. Raises AppError `not_permitted` or NotFoundError.
    """
    if not can(actor, Permission.STAFF_SEE):
        raise AppError("not_permitted", 403)
    with transaction():
        service = db.session.get(Service, service_id)
        if service is None:
            raise NotFoundError
        service.loss_confirmed_at = clock.now()
        audit.record(actor, "sync.confirm_loss", object_id=service_id)
    # Not "asked", which is throttled: the reading that was held back may have ended a moment ago.
    sync_runs.ask(service_id, "schedule", user_id=actor.user_id)
