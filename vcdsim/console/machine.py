"""What a guest sees of its VM, and does to it: the bridge between the console's thread and the world's lock."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from vcdsim import leases
from vcdsim.entities import OFF, ON, VApp, Vm
from vcdsim.world import World


@dataclass(frozen=True)
class Interface:
    """A connected network card; `address` is empty while it has none."""

    mac: str
    address: str
    prefix: int
    gateway: str


@dataclass(frozen=True)
class Facts:
    """A VM that is on, at one moment. Moments are seconds since the epoch."""

    vm_id: str
    name: str
    host_name: str
    os: str
    cpu_count: int
    memory_mb: int
    disks_gb: tuple[int, ...]
    interfaces: tuple[Interface, ...]
    #: As guest customization set it; empty means that any will do.
    password: str
    booted_at: float
    now: float
    #: Nominal seconds that go by in one real one.
    speed: float

    @property
    def is_windows(self) -> bool:
        """True for Microsoft's."""
        return "Windows" in self.os


class Machines:
    """The VMs of the world that is in force, each look and each change under its lock."""

    def __init__(self, world: Callable[[], World], lock: AbstractContextManager[bool]) -> None:
        self._world = world
        self._lock = lock

    def look(self, *vm_ids: str) -> dict[str, Facts]:
        """Those of these VMs that are on now; what is due in the world happens first."""
        with self._lock:
            world = self._world()
            leases.tick(world)
            found = [world.vms[one] for one in vm_ids if one in world.vms]
            return {vm.id: _facts(world, vm) for vm in found if vm.power == ON}

    def power_off(self, vm_id: str) -> None:
        """The guest has shut itself down: the VM is off, and stays deployed."""
        with self._lock:
            world = self._world()
            if vm_id in world.vms and world.vms[vm_id].power == ON:
                world.vms[vm_id].power = OFF
                world.changed()

    def restart(self, vm_id: str) -> None:
        """The guest has restarted itself."""
        with self._lock:
            world = self._world()
            if vm_id in world.vms:
                world.vms[vm_id].booted_at = world.now()
                world.changed()


def _facts(world: World, vm: Vm) -> Facts:
    custom = vm.customization
    return Facts(
        vm_id=vm.id,
        name=vm.name,
        host_name=custom.computer_name or vm.name,
        os=vm.guest_os,
        cpu_count=vm.cpu_count,
        memory_mb=vm.memory_mb,
        disks_gb=tuple(disk.size_mb // 1024 for disk in vm.disks),
        interfaces=tuple(_interfaces(world.vapps[vm.container_id], vm)),
        password=custom.admin_password if custom.enabled and custom.admin_password_enabled else "",
        booted_at=vm.booted_at or vm.created_at,
        now=world.now(),
        speed=1 / world.clock.scale(1),
    )


def _interfaces(vapp: VApp, vm: Vm) -> list[Interface]:
    scopes = {network.name: network.scope for network in vapp.networks}
    found = []
    for nic in vm.nics:
        scope = scopes.get(nic.network)
        if nic.is_connected and scope is not None:
            prefix = ipaddress.IPv4Network(f"0.0.0.0/{scope.netmask}").prefixlen
            found.append(Interface(nic.mac, nic.ip or "", prefix, scope.gateway))
    return found
