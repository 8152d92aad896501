"""Bringing back what was changed in vCloud: an ordinary operation of whoever asks for it, never by itself.

What it takes is found out from the entry and the machine as it is now. Nothing that loses data is hidden behind it:
a machine is never deleted, a disk that grew cannot shrink, and what is gone stays gone.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor
from app.cloud import disks, drift, naming, networks, resize, wishes
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import Never
from app.cloud.models import Network, Vm
from app.cloud.networks import CardWish
from app.cloud.rules import Action
from app.cloud.sizes import Plan, plan
from app.db import db, transaction
from app.errors import AppError

Ask = Callable[[Actor, uuid.UUID, str], uuid.UUID]
NetworkIds = Mapping[tuple[uuid.UUID, str], uuid.UUID]
"""The organization networks that can be chosen: (id of the data center, urn) -> id."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How it is brought back. `restarts`: the machine stops and starts for it. `lost_mb`: of the disk that goes."""

    action: Action
    ask: Ask
    restarts: bool = False
    lost_mb: int | None = None


_PLAIN = {"existence": Never.EXISTENCE, "vdc": Never.VDC, "vapp": Never.VAPP, "state": Never.STATE}


def network_ids(rows: Iterable[Drift]) -> NetworkIds:
    """What `way` must know for these entries: one statement if any of them is about cards."""
    places = {row.vdc_id for row in rows if row.what == "nics"}
    if not places:
        return {}
    query = select(Network.vdc_id, Network.urn, Network.id)
    found = db.session.execute(query.where(Network.vdc_id.in_(places), Network.gone_at.is_(None)))
    return {(vdc_id, urn): network_id for vdc_id, urn, network_id in found}


def way(row: Drift, ids: NetworkIds) -> Way | Never:
    """How an entry can be brought back to what the panel has, or why not."""
    if row.what in _PLAIN:
        return _PLAIN[row.what]
    if row.what == "nics":
        return _cards(row, ids)
    makers: Mapping[str, Callable[[Drift], Way | Never]] = {
        "name": _rename,
        "cpu_count": _resize,
        "memory_mb": _resize,
        "disks": _disks,
        "snapshot": _snapshot,
    }
    return makers[row.what](row)


def request(actor: Actor, drift_id: uuid.UUID, form_token: str, seen: str, *, restarts: bool) -> uuid.UUID:
    """Ask for the operation that brings it back; returns its id. `restarts` is what the person was told.

    Raises like `drift.accept` and like the request of the operation, and AppError `drift_not_restorable`.
    """
    with transaction():
        row = drift.to_decide(actor, drift_id, seen)
        found = way(row, network_ids([row]))
        vm_id = row.vm_id
    if isinstance(found, Never):
        raise AppError("drift_not_restorable")
    if found.restarts != restarts:
        raise AppError("plan_changed")
    operation_id = found.ask(actor, vm_id, form_token)
    with transaction():
        row = drift.own(actor, drift_id)
        row.operation_id, row.decided_by_id, row.decided_at = operation_id, actor.user_id, clock.now()
        audit.record(actor, "drift.restore", object_id=drift_id, vm_id=str(vm_id), operation_id=str(operation_id))
    return operation_id


def _rename(row: Drift) -> Way:
    name = row.panel
    return Way(action=Action.RENAME, ask=lambda who, vm, token: naming.request_rename(who, vm, token, name=name))


def _resize(row: Drift) -> Way:
    shape = resize.shape_of(row.vm)
    size = {"cpu_count": shape.cpu_count, "memory_mb": shape.memory_mb} | {row.what: row.panel}
    restarts = plan(shape, size["cpu_count"], size["memory_mb"]) is Plan.RESTART

    def ask(who: Actor, vm_id: uuid.UUID, token: str) -> uuid.UUID:
        return resize.request_resize(who, vm_id, token, **size, restart=restarts)

    return Way(action=Action.RESIZE, ask=ask, restarts=restarts)


def _disks(row: Drift) -> Way | Never:
    before, now = row.panel, row.vcloud
    added = [disk for disk in now if disk not in before]
    if any(disk not in now for disk in before):
        return Never.DISK_LOST
    if any(now[disk] != before[disk] for disk in before):
        return Never.DISK_GREW
    if len(added) != 1:
        return Never.DISKS_SEVERAL

    def ask(who: Actor, vm_id: uuid.UUID, token: str) -> uuid.UUID:
        return disks.request_remove(who, vm_id, token, instance_id=added[0])

    return Way(action=Action.REMOVE_DISK, ask=ask, lost_mb=now[added[0]])


def _cards(row: Drift, ids: NetworkIds) -> Way | Never:
    before = {card["index"]: card for card in row.panel}
    now = {card["index"]: card for card in row.vcloud}
    changed = [index for index in {*before, *now} if before.get(index) != now.get(index)]
    wanted = [_card(row.vm, index, before.get(index), ids) for index in sorted(changed)]
    cards = [card for card in wanted if card is not None]
    if len(cards) < len(wanted):
        return Never.CARD_NETWORK
    return Way(
        action=Action.CHANGE_NETWORK,
        ask=lambda who, vm, token: networks.request_change(who, vm, token, cards),
    )


def _card(vm: Vm, index: int, card: Mapping[str, Any] | None, ids: NetworkIds) -> CardWish | None:
    """The wish for a card as it was; None where the form of the network could not ask for it either."""
    if card is None:
        return CardWish(index=index, is_removed=True)
    if card["network"] is None:
        return CardWish(index=index)
    parents = {network["name"]: network["parent_urn"] for network in vm.vapp.networks}
    network_id = ids.get((vm.vdc_id, parents.get(card["network"]) or ""))
    if network_id is None or not card["is_connected"]:
        return None
    ip = card["ip"] if card["mode"] == "MANUAL" else None
    return CardWish(index=index, network_id=network_id, mode=card["mode"], ip=ip)


def _snapshot(row: Drift) -> Way | Never:
    if not row.vcloud:
        return Never.SNAPSHOT_LOST
    return Way(
        action=Action.REMOVE_SNAPSHOT,
        ask=lambda who, vm, token: wishes.ask(who, vm, Action.REMOVE_SNAPSHOT, token),
    )
