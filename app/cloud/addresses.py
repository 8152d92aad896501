"""Who holds which address of the networks of a data center, complete however many there are.

Read after everything else of a run, and only when it is due: at first, when something moved in a data center that uses
the network, and once a day. An unchanged run asks for nothing. What vCloud does not let us see is asked for again a
day later; what it did not answer, in the next run.
"""

import ipaddress
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, or_, select, update

from app import vcloud
from app.cloud.models import Network, Service, VApp, Vdc, Vm
from app.cloud.sync_models import NetworkAddress
from app.db import db

log = logging.getLogger(__name__)

READ_EVERY = timedelta(days=1)
ASK_AGAIN = timedelta(minutes=5)
"""So much later a list that did not come is due again: not in the same run, which would never end."""
_AT_ONCE = 1_000  # so many rows are deleted by one statement
_BRIDGED = "bridged"
Holders = dict[str, str | None]
"""By address the urn of who holds it: a machine, or the vApp of a router; None: something that is neither."""


def mark_due(vdc_id: uuid.UUID) -> None:
    """Something moved: have the addresses of all networks here read again, inside the caller's transaction.

    A network that several data centers use has a row in each; all of them are due.
    """
    here = select(Network.urn).where(Network.vdc_id == vdc_id, Network.gone_at.is_(None))
    stale = Network.urn.in_(here), Network.addresses_due_at.is_not(None)
    db.session.execute(
        update(Network).where(*stale).values(addresses_due_at=None), execution_options={"synchronize_session": False}
    )


def is_due(network: Network, now: datetime) -> bool:
    """Whether the addresses of a network are to be read."""
    return network.gone_at is None and (network.addresses_due_at is None or network.addresses_due_at <= now)


def due(vdc_id: uuid.UUID, now: datetime) -> list[tuple[uuid.UUID, str]]:
    """The networks of a data center whose addresses are to be read, as (id, urn)."""
    is_over = or_(Network.addresses_due_at.is_(None), Network.addresses_due_at <= now)
    found = select(Network.id, Network.urn).where(Network.vdc_id == vdc_id, Network.gone_at.is_(None), is_over)
    return [(row.id, row.urn) for row in db.session.execute(found.order_by(Network.urn))]


def read(client: vcloud.Client, vdc_id: uuid.UUID, network_urn: str, at: datetime) -> tuple[Holders | None, datetime]:
    """Ask vCloud for all addresses of a network: who holds which, None if it did not say; and when to ask again.

    The mirror has its word for vApps that were read whole, where an old vCloud would have to be asked for each.
    """
    known = _Known(vdc_id, network_urn)
    try:
        found = client.allocated_addresses(network_urn, known.held_by)
    except vcloud.VcloudError as error:
        log.warning("the addresses of %s could not be read: %s", network_urn, error)
        return None, at + (READ_EVERY if isinstance(error, vcloud.Refused | vcloud.NotFound) else ASK_AGAIN)
    return {held.ip: held.vm_id or held.vapp_id for held in found if _sort_key(held.ip)}, at + READ_EVERY


def apply(network_id: uuid.UUID, holders: Holders | None, at: datetime, due_at: datetime) -> None:
    """Write what was read at `at`, inside the caller's transaction; rows that say the same already are not written."""
    network = db.session.get_one(Network, network_id)
    network.addresses_due_at = due_at
    if holders is None:
        return
    network.addresses_at = at
    columns = select(NetworkAddress.id, NetworkAddress.ip, NetworkAddress.holder_urn)
    stored = {row.ip: row for row in db.session.execute(columns.where(NetworkAddress.network_id == network_id))}
    _delete([row.id for ip, row in stored.items() if ip not in holders])
    passed_on = {row.id: holders[ip] for ip, row in stored.items() if ip in holders and holders[ip] != row.holder_urn}
    if passed_on:
        db.session.execute(update(NetworkAddress), [{"id": i, "holder_urn": urn} for i, urn in passed_on.items()])
    fresh = [_values(network_id, ip, holder) for ip, holder in holders.items() if ip not in stored]
    if fresh:
        db.session.execute(insert(NetworkAddress), fresh)


def _delete(ids: list[uuid.UUID]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        db.session.execute(delete(NetworkAddress).where(NetworkAddress.id.in_(ids[start : start + _AT_ONCE])))


def _values(network_id: uuid.UUID, ip: str, holder: str | None) -> dict[str, Any]:
    return {"id": uuid.uuid4(), "network_id": network_id, "ip": ip, "sort_key": _sort_key(ip), "holder_urn": holder}


def _sort_key(ip: str) -> str:
    """What puts addresses in their order; empty for a text that is none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return f"{address.version}{address.packed.hex()}"


class _Known:
    """What the mirror says of vApps that were read whole and did not move since: what each holds on one network.

    Reads nothing before it is asked, which it is only by an old vCloud with a long list.
    """

    def __init__(self, vdc_id: uuid.UUID, network_urn: str) -> None:
        self._vdc_id = vdc_id
        self._network_urn = network_urn
        self._held: dict[str, list[vcloud.AllocatedAddress]] | None = None

    def held_by(self, vapp_urn: str) -> list[vcloud.AllocatedAddress] | None:
        """What this vApp holds; None if the mirror cannot say."""
        if self._held is None:
            self._held = self._collect()
        return self._held.get(vapp_urn)

    def _collect(self) -> dict[str, list[vcloud.AllocatedAddress]]:
        is_whole = VApp.gone_at.is_(None), VApp.read_at.is_not(None), VApp.read_key == VApp.record_key
        place = VApp.vdc_id.in_(_beside(self._vdc_id))
        vapps = db.session.execute(select(VApp.id, VApp.urn, VApp.networks).where(place, *is_whole)).all()
        cards = select(Vm.vapp_id, Vm.urn, Vm.nics).where(Vm.vdc_id.in_(_beside(self._vdc_id)), Vm.gone_at.is_(None))
        vms: dict[uuid.UUID, list[Row[Any]]] = defaultdict(list)
        for row in db.session.execute(cards):
            vms[row.vapp_id].append(row)
        db.session.rollback()
        return {row.urn: list(_held(row, vms[row.id], self._network_urn)) for row in vapps}


def _beside(vdc_id: uuid.UUID) -> ColumnElement[Any]:
    """The data centers of the same vCloud: one organization may share a network among several."""
    handler = select(Service.handler_id).join(Vdc, Vdc.service_id == Service.id).where(Vdc.id == vdc_id)
    within = select(Vdc.id).join(Service, Vdc.service_id == Service.id)
    return within.where(Service.handler_id == handler.scalar_subquery()).scalar_subquery()


def _held(vapp: Row[Any], vms: Iterable[Row[Any]], network_urn: str) -> Iterator[vcloud.AllocatedAddress]:
    """As `vcloud` has it of a document: outer addresses behind a router, and the router's own."""
    ours: Mapping[str, Any] = {one["name"]: one for one in vapp.networks if one["parent_urn"] == network_urn}
    for network in ours.values():
        router_ip = network.get("router_ip")  # vApps read by an early Skiff have none until they are read again
        if router_ip:
            yield vcloud.AllocatedAddress(router_ip, vapp.urn, None)
    for vm in vms:
        for card in vm.nics:
            network = ours.get(card["network"])
            ip = network and card["ip" if network["fence_mode"] == _BRIDGED else "external_ip"]
            if ip:
                yield vcloud.AllocatedAddress(ip, vapp.urn, vm.urn)
