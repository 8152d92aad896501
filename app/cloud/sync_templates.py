"""Which templates are to be read: their documents are two requests each and hardly ever change."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app import vcloud
from app.cloud.models import VappTemplate
from app.cloud.sync_rules import due_for_rereading
from app.db import db


def compare(
    vdc_id: uuid.UUID, records: Sequence[vcloud.TemplateRecord], now: datetime
) -> tuple[list[vcloud.TemplateRecord], bool]:
    """Return those to be read, and whether one that is known is not listed any more.

    To be read are those of which the listing says something new, and each once a day: bounds in its metadata are in no
    listing.
    """
    columns = select(VappTemplate.urn, VappTemplate.record_key, VappTemplate.read_at)
    stored = db.session.execute(columns.where(VappTemplate.vdc_id == vdc_id, VappTemplate.gone_at.is_(None))).all()
    keys = {row.urn: row.record_key for row in stored}
    old = set(due_for_rereading([(row.urn, row.read_at) for row in stored if row.read_at is not None], now))
    pending = [record for record in records if record.id in old or keys.get(record.id) != record.key]
    return pending, not keys.keys() <= {record.id for record in records}
