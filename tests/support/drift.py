"""Entries of the drift desk, written as a reading of vCloud writes them."""

import uuid
from typing import Any

from sqlalchemy import select

from app import clock
from app.cloud import drift_writing
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import Told
from app.cloud.models import Vm
from app.db import db, transaction


def drifted(vm_id: uuid.UUID, what: str, before: Any, after: Any) -> uuid.UUID:
    """Have it noticed that something of a machine was changed in vCloud; returns the id of the entry."""
    changes = [{"what": what, "before": before, "after": after}]
    told = Told(vm_id=vm_id, at=clock.now(), changes=changes, operation_id=None, own=frozenset())
    with transaction():
        drift_writing.write(db.session.get_one(Vm, vm_id).vdc_id, [told], None)
        return db.session.scalars(select(Drift.id).where(Drift.vm_id == vm_id, Drift.what == what)).one()
