"""The one place that turns a filter of machines into SQL, and counts them by state."""

import re
import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from app import clock
from app.cloud import vm_filter
from app.cloud.models import IS_ACTIVE, Operation, VApp, Vdc, Vm, VmGuard
from app.cloud.vm_filter import Condition, Flag, Number, State, VmFilter, Word
from app.db import db, json_items

SHOW_GONE_FOR = timedelta(days=7)
GROUPS = ("attention", "building", "on", "suspended", "off")
"""The states by `Vm.state_rank`."""

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
_TEXTS = {"name": Vm.name, "os": Vm.guest_os}
_NUMBERS = {"cpu": Vm.cpu_count, "ram": Vm.memory_mb, "disk": Vm.disk_mb}
_ADDRESS = re.compile(r"[0-9a-f.:]+", re.IGNORECASE)


def condition(wanted: VmFilter, vdc_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """What a machine of these data centers must fulfil. Those in the recycle bin or gone have to be asked for."""
    asked = [_sql(part, vdc_ids) for part in wanted.conditions]
    return and_(Vm.vdc_id.in_(vdc_ids), *asked, *([] if wanted.states else [PRESENT]))


def counts(vdc_ids: Collection[uuid.UUID]) -> dict[str, int]:
    """How many machines there are: in each of `GROUPS`, `deleted`, `gone`, and `all` that are present.

    One statement that walks an index once: every page asks it, and there may be many thousands of machines.
    """
    here = Vm.vdc_id.in_(vdc_ids)
    # In the bin are few: to be found by their ids, not among all of the data center, hence the CASE.
    bin_here = case((here, 1)) == 1
    by_rank = [
        select(literal(place), Vm.state_rank, func.count()).where(*where).group_by(Vm.state_rank)
        for place, where in (("vcloud", (here, _IN_VCLOUD)), ("deleted", (bin_here, RECYCLED)))
    ]
    gone = select(literal("gone"), literal(0), func.count()).where(here, _state("gone"))
    found = {(place, rank): number for place, rank, number in db.session.execute(union_all(*by_rank, gone))}
    present = [found.get(("vcloud", r), 0) - found.get(("deleted", r), 0) for r in range(len(GROUPS))]
    deleted = sum(number for (place, _), number in found.items() if place == "deleted")
    return {
        "all": sum(present),
        **dict(zip(GROUPS, present, strict=True)),
        "deleted": deleted,
        "gone": found["gone", 0],
    }


def _state(name: str) -> ColumnElement[bool]:
    return Vm.gone_at > clock.now() - SHOW_GONE_FOR if name == "gone" else _STATES[name]


def _sql(part: Condition, vdc_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    if isinstance(part, State):
        return or_(*(_state(name) for name in part.names))
    if isinstance(part, Word):
        return _anywhere(part.text, vdc_ids)
    if isinstance(part, Number):
        return _NUMBERS[part.field].op(part.sign, is_comparison=True)(part.value)
    if isinstance(part, Flag):
        return Vm.has_snapshot.is_(part.wanted)
    return or_(*(_text(part, text, vdc_ids) for text in part.texts))


def _text(part: vm_filter.Text, text: str, vdc_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    if part.field == "vapp":
        return _in_vapp(text, vdc_ids)
    if part.field == "vdc":
        return Vm.vdc_id.in_(select(Vdc.id).where(Vdc.id.in_(vdc_ids), _has(Vdc.name, text)))
    if part.field == "net":
        return _card(text, ("network",))
    if part.field == "ip":
        return _card(text, ("ip", "external_ip"), begins=True)
    return _has(_TEXTS[part.field], text)


def _anywhere(text: str, vdc_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    tests = [*(_has(column, text) for column in (Vm.name, Vm.guest_os)), _in_vapp(text, vdc_ids)]
    if _ADDRESS.fullmatch(text):
        # The text of all cards is looked at first: taking it apart for each machine would be slow.
        cards = cast(Vm.nics, Text).icontains(text, autoescape=True)
        tests.append(and_(cards, _card(text, ("ip", "external_ip"))))
    return or_(*tests)


def _in_vapp(text: str, vdc_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    return Vm.vapp_id.in_(select(VApp.id).where(VApp.vdc_id.in_(vdc_ids), _has(VApp.name, text)))


def _card(text: str, keys: Sequence[str], *, begins: bool = False) -> ColumnElement[bool]:
    """One of the network cards has the text in one of these keys."""
    card = json_items(Vm.nics).table_valued("value")
    return exists().select_from(card).where(or_(*(_has(card.c.value.op("->>")(k), text, begins=begins) for k in keys)))


def _has(
    column: ColumnElement[str] | InstrumentedAttribute[str], text: str, *, begins: bool = False
) -> ColumnElement[bool]:
    """In any case of letters. SQLite and PostgreSQL's locale C fold Latin ones only: others in their usual forms."""
    forms = {text} if text.isascii() else {text, text.lower(), text.upper(), text.capitalize()}
    if begins:
        return or_(*(column.istartswith(form, autoescape=True) for form in sorted(forms)))
    return or_(*(column.icontains(form, autoescape=True) for form in sorted(forms)))
