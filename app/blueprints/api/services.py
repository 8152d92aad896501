"""Services: what was sold to the account, and the statistics packet of each."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from app.blueprints import web
from app.blueprints.api.documents import Named
from app.blueprints.api.endpoints import XmlText, endpoint
from app.blueprints.api.schema import Note
from app.cloud import packet, packet_source
from app.cloud.models import Service, Vdc
from app.db import db
from app.errors import AppError, NotFoundError


@dataclass(frozen=True, kw_only=True)
class ServiceLine:
    """A virtual data center as it was sold."""

    id: uuid.UUID
    org_name: str
    vdc: Annotated[Named | None, Note(about="The data center; null until it was read for the first time.")]


@dataclass(frozen=True, kw_only=True)
class Services:
    """Every service of the account."""

    items: tuple[ServiceLine, ...]


@dataclass(frozen=True, kw_only=True)
class PacketQuery:
    """What the packet holds."""

    passwords: Annotated[bool, Note(about="Only false: passwords are written by `flask packet --with-passwords`.")] = (
        False
    )


@endpoint("GET", "/services", tag="Services", answer=Services)
def list_services() -> Services:
    """The services of the account, by organization and data center."""
    own = select(Service).where(Service.account_id == web.actor().account_id).outerjoin(Service.vdc)
    rows = own.order_by(Service.org_name, Vdc.name, Service.id).options(contains_eager(Service.vdc))
    return Services(items=tuple(_line(row) for row in db.session.scalars(rows)))


def _line(row: Service) -> ServiceLine:
    vdc = Named(id=row.vdc.id, name=row.vdc.name) if row.vdc else None
    return ServiceLine(id=row.id, org_name=row.org_name, vdc=vdc)


@endpoint(
    "GET",
    "/services/<uuid:service_id>/packet",
    tag="Services",
    answer=XmlText,
    query=PacketQuery,
    refusals=frozenset({409}),
)
def show_packet(service_id: uuid.UUID, query: PacketQuery) -> XmlText:
    """The statistics packet of a service: networks, vApps, machines, their sizes and states, as vCloud last said."""
    own = select(Service.id).where(Service.id == service_id, Service.account_id == web.actor().account_id)
    if db.session.scalar(own) is None:
        raise NotFoundError
    if query.passwords:
        raise AppError("packet_passwords_by_command", 403, field="passwords", service=service_id)
    return XmlText(packet.write(packet_source.collect(service_id)))
