"""What happened to a machine in vCloud itself, as lines of its timeline."""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, Select, select

from app.blueprints.lines import Entry
from app.cloud.sync_models import VmEvent
from app.texts.events import sentences


def in_vcloud(vm_id: uuid.UUID) -> Select[Any]:
    """What no operation of the panel has done to a machine, the newest first; for `entries`."""
    columns = select(VmEvent.at, VmEvent.kind, VmEvent.changes)
    return columns.where(VmEvent.vm_id == vm_id, VmEvent.operation_id.is_(None)).order_by(VmEvent.at.desc())


def entries(rows: Iterable[Row[Any]]) -> list[Entry]:
    """A line for each thing that happened."""
    return [Entry(at=row.at, text=text, who="vCloud") for row in rows for text in sentences(row.kind, row.changes)]
