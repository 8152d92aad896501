"""What happened to machines in vCloud itself, as lines of timelines."""

import uuid
from collections.abc import Iterable
from typing import Any

from flask import url_for
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import joinedload

from app.blueprints.lines import Entry
from app.cloud.models import Vm
from app.cloud.sync_models import NOT_OURS, VmEvent
from app.texts.events import sentences


def in_vcloud(vm_id: uuid.UUID) -> Select[Any]:
    """What no operation of the panel has done to a machine, the newest first; for `entries`."""
    columns = select(VmEvent.at, VmEvent.kind, VmEvent.changes)
    return columns.where(VmEvent.vm_id == vm_id, NOT_OURS).order_by(VmEvent.at.desc())


def of_account(account_id: uuid.UUID | None) -> Select[Any]:
    """Likewise of all machines of an account; for `entries_of_all`."""
    return select(VmEvent).where(VmEvent.account_id == account_id, NOT_OURS)


WITH_NAMES = joinedload(VmEvent.vm).options(joinedload(Vm.guard))


def entries(rows: Iterable[Row[Any]]) -> list[Entry]:
    """A line for each thing that happened."""
    return [Entry(at=row.at, text=text, who="vCloud") for row in rows for text in sentences(row.kind, row.changes)]


def entries_of_all(events: Iterable[VmEvent]) -> list[Entry]:
    """A line for each thing that happened, with the machine."""
    return [
        Entry(
            at=event.at, text=text, who="vCloud", note=event.vm.shown_name, url=url_for("vms.show", vm_id=event.vm_id)
        )
        for event in events
        for text in sentences(event.kind, event.changes)
    ]
