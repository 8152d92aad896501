"""The one place that turns a filter of machines into SQL, and counts them by state."""

import re
import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from app import clock
from app.cloud import vm_filter
from app.cloud.models import VApp, Vdc, Vm, VmGuard
from app.cloud.operation_models import IS_ACTIVE, Operation
from app.cloud.vm_filter import Condition, Flag, Number, State, VmFilter, Word
from app.db import contains, db

SHOW_GONE_FOR = timedelta(days=7)
GROUPS = ("attention", "building", "on", "suspended", "off")
"""The states by `Vm.state_rank`."""

VDC_IDS: BindParameter[Any] = bindparam("vdc_ids", expanding=True)
"""The data centers, for statements that are built once and executed with `{"vdc_ids": [...]}`."""
VdcIds = Collection[uuid.UUID] | BindParameter[Any]

_RECYCLED_IDS = select(VmGuard.vm_id).where(VmGuard.recycled_at.is_not(None))
_IN_VCLOUD = Vm.gone_at.is_(None)
RECYCLED = and_(_IN_VCLOUD, Vm.id.in_(_RECYCLED_IDS))
PRESENT = and_(_IN_VCLOUD, Vm.id.not_in(_RECYCLED_IDS))
"""What a list shows unless it is asked for something else: neither in the recycle bin nor gone."""

_BUSY_IDS = select(Operation.vm_id).where(IS_ACTIVE, Operation.vm_id.is_not(None))
_STATES: dict[str, ColumnElement[bool]] = {
    **{name: and_(PRESENT, Vm.state_rank == rank) for rank, name in enumerate(GROUPS)},
    "partly": and_(PRESENT, Vm.status == 8, Vm.is_deployed.is_(True)),
    "failed": and_(PRESENT, Vm.status == -1),
    "unknown": and_(PRESENT, Vm.status.not_in((-1, 0, 3, 4, 8))),
    "busy": and_(PRESENT, Vm.id.in_(_BUSY_IDS)),
    "deleted": RECYCLED,
}
_GONE = Vm.gone_at > bindparam("gone_after", callable_=lambda: clock.now() - SHOW_GONE_FOR)
_TEXTS = {"name": Vm.name, "os": Vm.guest_os, "net": Vm.network_names}
_NUMBERS = {"cpu": Vm.cpu_count, "ram": Vm.memory_mb, "disk": Vm.disk_mb}
_ADDRESS = re.compile(r"[0-9a-f.:]+", re.IGNORECASE)


def _counted() -> CompoundSelect[str, int, int]:
    here = Vm.vdc_id.in_(VDC_IDS)
    # In the bin are few. Their machines are looked up one by one, by nothing but the id, hence the CASE.
    its_rank = select(case((and_(here, _IN_VCLOUD), Vm.state_rank))).where(Vm.id == VmGuard.vm_id).scalar_subquery()
    recycled = select(its_rank.label("rank")).where(VmGuard.recycled_at.is_not(None)).subquery()
    by_rank = [
        select(literal("vcloud"), Vm.state_rank, func.count()).where(here, _IN_VCLOUD).group_by(Vm.state_rank),
        select(literal("deleted"), recycled.c.rank, func.count()).group_by(recycled.c.rank),
    ]
    return union_all(*by_rank, select(literal("gone"), literal(0), func.count()).where(here, _GONE))


_COUNTS = _counted()


def condition(wanted: VmFilter, vdc_ids: VdcIds) -> ColumnElement[bool]:
    """What a machine of these data centers must fulfil. Those in the recycle bin or gone have to be asked for."""
    asked = [_sql(part, vdc_ids) for part in wanted.conditions]
    return and_(Vm.vdc_id.in_(vdc_ids), *asked, *([] if wanted.states else [PRESENT]))


def counts(vdc_ids: Collection[uuid.UUID]) -> dict[str, int]:
    """How many machines there are: in each of `GROUPS`, `deleted`, `gone`, and `all` that are present.

    One statement that walks a small index once: every page asks it, and there may be many thousands of machines.
    """
    rows = db.session.execute(_COUNTS, {"vdc_ids": vdc_ids})
    found = {(place, rank): number for place, rank, number in rows}
    deleted = [found.get(("deleted", rank), 0) for rank in range(len(GROUPS))]
    present = [found.get(("vcloud", rank), 0) - deleted[rank] for rank in range(len(GROUPS))]
    return {
        "all": sum(present),
        **dict(zip(GROUPS, present, strict=True)),
        "deleted": sum(deleted),
        "gone": found["gone", 0],
    }


def _state(name: str) -> ColumnElement[bool]:
    return _GONE if name == "gone" else _STATES[name]


def _sql(part: Condition, vdc_ids: VdcIds) -> ColumnElement[bool]:
    if isinstance(part, State):
        return or_(*(_state(name) for name in part.names))
    if isinstance(part, Word):
        return _anywhere(part.text, vdc_ids)
    if isinstance(part, Number):
        return _NUMBERS[part.field].op(part.sign, is_comparison=True)(part.value)
    if isinstance(part, Flag):
        return Vm.has_snapshot.is_(part.wanted)
    return or_(*(_text(part, text, vdc_ids) for text in part.texts))


def _text(part: vm_filter.Text, text: str, vdc_ids: VdcIds) -> ColumnElement[bool]:
    if part.field == "vapp":
        return _in_vapp(text, vdc_ids)
    if part.field == "vdc":
        return Vm.vdc_id.in_(select(Vdc.id).where(Vdc.id.in_(vdc_ids), has(Vdc.name, text)))
    if part.field == "ip":
        return has(Vm.addresses, f"\n{text}")
    return has(_TEXTS[part.field], text)


def _anywhere(text: str, vdc_ids: VdcIds) -> ColumnElement[bool]:
    tests = [*(has(column, text) for column in (Vm.name, Vm.guest_os)), _in_vapp(text, vdc_ids)]
    if _ADDRESS.fullmatch(text):
        tests.append(has(Vm.addresses, text))
    return or_(*tests)


def _in_vapp(text: str, vdc_ids: VdcIds) -> ColumnElement[bool]:
    """In one of the vApps that are called so. These are found once, before the machines.

    "Is true" keeps PostgreSQL from making a join of it: without statistics that looked for the vApps again for each
    machine, and took seconds.
    """
    vapp_ids = select(VApp.id).where(VApp.vdc_id.in_(vdc_ids), has(VApp.name, text))
    return Vm.vapp_id.in_(vapp_ids).is_(True)


def has(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """In any case of letters. SQLite and PostgreSQL's locale C fold Latin ones only: others in their usual forms."""
    forms = {text} if text.isascii() else {text, text.lower(), text.upper(), text.capitalize()}
    return or_(*(contains(column, form) for form in sorted(forms)))
