"""What stands in the statistics packet of a service: read from the mirror, its passwords from vCloud when asked for.

Whatever vCloud has is in it, also a machine in the recycle bin, whose disks are paid for; gone machines are not.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, or_, select

from app import vcloud
from app.accounts import audit
from app.accounts.rules import Actor, Permission, can
from app.cloud import gateway
from app.cloud.models import Network, Service, VApp, Vdc, Vm
from app.cloud.offers import CREATING
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.packet import Packet, PacketDisc, PacketNet, PacketState, PacketVApp, PacketVm
from app.db import db, transaction
from app.errors import AppError

REASON_MOST = 200
_STATES = {3: PacketState.SUSPENDED, 4: PacketState.ACTIVE, 8: PacketState.STOPPED}
_Origins = dict[str, tuple[uuid.UUID, bool]]  # by urn of a machine: its template, and whether it is being made


def service_of(text: str) -> uuid.UUID:
    """The service with this id, or whose data center alone has this name.

    Raises AppError `service_unknown`, or `service_ambiguous` with what could be meant.
    """
    places = select(Service.id, Service.org_name).outerjoin(Service.vdc)
    try:
        wanted = or_(Service.id == uuid.UUID(text), Vdc.name == text)
    except ValueError:
        wanted = Vdc.name == text
    found = list(db.session.execute(places.where(wanted).order_by(Service.org_name)))
    if not found:
        raise AppError("service_unknown", 404, name=text)
    if len(found) > 1:
        raise AppError("service_ambiguous", name=text, ids=", ".join(f"{org} {i}" for i, org in found))
    service_id: uuid.UUID = found[0].id
    return service_id


def collect(service_id: uuid.UUID) -> Packet:
    """The packet of a service from the mirror, without passwords; AppError `packet_not_read` before the first sync."""
    vdc = db.session.execute(select(Vdc.id, Vdc.urn, Vdc.is_enabled).where(Vdc.service_id == service_id)).one_or_none()
    if vdc is None:
        raise AppError("packet_not_read", service=service_id)
    nets = select(Network.urn, Network.name).where(Network.vdc_id == vdc.id, Network.gone_at.is_(None))
    return Packet(
        id=str(service_id),
        is_enabled=vdc.is_enabled,
        vdc_id=_bare(vdc.urn),
        nets=tuple(
            PacketNet(id=_bare(urn), name=name)
            for urn, name in db.session.execute(nets.order_by(Network.name, Network.urn))
        ),
        vapps=_vapps(vdc.id),
    )


def collect_with_passwords(actor: Actor, service_id: uuid.UUID, reason: str) -> Packet:
    """The packet with the passwords that vCloud has now; who asks, and why, is written down before it is asked.

    Raises AppError `packet_admin_only`, `packet_reason_bad`, what `collect` raises, or a VcloudError.
    """
    if not can(actor, Permission.PASSWORDS_READ):
        raise AppError("packet_admin_only", 403)
    reason = reason.strip()
    if not reason or not reason.isprintable() or len(reason) > REASON_MOST:
        raise AppError("packet_reason_bad", 400, most=REASON_MOST)
    packet = collect(service_id)
    with transaction():
        account_id = db.session.get_one(Service, service_id).account_id
        whose = replace(actor, account_id=account_id)  # the customer may read it too
        audit.record(whose, "packet.passwords", object_id=service_id, reason=reason, machines=len(packet.vms))
    return packet.with_passwords(_passwords(service_id, packet))


def _passwords(service_id: uuid.UUID, packet: Packet) -> dict[uuid.UUID, str]:
    found = {}
    with gateway.client(service_id) as client:
        for vapp in packet.vapps:
            try:
                told = client.admin_passwords(f"urn:vcloud:vapp:{vapp.id}")
            except vcloud.NotFound:  # deleted since the mirror was read
                continue
            found.update({_bare(one.vm_id): one.password for one in told})
    return found


# ---- from rows ---------------------------------------------------------------------------------------------------


def _vapps(vdc_id: uuid.UUID) -> tuple[PacketVApp, ...]:
    origins, machines = _origins(vdc_id), dict[uuid.UUID, list[PacketVm]]()
    columns = (Vm.vapp_id, Vm.urn, Vm.name, Vm.status, Vm.outer_ip, Vm.inner_ip, Vm.guest_os, Vm.disks)
    rows = select(*columns, Vm.cpu_count, Vm.memory_mb).where(Vm.vdc_id == vdc_id, Vm.gone_at.is_(None))
    for row in db.session.execute(rows.order_by(Vm.name, Vm.urn)):
        machines.setdefault(row.vapp_id, []).append(_vm(row, origins))
    vapps = select(VApp.id, VApp.urn, VApp.name, VApp.status).where(VApp.vdc_id == vdc_id, VApp.gone_at.is_(None))
    return tuple(
        PacketVApp(
            id=_bare(row.urn),
            name=row.name,
            state=_vapp_state(row.status, machines.get(row.id, ())),
            vms=tuple(machines.get(row.id, ())),
        )
        for row in db.session.execute(vapps.order_by(VApp.name, VApp.urn))
    )


def _vm(row: Row[Any], origins: _Origins) -> PacketVm:
    template_id, is_being_made = origins.get(row.urn, (None, False))
    return PacketVm(
        id=_bare(row.urn),
        name=row.name,
        state=PacketState.PROCESS if is_being_made else _STATES.get(row.status, PacketState.PROCESS),
        ext_ip=row.outer_ip or "",
        int_ip=row.inner_ip or "",
        template_id=template_id,
        os=row.guest_os,
        discs=tuple(PacketDisc(id=disk["instance_id"], reserved_mb=disk["size_mb"]) for disk in row.disks),
        cpu_count=row.cpu_count,
        memory_mb=row.memory_mb,
    )


def _vapp_state(status: int, vms: Sequence[PacketVm]) -> PacketState:
    """As vCloud says; of mixed machines the most awake decides, and an empty vApp is stopped."""
    if status == vcloud.VmStatus.MIXED:
        states = {vm.state for vm in vms}
        order = (PacketState.ACTIVE, PacketState.SUSPENDED, PacketState.STOPPED)
        return next((state for state in order if state in states), PacketState.PROCESS)
    return PacketState.STOPPED if status == vcloud.VmStatus.RESOLVED else _STATES.get(status, PacketState.PROCESS)


def _origins(vdc_id: uuid.UUID) -> _Origins:
    """What machines were made from is known of those that were made here: vCloud does not tell it."""
    made = select(Operation.params["template_urn"], Operation.facts["vm_urns"], Operation.state)
    rows = db.session.execute(made.where(Operation.vdc_id == vdc_id, Operation.kind.in_(CREATING)))
    return {urn: (_bare(template), state in ACTIVE) for template, urns, state in rows for urn in urns or ()}


def _bare(urn: str) -> uuid.UUID:
    return uuid.UUID(urn.rpartition(":")[2])
