"""Reads vCloud into the mirror: collect -> apply. The mirror says what vCloud said, nothing else.

`apply_vapp` is the one way for a machine to enter or change in the mirror, for sync and operations alike. A row
that is newer than what is being applied is left as it is.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from app import clock, vcloud
from app.cloud import gateway
from app.cloud.models import Handler, Network, Service, VApp, VappTemplate, Vdc, Vm
from app.db import db, transaction

MB_PER_GB = 1024
M = TypeVar("M", Network, VappTemplate, VApp, Vm)


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All of one virtual data center, as vCloud told it from `started_at` on."""

    started_at: datetime
    vdc: vcloud.Vdc
    networks: Sequence[vcloud.OrgVdcNetwork]
    templates: Sequence[vcloud.VappTemplate]
    vapps: Sequence[vcloud.VApp]


def all_services() -> list[uuid.UUID]:
    """Every service that has something to be read."""
    return list(db.session.scalars(select(Service.id)))


def probe_all() -> None:
    """Ask every vCloud whether it is there."""
    for handler_id in list(db.session.scalars(select(Handler.id))):
        with suppress(vcloud.VcloudError):  # that it is silent is written down
            gateway.probe(handler_id)


def refresh(service_id: uuid.UUID) -> None:
    """Read one virtual data center and write the mirror; safe to run twice, also at the same time."""
    with gateway.client(service_id) as client:
        vdc_urn = db.session.get_one(Service, service_id).vdc_urn
        db.session.rollback()
        inventory = collect(client, vdc_urn)
    with transaction():
        apply(service_id, inventory)


def collect(client: vcloud.Client, vdc_urn: str) -> Inventory:
    """Ask for everything; raises a VcloudError when any part of it is missing, so a half is never applied."""
    started_at = clock.now()
    vapps = []
    for record in client.vapps(vdc_urn):
        try:
            vapps.append(client.vapp(record.id))
        except vcloud.NotFound:
            continue  # deleted between the two requests
    vdc = client.vdc(vdc_urn)
    return Inventory(
        started_at=started_at,
        vdc=vdc,
        networks=client.networks(vdc),
        templates=client.templates(),
        vapps=vapps,
    )


def apply(service_id: uuid.UUID, inventory: Inventory) -> None:
    """Make the mirror say what the inventory says, inside the caller's transaction."""
    vdc_id = _apply_vdc(service_id, inventory)
    at = inventory.started_at
    _apply_networks(vdc_id, inventory.networks, at)
    _apply_templates(vdc_id, inventory.templates, at)
    for vapp in inventory.vapps:
        apply_vapp(vdc_id, vapp, at)
    _mark_gone(Network, vdc_id, {network.id for network in inventory.networks}, at)
    _mark_gone(VappTemplate, vdc_id, {template.id for template in inventory.templates}, at)
    _mark_gone(VApp, vdc_id, {vapp.id for vapp in inventory.vapps}, at)
    _mark_gone(Vm, vdc_id, {vm.id for vapp in inventory.vapps for vm in vapp.vms}, at)


def apply_vapp(vdc_id: uuid.UUID, vapp: vcloud.VApp, at: datetime) -> None:
    """Write one vApp and its machines as they were at `at`, inside the caller's transaction."""
    row = _find(VApp, vdc_id, vapp.id)
    if row is None:
        row = VApp(vdc_id=vdc_id, urn=vapp.id)
        db.session.add(row)
    elif row.seen_at > at:
        return
    row.name, row.status, row.is_deployed = vapp.name, int(vapp.status), vapp.deployed
    row.networks = [
        {
            "name": network.name,
            "parent_urn": network.parent_urn,
            "fence_mode": network.fence_mode,
            "gateway": network.gateway,
            "netmask": network.netmask,
        }
        for network in vapp.networks
    ]
    row.seen_at, row.gone_at = at, None
    db.session.flush()
    for vm in vapp.vms:
        _apply_vm(row, vm, at)


def _apply_vm(vapp: VApp, vm: vcloud.Vm, at: datetime) -> None:
    row = _find(Vm, vapp.vdc_id, vm.id)
    is_new = row is None
    if row is None:
        row = Vm(vdc_id=vapp.vdc_id, urn=vm.id, first_seen_at=at)
        db.session.add(row)
    elif row.seen_at > at:
        return
    before = None if is_new else row.state
    row.vapp_id, row.name = vapp.id, vm.name
    row.status, row.is_deployed = int(vm.status), vm.deployed
    row.cpu_count, row.memory_mb, row.guest_os = vm.cpu_count or 0, vm.memory_mb or 0, vm.guest_os
    row.cores_per_socket, row.cpu_hot_add, row.memory_hot_add = vm.cores_per_socket, vm.cpu_hot_add, vm.memory_hot_add
    row.has_snapshot = vm.snapshot is not None
    row.snapshot_at = vm.snapshot.created_at if vm.snapshot else None
    row.storage_profile = vm.storage_profile.name if vm.storage_profile else None
    row.disks = [
        {
            "instance_id": disk.instance_id,
            "name": disk.name,
            "size_mb": disk.size_mb,
            "independent": disk.independent,
        }
        for disk in vm.disks
    ]
    row.disk_mb = sum(disk.size_mb for disk in vm.disks)
    row.nics = [
        {
            "index": nic.index,
            "network": nic.network,
            "ip": nic.ip,
            "external_ip": nic.external_ip,
            "mac": nic.mac,
            "mode": nic.mode,
            "is_connected": nic.connected,
            "primary": nic.primary,
        }
        for nic in vm.nics
    ]
    row.inner_ip = next((nic.ip for nic in vm.nics if nic.ip), None)
    row.outer_ip = next((nic.external_ip for nic in vm.nics if nic.external_ip), None)
    row.seen_at, row.gone_at = at, None
    if before is not None and row.state is not before:
        row.state_since = at


def _apply_vdc(service_id: uuid.UUID, inventory: Inventory) -> uuid.UUID:
    vdc = inventory.vdc
    row = db.session.scalar(select(Vdc).where(Vdc.service_id == service_id))
    if row is None:
        row = Vdc(service_id=service_id, urn=vdc.id)
        db.session.add(row)
    elif row.seen_at > inventory.started_at:
        return row.id
    row.name, row.is_enabled, row.vm_quota = vdc.name, vdc.enabled, vdc.vm_quota
    row.cpu_limit_mhz, row.vcpu_mhz, row.memory_limit_mb = vdc.cpu_limit_mhz, vdc.vcpu_mhz, vdc.memory_limit_mb
    limits = [profile.limit_mb for profile in vdc.storage_profiles]
    row.storage_limit_mb = None if None in limits else sum(limit or 0 for limit in limits)
    row.seen_at = inventory.started_at
    db.session.flush()
    return row.id


def _apply_networks(vdc_id: uuid.UUID, networks: Sequence[vcloud.OrgVdcNetwork], at: datetime) -> None:
    for network in networks:
        row = _find(Network, vdc_id, network.id)
        if row is None:
            row = Network(vdc_id=vdc_id, urn=network.id)
            db.session.add(row)
        row.name, row.fence_mode = network.name, network.fence_mode
        row.gateway, row.netmask = network.gateway, network.netmask
        row.seen_at, row.gone_at = at, None


def _apply_templates(vdc_id: uuid.UUID, templates: Sequence[vcloud.VappTemplate], at: datetime) -> None:
    for template in templates:
        if not template.vms:
            continue  # still being copied, or a medium in disguise: nothing can be made from it
        row = _find(VappTemplate, vdc_id, template.id)
        if row is None:
            row = VappTemplate(vdc_id=vdc_id, urn=template.id)
            db.session.add(row)
        first, limits = template.vms[0], template.limits
        row.name, row.description, row.catalog_name = template.name, template.description, template.catalog_name
        row.guest_os, row.cpu_count, row.memory_mb = first.guest_os, first.cpu_count or 1, first.memory_mb or 0
        row.disk_gb = -(-sum(disk.size_mb for disk in first.disks) // MB_PER_GB)
        row.cpu_most, row.memory_mb_most = limits.cpu_max, limits.memory_mb_max
        row.disk_gb_most = limits.disk_mb_max // MB_PER_GB if limits.disk_mb_max is not None else None
        row.vms = [
            {
                "urn": vm.id,
                "name": vm.name,
                "guest_os": vm.guest_os,
                "cpu_count": vm.cpu_count,
                "memory_mb": vm.memory_mb,
                "disk_mb": sum(disk.size_mb for disk in vm.disks),
            }
            for vm in template.vms
        ]
        row.seen_at, row.gone_at = at, None


def _find(model: type[M], vdc_id: uuid.UUID, urn: str) -> M | None:
    return db.session.scalar(select(model).where(model.vdc_id == vdc_id, model.urn == urn))


def _mark_gone(model: type[M], vdc_id: uuid.UUID, present: set[str], at: datetime) -> None:
    """Mark what a complete inventory does not contain. A row that was read later is left as it is."""
    rows = db.session.scalars(select(model).where(model.vdc_id == vdc_id, model.gone_at.is_(None), model.seen_at < at))
    for row in rows:
        if row.urn not in present:
            row.gone_at = at
