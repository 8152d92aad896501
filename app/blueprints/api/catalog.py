"""What there is to make machines from and of: data centers with their free room, templates, networks, vApps."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import select

from app.accounts.rules import Permission
from app.blueprints import account_view, web
from app.blueprints.api.documents import Named
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.schema import Note, properties
from app.cloud import offers
from app.cloud.models import Network, Vdc
from app.cloud.offers import Offer
from app.cloud.sizes import Bound, Free, Size
from app.db import db
from app.errors import AppError
from app.texts.errors import error_text


@dataclass(frozen=True, kw_only=True)
class InDataCenter:
    """Which data center."""

    vdc: Annotated[uuid.UUID, Note(about="The id of a data center.")]


@dataclass(frozen=True, kw_only=True)
class FreeRoom:
    """What is left in a data center; null means that it sets no limit."""

    cpu_count: int | None
    memory_mb: int | None
    disk_gb: int | None
    vm_count: int | None
    disk_profile: Annotated[str | None, Note(about="The storage profile that sets `disk_gb`, if it is not the sum.")]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What vCloud counts as used by all that runs, and its limits; null means that there is none, or is not told."""

    cpu_limit_mhz: int | None
    cpu_used_mhz: int | None
    memory_limit_mb: int | None
    memory_used_mb: int | None
    vm_quota: Annotated[int | None, Note(about="So many machines there may be.")]
    nic_quota: Annotated[int | None, Note(about="So many network cards there may be.")]


@dataclass(frozen=True, kw_only=True)
class StorageProfile:
    """A kind of storage of a data center; without a limit, or without being told, null."""

    name: str
    is_default: bool
    limit_mb: int | None
    used_mb: int | None


@dataclass(frozen=True, kw_only=True)
class DataCenter:
    """A virtual data center."""

    id: uuid.UUID
    name: str
    is_enabled: bool
    free: FreeRoom
    usage: Usage
    storage_profiles: tuple[StorageProfile, ...]
    seen_at: Annotated[datetime | None, Note(about="When vCloud was asked last.")]


@dataclass(frozen=True, kw_only=True)
class DataCenters:
    """Every data center of the account."""

    items: tuple[DataCenter, ...]


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Processors, memory and disk."""

    cpu_count: int
    memory_mb: int
    disk_gb: int


class Cause(StrEnum):
    """Who sets the most that can be asked."""

    TEMPLATE = "template"
    VDC = "vdc"


@dataclass(frozen=True, kw_only=True)
class Range:
    """The least and the most that can be asked. Where `most` is below `least`, nothing fits."""

    least: int
    most: int
    cause: Annotated[Cause, Note(about="Who sets the most.")]


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """What can be asked of a template now."""

    cpu_count: Range
    memory_mb: Range
    disk_gb: Range


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why something cannot be had now."""

    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class TemplateMachine:
    """A machine that a template makes."""

    name: str
    default_name: Annotated[str, Note(about="What it is called unless another name is asked for.")]
    is_windows: bool
    size: Amount


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template, and what can be asked of it now."""

    id: uuid.UUID
    name: str
    description: str
    catalog: str
    guest_os: str
    machines: tuple[TemplateMachine, ...]
    bounds: Ranges
    unfit: Annotated[Reason | None, Note(about="Why it cannot be used now.")]


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Every template of a data center, those that fit first."""

    items: tuple[Template, ...]


@dataclass(frozen=True, kw_only=True)
class OrgNetwork:
    """A network that machines can be connected to; `/networks/{id}/addresses` tells its addresses."""

    id: uuid.UUID
    name: str
    fence_mode: str
    gateway: str | None
    netmask: str | None


@dataclass(frozen=True, kw_only=True)
class Networks:
    """Every network of a data center."""

    items: tuple[OrgNetwork, ...]


@dataclass(frozen=True, kw_only=True)
class VApps:
    """Every vApp of a data center that a machine can be added to now."""

    items: tuple[Named, ...]


# ---- from rows -----------------------------------------------------------------------------------------------------


def _free_room(free: Free) -> FreeRoom:
    """What is left."""
    return FreeRoom(**{one.name: getattr(free, one.name) for one in properties(FreeRoom)})


def _template(offer: Offer) -> Template:
    """A template with its bounds."""
    limits = offer.bounds
    return Template(
        id=offer.template.id,
        name=offer.template.name,
        description=offer.template.description,
        catalog=offer.template.catalog_name,
        guest_os=offer.template.guest_os,
        machines=tuple(
            TemplateMachine(
                name=one.name, default_name=one.default_name, is_windows=one.is_windows, size=_amount(one.size)
            )
            for one in offer.machines
        ),
        bounds=Ranges(
            cpu_count=_range(limits.cpu_count), memory_mb=_range(limits.memory_mb), disk_gb=_range(limits.disk_gb)
        ),
        unfit=_reason(offer.reason) if offer.reason else None,
    )


def _amount(size: Size) -> Amount:
    return Amount(cpu_count=size.cpu_count, memory_mb=size.memory_mb, disk_gb=size.disk_gb)


def _range(bound: Bound) -> Range:
    return Range(least=bound.least, most=bound.most, cause=Cause(bound.cause))


def _reason(error: AppError) -> Reason:
    return Reason(code=error.code, detail=error_text(error))


def _network(row: Network) -> OrgNetwork:
    """A network."""
    return OrgNetwork(id=row.id, name=row.name, fence_mode=row.fence_mode, gateway=row.gateway, netmask=row.netmask)


# ---- the endpoints -------------------------------------------------------------------------------------------------


@endpoint("GET", "/vdcs", tag="Data centers", answer=DataCenters)
def list_vdcs() -> DataCenters:
    """The data centers of the account, by name, with their free room."""
    rows = db.session.scalars(select(Vdc).where(Vdc.id.in_(account_view.vdc_ids())).order_by(Vdc.name, Vdc.id))
    return DataCenters(items=tuple(_data_center(row) for row in rows))


def _data_center(row: Vdc) -> DataCenter:
    return DataCenter(
        id=row.id,
        name=row.name,
        is_enabled=row.is_enabled,
        free=_free_room(offers.free_of(row.id)),
        usage=Usage(**{one.name: getattr(row, one.name) for one in properties(Usage)}),
        storage_profiles=tuple(StorageProfile(**profile) for profile in row.storage_profiles),
        seen_at=row.seen_at,
    )


@endpoint(
    "GET",
    "/templates",
    tag="Data centers",
    answer=Templates,
    permission=Permission.VM_CREATE,
    query=InDataCenter,
    refusals=frozenset({404}),
)
def list_templates(query: InDataCenter) -> Templates:
    """The templates of a data center: what can be asked of each now, or why it does not fit."""
    vdc = offers.own_vdc(web.actor(), query.vdc)
    return Templates(items=tuple(_template(offer) for offer in offers.offers(vdc.id)))


@endpoint("GET", "/networks", tag="Data centers", answer=Networks, query=InDataCenter, refusals=frozenset({404}))
def list_networks(query: InDataCenter) -> Networks:
    """The networks of a data center that machines can be connected to."""
    vdc = offers.own_vdc(web.actor(), query.vdc)
    return Networks(items=tuple(_network(row) for row in offers.networks(vdc.id)))


@endpoint("GET", "/vapps", tag="Data centers", answer=VApps, query=InDataCenter, refusals=frozenset({404}))
def list_vapps(query: InDataCenter) -> VApps:
    """The vApps of a data center that a machine can be added to now."""
    vdc = offers.own_vdc(web.actor(), query.vdc)
    return VApps(items=tuple(Named(id=row.id, name=row.name) for row in offers.vapps(vdc.id)))
