"""A machine that somebody moves to another data center of its account keeps its row, and so its page and its history.

To a data center of somebody else nothing goes along: there it is a new machine, and here it is gone.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import aliased

from app.cloud import addresses, history
from app.cloud.drift_models import IS_LIVE, Drift
from app.cloud.models import Service, Vdc, Vm
from app.db import db

NAMED_AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Machines that the account had in another data center, by urn."""

    here: set[str] = field(default_factory=set)  # they are here now, and their rows are, too
    elsewhere: set[str] = field(default_factory=set)  # a newer reading saw them there


def siblings(vdc_id: uuid.UUID) -> dict[uuid.UUID, str]:
    """The other data centers of the same account in the same vCloud: urn by id."""
    own, own_vdc = aliased(Service), aliased(Vdc)
    is_beside = and_(own.account_id == Service.account_id, own.handler_id == Service.handler_id)
    query = select(Vdc.id, Vdc.urn).join(Vdc.service).join(own, is_beside).join(own_vdc, own_vdc.service_id == own.id)
    return {row.id: row.urn for row in db.session.execute(query.where(own_vdc.id == vdc_id, Vdc.id != vdc_id))}


def home(vdc_id: uuid.UUID, vdc_urn: str | None) -> uuid.UUID:
    """The data center of this urn, if it is one of the same account; else the one that was named."""
    own_urn = db.session.get_one(Vdc, vdc_id).urn
    if vdc_urn in (None, own_urn):
        return vdc_id
    return next((other for other, urn in siblings(vdc_id).items() if urn == vdc_urn), vdc_id)


def bring_over(vdc_id: uuid.UUID, homes: Mapping[str, uuid.UUID], at: datetime, run_id: uuid.UUID | None) -> Moved:
    """Have the rows of machines that were read here at `at` come over, inside the caller's transaction.

    `homes` has the machines that are not known here: the id of its vApp's row here by the urn of each.
    """
    moved = Moved()
    others = siblings(vdc_id) if homes else {}
    if not others:
        return moved
    arrived, urns = list[Vm](), list(homes)
    for start in range(0, len(urns), NAMED_AT_ONCE):
        known = select(Vm).where(Vm.vdc_id.in_(others), Vm.urn.in_(urns[start : start + NAMED_AT_ONCE]))
        for vm in db.session.scalars(known):
            (moved.elsewhere if vm.seen_at > at else moved.here).add(vm.urn)
            arrived += [vm] if vm.urn in moved.here else []
    if arrived:
        _settle_in(vdc_id, homes, arrived, at, run_id)
    return moved


def _settle_in(
    vdc_id: uuid.UUID, homes: Mapping[str, uuid.UUID], arrived: list[Vm], at: datetime, run_id: uuid.UUID | None
) -> None:
    here = db.session.get_one(Vdc, vdc_id)
    happened = list[history.Happened]()
    for left in {vm.vdc_id for vm in arrived}:
        addresses.mark_due(left)
    for vm in arrived:
        found = [{"what": "vdc", "before": vm.vdc.urn, "after": here.urn, "name": here.name}]
        kind = "changed" if vm.gone_at is None else "returned"
        happened.append(history.Happened(vm_id=vm.id, kind=kind, at=at, found=found, operation_id=None))
        vm.vdc_id, vm.vapp_id = vdc_id, homes[vm.urn]
        vm.gone_at = vm.missing_since = None
    db.session.flush()
    db.session.execute(update(Drift).where(Drift.vm_id.in_([vm.id for vm in arrived]), IS_LIVE).values(vdc_id=vdc_id))
    history.note(vdc_id, happened, at_work=history.at_work(vdc_id), run_id=run_id)
    addresses.mark_due(vdc_id)
