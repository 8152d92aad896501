"""The record of what people did."""

import uuid

from app import clock
from app.accounts.models import AuditEntry
from app.accounts.rules import Actor
from app.db import db


def record(actor: Actor, action: str, *, object_id: uuid.UUID | None = None, **details: object) -> None:
    """Add one entry inside the caller's transaction. `details` must hold no secret and be JSON values."""
    db.session.add(
        AuditEntry(
            at=clock.now(),
            action=action,
            user_id=actor.user_id,
            account_id=actor.account_id,
            object_id=object_id,
            details=details,
        )
    )
