"""Writes what vCloud said in its documents: the mirror says what vCloud said, nothing else.

`apply_vapps` is the one way for a machine to enter or change in the mirror with all that belongs to it, for sync and
operations alike. A row that is newer than what is being applied is left as it is, and one that says the same already
is not written.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select

from app import vcloud
from app.cloud import history, leases, moves
from app.cloud.models import Network, VApp, VappTemplate, Vdc, Vm
from app.db import db

MB_PER_GB = 1024
M = TypeVar("M", Network, VappTemplate)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A vApp as it was at `at`.

    `key` is the fingerprint of the listing that led here; without one the next run reads the vApp again.
    """

    vapp: vcloud.VApp
    at: datetime
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A document on its way into the mirror."""

    at: datetime
    runtime_ends_at: datetime | None  # of its vApp, as it was known before


def apply_vapp(vdc_id: uuid.UUID, vapp: vcloud.VApp, at: datetime) -> None:
    """Write one vApp and its machines as they were at `at`, inside the caller's transaction.

    One that was moved to another data center of the account is written there: who worked on it shows what became of it.
    """
    apply_vapps(moves.home(vdc_id, vapp.vdc_id), [Document(vapp=vapp, at=at)])


def apply_vapps(vdc_id: uuid.UUID, documents: Sequence[Document], *, run_id: uuid.UUID | None = None) -> None:
    """Write vApps and their machines, inside the caller's transaction; in as many statements for ten as for one.

    One that is in another data center by now is left to the readings of that.
    """
    own_urn = db.session.scalar(select(Vdc.urn).where(Vdc.id == vdc_id))
    documents = [document for document in documents if document.vapp.vdc_id in (None, own_urn)]
    urns = [document.vapp.id for document in documents]
    known = select(VApp).where(VApp.vdc_id == vdc_id, VApp.urn.in_(urns))
    stored = {row.urn: row for row in db.session.scalars(known)}
    fresh: list[tuple[VApp, vcloud.VApp, _Reading]] = []
    for document in documents:
        vapp, at = document.vapp, document.at
        row = stored.get(vapp.id)
        if row is None:
            row = stored[vapp.id] = VApp(vdc_id=vdc_id, urn=vapp.id, seen_at=at)
            db.session.add(row)
        elif row.seen_at > at:
            continue
        fresh.append((row, vapp, _Reading(at=at, runtime_ends_at=row.runtime_ends_at)))
        _write_vapp(row, document)
    db.session.flush()
    _apply_vms(vdc_id, fresh, run_id)


def _write_vapp(row: VApp, document: Document) -> None:
    vapp = document.vapp
    row.name, row.status, row.is_deployed = vapp.name, int(vapp.status), vapp.deployed
    row.networks = [
        {
            "name": network.name,
            "parent_urn": network.parent_urn,
            "fence_mode": network.fence_mode,
            "gateway": network.gateway,
            "netmask": network.netmask,
            "router_ip": network.router_ip,
        }
        for network in vapp.networks
    ]
    row.runtime_ends_at, row.storage_ends_at = vapp.leases.deployment_ends_at, vapp.leases.storage_ends_at
    row.record_key = row.read_key = document.key
    row.read_at = row.seen_at = document.at
    row.gone_at = None


def _apply_vms(
    vdc_id: uuid.UUID, fresh: Sequence[tuple[VApp, vcloud.VApp, _Reading]], run_id: uuid.UUID | None
) -> None:
    urns = [vm.id for _, document, _ in fresh for vm in document.vms]
    stored = db.session.scalars(select(Vm).where(Vm.vdc_id == vdc_id, Vm.urn.in_(urns)))
    known = {row.urn: row for row in stored}
    elsewhere = _take_over(vdc_id, fresh, known, run_id)
    at_work, happened = history.at_work(vdc_id), list[history.Happened]()
    for vapp, vm, reading in ((vapp, vm, reading) for vapp, document, reading in fresh for vm in document.vms):
        row = known.get(vm.id)
        if row is None and vm.id in elsewhere:
            continue
        if row is None:
            row = known[vm.id] = Vm(vdc_id=vdc_id, urn=vm.id, first_seen_at=reading.at, vapp=vapp)
            _write_vm(row, vm, reading.at)
            db.session.add(row)
            maker = at_work.maker(vapp.urn, vapp.name)
            happened.append(
                history.Happened(vm_id=row.id, kind="appeared", at=reading.at, found=[], operation_id=maker)
            )
        elif row.seen_at <= reading.at:
            happened += _change_vm(row, vapp, vm, at_work, reading)
    db.session.flush()
    history.note(vdc_id, happened, at_work=at_work, run_id=run_id)


def _take_over(
    vdc_id: uuid.UUID,
    fresh: Sequence[tuple[VApp, vcloud.VApp, _Reading]],
    known: dict[str, Vm],
    run_id: uuid.UUID | None,
) -> set[str]:
    """Add those to `known` that come from another data center; returns those that are there again by now."""
    homes = {vm.id: vapp.id for vapp, document, _ in fresh for vm in document.vms if vm.id not in known}
    if not homes:
        return set()
    moved = moves.bring_over(vdc_id, homes, min(reading.at for *_, reading in fresh), run_id)
    if moved.here:
        here = select(Vm).where(Vm.vdc_id == vdc_id, Vm.urn.in_(moved.here))
        known |= {row.urn: row for row in db.session.scalars(here)}
    return moved.elsewhere


def _change_vm(
    row: Vm, vapp: VApp, vm: vcloud.Vm, at_work: history.AtWork, reading: _Reading
) -> list[history.Happened]:
    """Write a machine that is known; returns what has happened to it, if anything has."""
    at = reading.at
    before, was_gone = history.facts_of(row), row.gone_at is not None
    row.vapp = vapp
    _write_vm(row, vm, at)
    found = history.changes(before, history.facts_of(row))
    if any(change["what"] == "state" for change in found):
        row.state_since = at
    if not found and not was_gone:
        return []
    kind, cause = "returned" if was_gone else "changed", at_work.cause(row.id, found)
    if cause is None:
        found += leases.stop(found, reading.runtime_ends_at, at)
    return [history.Happened(vm_id=row.id, kind=kind, at=at, found=found, operation_id=cause)]


def _write_vm(row: Vm, vm: vcloud.Vm, at: datetime) -> None:
    row.name, row.status, row.is_deployed = vm.name, int(vm.status), vm.deployed
    row.cpu_count, row.memory_mb, row.guest_os = vm.cpu_count or 0, vm.memory_mb or 0, vm.guest_os
    row.cores_per_socket, row.cpu_hot_add, row.memory_hot_add = vm.cores_per_socket, vm.cpu_hot_add, vm.memory_hot_add
    row.has_snapshot = vm.snapshot is not None
    row.snapshot_at = vm.snapshot.created_at if vm.snapshot else None
    row.storage_profile = vm.storage_profile.name if vm.storage_profile else None
    row.disks = [_disk(disk) for disk in vm.disks]
    row.disk_mb = sum(disk.size_mb for disk in vm.disks)
    row.nics = [_nic(nic) for nic in vm.nics]
    row.inner_ip = next((nic.ip for nic in vm.nics if nic.ip), None)
    row.outer_ip = next((nic.external_ip for nic in vm.nics if nic.external_ip), None)
    row.read_at = row.seen_at = at
    row.gone_at = row.missing_since = None


def _disk(disk: vcloud.Disk) -> dict[str, Any]:
    return {
        "instance_id": disk.instance_id,
        "name": disk.name,
        "size_mb": disk.size_mb,
        "independent": disk.independent,
    }


def _nic(nic: vcloud.Nic) -> dict[str, Any]:
    return {
        "index": nic.index,
        "network": nic.network,
        "ip": nic.ip,
        "external_ip": nic.external_ip,
        "mac": nic.mac,
        "mode": nic.mode,
        "is_connected": nic.connected,
        "primary": nic.primary,
    }


def apply_vdc(service_id: uuid.UUID, vdc: vcloud.Vdc) -> uuid.UUID:
    """Write the data center itself, inside the caller's transaction; returns the id of its row."""
    row = db.session.scalar(select(Vdc).where(Vdc.service_id == service_id))
    if row is None:
        row = Vdc(service_id=service_id, urn=vdc.id)
        db.session.add(row)
    row.name, row.is_enabled = vdc.name, vdc.enabled
    row.vm_quota, row.nic_quota = vdc.vm_quota, vdc.nic_quota
    row.cpu_used_mhz, row.memory_used_mb = vdc.cpu_used_mhz, vdc.memory_used_mb
    row.cpu_limit_mhz, row.vcpu_mhz, row.memory_limit_mb = vdc.cpu_limit_mhz, vdc.vcpu_mhz, vdc.memory_limit_mb
    row.storage_profiles = [
        {
            "name": profile.name,
            "is_default": profile.is_default,
            "limit_mb": profile.limit_mb,
            "used_mb": profile.used_mb,
        }
        for profile in sorted(vdc.storage_profiles, key=lambda profile: profile.name)
    ]
    limits = [profile.limit_mb for profile in vdc.storage_profiles]
    row.storage_limit_mb = None if None in limits else sum(limit or 0 for limit in limits)
    db.session.flush()
    return row.id


def apply_networks(vdc_id: uuid.UUID, networks: Sequence[vcloud.OrgVdcNetwork], at: datetime) -> list[Network]:
    """Write all networks that machines of the data center can use; one that is not among them is gone.

    Returns all rows there are.
    """
    stored = _stored(Network, vdc_id)
    for network in networks:
        row = _row(Network, stored, vdc_id, network.id)
        row.name, row.fence_mode = network.name, network.fence_mode
        row.gateway, row.netmask = network.gateway, network.netmask
        _stamp(row, at)
    _mark_gone(stored.values(), {network.id for network in networks}, at)
    return list(stored.values())


def apply_templates(
    vdc_id: uuid.UUID,
    read: Sequence[tuple[vcloud.TemplateRecord, vcloud.VappTemplate]],
    present: Collection[str],
    at: datetime,
) -> None:
    """Write templates that were read; one that is not `present` in the listing is gone."""
    stored = _stored(VappTemplate, vdc_id)
    for record, template in read:
        if not template.vms:
            continue  # still being copied, or a medium in disguise: nothing can be made from it
        row = _row(VappTemplate, stored, vdc_id, template.id)
        _write_template(row, template)
        _stamp(row, at)
        row.record_key, row.read_at = record.key, at
    _mark_gone(stored.values(), present, at)


def _write_template(row: VappTemplate, template: vcloud.VappTemplate) -> None:
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


def _stored(model: type[M], vdc_id: uuid.UUID) -> dict[str, M]:
    return {row.urn: row for row in db.session.scalars(select(model).where(model.vdc_id == vdc_id))}


def _row(model: type[M], stored: dict[str, M], vdc_id: uuid.UUID, urn: str) -> M:
    row = stored.get(urn)
    if row is None:
        row = stored[urn] = model(vdc_id=vdc_id, urn=urn)
        db.session.add(row)
    row.gone_at = None
    return row


def _stamp(row: Network | VappTemplate, at: datetime) -> None:
    """Say when this was read, if there is anything new in it."""
    if db.session.is_modified(row) or row.seen_at is None:
        row.seen_at = at


def _mark_gone(rows: Iterable[Network | VappTemplate], present: Collection[str], at: datetime) -> None:
    for row in rows:
        if row.urn not in present and row.gone_at is None:
            row.gone_at = at
