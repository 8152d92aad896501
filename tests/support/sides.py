"""What vCloud has and what the mirror says, in the same words, to be compared as wholes."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.cloud.models import VApp, Vdc, Vm
from app.db import db
from vcdsim import Simulator, entities
from vcdsim import world as worlds

Facts = dict[str, dict[str, Any]]
"""By urn of a machine or a vApp."""
CARD = ("index", "network", "mode", "ip", "external_ip", "mac", "is_connected", "primary")


def listed(facts: Facts) -> Facts:
    """Of the facts those that a listing tells, without any document."""
    keys = ("name", "vdc", "vapp", "status", "is_deployed", "cpu_count", "memory_mb")
    return {urn: {key: one[key] for key in keys if key in one} for urn, one in facts.items()}


def world(cloud: Simulator) -> Facts:
    """What vCloud has, of every data center that an account has here."""
    vdcs = {vdc.id for vdc in cloud.world.vdcs.values() if not vdc.name.startswith("provider")}
    vapps = [vapp for vapp in cloud.world.vapps.values() if vapp.vdc_id in vdcs]
    vms = [(vapp, vm) for vapp in vapps for vm in cloud.world.vms_of(vapp)]
    return {_urn("vapp", vapp.id): _real_vapp(cloud.world, vapp) for vapp in vapps} | {
        _urn("vm", vm.id): _real_vm(cloud.world, vapp, vm) for vapp, vm in vms
    }


def mirror(vdc_urn: str | None = None) -> Facts:
    """What we say it has, or one data center of it."""
    db.session.rollback()
    vdcs = {vdc.id: vdc.urn for vdc in db.session.scalars(select(Vdc)) if vdc_urn in (None, vdc.urn)}
    vapps = select(VApp).where(VApp.gone_at.is_(None), VApp.vdc_id.in_(vdcs))
    found = {vapp.urn: _vapp(vapp, vdcs) for vapp in db.session.scalars(vapps)}
    for vm in db.session.scalars(select(Vm).where(Vm.gone_at.is_(None), Vm.vdc_id.in_(vdcs))):
        assert vm.urn not in found, f"{vm.name} is in the mirror twice"
        found[vm.urn] = _vm(vm)
    db.session.rollback()
    return found


def _urn(kind: str, bare_id: str) -> str:
    return f"urn:vcloud:{kind}:{bare_id}"


def _real_vapp(all_of_it: worlds.World, vapp: entities.VApp) -> dict[str, Any]:
    return {
        "name": vapp.name,
        "vdc": _urn("vdc", vapp.vdc_id),
        "is_deployed": all_of_it.is_deployed(vapp),
        "networks": sorted((network.name, network.fence_mode) for network in vapp.networks),
    }


def _real_vm(all_of_it: worlds.World, vapp: entities.VApp, vm: entities.Vm) -> dict[str, Any]:
    return {
        "name": vm.name,
        "vdc": _urn("vdc", vapp.vdc_id),
        "vapp": (_urn("vapp", vapp.id), vapp.name),
        "status": worlds.vm_status(vm),
        "is_deployed": vm.is_deployed,
        "cpu_count": vm.cpu_count,
        "memory_mb": vm.memory_mb,
        "disks": sorted((str(disk.instance_id), disk.size_mb) for disk in vm.disks),
        "nics": [
            (
                nic.index,
                None if nic.network == entities.NO_NETWORK else nic.network,
                nic.mode,
                nic.ip,
                nic.external_ip,
                nic.mac,
                nic.is_connected,
                nic.index == vm.primary_nic,
            )
            for nic in sorted(vm.nics, key=lambda one: one.index)
        ],
        "storage_profile": all_of_it.storage_profiles[vm.storage_profile_id].name,
        "snapshot": None if vm.snapshot is None else int(vm.snapshot.created_at),
    }


def _vapp(vapp: VApp, vdcs: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "name": vapp.name,
        "vdc": vdcs[vapp.vdc_id],
        "is_deployed": vapp.is_deployed,
        "networks": sorted((network["name"], network["fence_mode"]) for network in vapp.networks),
    }


def _vm(vm: Vm) -> dict[str, Any]:
    return {
        "name": vm.name,
        "vdc": vm.vdc.urn,
        "vapp": (vm.vapp.urn, vm.vapp.name),
        "status": vm.status,
        "is_deployed": vm.is_deployed,
        "cpu_count": vm.cpu_count,
        "memory_mb": vm.memory_mb,
        "disks": sorted((disk["instance_id"], disk["size_mb"]) for disk in vm.disks),
        "nics": [tuple(nic[key] for key in CARD) for nic in sorted(vm.nics, key=lambda one: int(one["index"]))],
        "storage_profile": vm.storage_profile,
        "snapshot": vm.snapshot_at and int(vm.snapshot_at.timestamp()),
    }
