"""The networks of an account and who holds which address of them, as the mirror says. Never asks vCloud."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from app.cloud.models import Network, VApp, Vdc, Vm, VmGuard
from app.cloud.sync_models import NetworkAddress
from app.db import contains, db
from app.errors import NotFoundError

_Router = aliased(VApp)
_vm_name = func.coalesce(VmGuard.name_before, Vm.name)  # as `Vm.shown_name`


class HolderKind(StrEnum):
    """What holds an address."""

    SERVER = "server"
    ROUTER = "router"  # of a vApp
    OUTSIDE = "outside"  # of this account's data centers


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds an address: a machine, or the router of a vApp. Without either it is nothing of this account's."""

    ip: str
    vm_id: uuid.UUID | None
    vm_name: str | None
    vapp_name: str | None  # the machine's, or that of the router

    @property
    def kind(self) -> HolderKind:
        """Which of them it is."""
        if self.vm_id is not None:
            return HolderKind.SERVER
        return HolderKind.OUTSIDE if self.vapp_name is None else HolderKind.ROUTER


def networks(vdc_ids: Sequence[uuid.UUID]) -> list[tuple[Network, str, int]]:
    """The networks of these data centers: (network, name of its data center, how many of its addresses are in use)."""
    used = select(func.count()).where(NetworkAddress.network_id == Network.id).scalar_subquery()
    rows = select(Network, Vdc.name, used).join(Vdc, Vdc.id == Network.vdc_id)
    present = rows.where(Network.vdc_id.in_(vdc_ids), Network.gone_at.is_(None)).order_by(Vdc.name, Network.name)
    return [(network, vdc_name, count) for network, vdc_name, count in db.session.execute(present)]


def own(network_id: uuid.UUID, vdc_ids: Sequence[uuid.UUID]) -> Network:
    """A network of these data centers; NotFoundError if it is none, or gone."""
    wanted = select(Network).where(Network.id == network_id, Network.vdc_id.in_(vdc_ids), Network.gone_at.is_(None))
    network = db.session.scalar(wanted)
    if network is None:
        raise NotFoundError
    return network


def find(network: Network, vdc_ids: Sequence[uuid.UUID], text: str) -> Select[*tuple[Any, ...]]:
    """Every address in use in a network, in their order, for `count` and `read`.

    With a text only those where it stands in the address, or in the name of the machine or vApp that holds it.
    """
    machine = and_(Vm.urn == NetworkAddress.holder_urn, Vm.vdc_id.in_(vdc_ids), Vm.gone_at.is_(None))
    router = and_(_Router.urn == NetworkAddress.holder_urn, _Router.vdc_id.in_(vdc_ids), _Router.gone_at.is_(None))
    vapp_name = func.coalesce(VApp.name, _Router.name)
    rows = select(NetworkAddress.ip, Vm.id, _vm_name, vapp_name).select_from(NetworkAddress)
    rows = rows.outerjoin(Vm, machine).outerjoin(VmGuard, VmGuard.vm_id == Vm.id)
    rows = rows.outerjoin(VApp, VApp.id == Vm.vapp_id).outerjoin(_Router, router)
    rows = rows.where(NetworkAddress.network_id == network.id).order_by(NetworkAddress.sort_key)
    texts = (NetworkAddress.ip, _vm_name, vapp_name)
    return rows.where(or_(*(contains(column, text) for column in texts))) if text else rows


def count(found: Select[*tuple[Any, ...]]) -> int:
    """How many these are."""
    inner = found.with_only_columns(NetworkAddress.id).order_by(None).subquery()
    return db.session.scalar(select(func.count()).select_from(inner)) or 0


def read(found: Select[*tuple[Any, ...]]) -> list[Holder]:
    """These, or the part of them that `found` was cut to."""
    rows = db.session.execute(found)
    return [Holder(ip=ip, vm_id=vm_id, vm_name=vm, vapp_name=vapp) for ip, vm_id, vm, vapp in rows]
