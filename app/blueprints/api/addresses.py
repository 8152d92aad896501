"""Who holds which address of a network, in pages."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from app.blueprints import account_view
from app.blueprints.api.documents import Named
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.paging import PageQuery
from app.blueprints.api.schema import Note
from app.cloud import address_list
from app.cloud.address_list import Holder, HolderKind

TEXT_MOST = 100


@dataclass(frozen=True, kw_only=True)
class AddressQuery(PageQuery):
    """Which addresses, and which page of them."""

    q: Annotated[str, Note(about="Stands in the address, or in the name of its machine or vApp.", most=TEXT_MOST)] = ""


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address in use."""

    ip: str
    held_by: Annotated[HolderKind, Note(about="A machine, the router of a vApp, or nothing of this account's.")]
    machine: Named | None
    vapp: Annotated[str | None, Note(about="The name of the machine's vApp, or of the router's.")]


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """A page of the addresses in use in a network, by number."""

    items: tuple[Address, ...]
    total: int
    page: int
    pages: int
    read_at: Annotated[datetime | None, Note(about="When vCloud was asked for all of them last; null: never.")]


@endpoint("GET", "/networks/<uuid:network_id>/addresses", tag="Data centers", answer=Addresses, query=AddressQuery)
def list_addresses(network_id: uuid.UUID, query: AddressQuery) -> Addresses:
    """Every address in use in a network, however many there are, with who holds it."""
    network = address_list.own(network_id, account_view.vdc_ids())
    found = address_list.find(network, account_view.vdc_ids(), query.q.strip())
    total = address_list.count(found)
    return Addresses(
        items=tuple(_address(holder) for holder in address_list.read(query.cut(found))),
        total=total,
        page=query.page,
        pages=query.last(total),
        read_at=network.addresses_at,
    )


def _address(holder: Holder) -> Address:
    machine = None if holder.vm_id is None else Named(id=holder.vm_id, name=holder.vm_name or "")
    return Address(ip=holder.ip, held_by=holder.kind, machine=machine, vapp=holder.vapp_name)
