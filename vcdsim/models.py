"""Seeded worlds: `demo`, `small` (300 VMs) and a number of VMs.

Ids are derived from names, so the same world has the same hrefs at every start.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from vcdsim import networks
from vcdsim.clock import Clock
from vcdsim.entities import (
    NO_NETWORK,
    OFF,
    ON,
    SUSPENDED,
    Catalog,
    Customization,
    Disk,
    IpRange,
    IpScope,
    Metadata,
    Nic,
    Org,
    OrgNetwork,
    StorageProfile,
    Template,
    User,
    VApp,
    VAppNetwork,
    Vdc,
    Vm,
)
from vcdsim.world import SYSTEM_ORG, World

PASSWORD = "secret"
_NAMESPACE = uuid.UUID("6f1c1d0e-7a51-4d1b-9f5e-0d6d3a4f0c11")
_DAY_S = 86400.0
#: VMs per vApp and per VDC in the worlds made by number.
_PER_VAPP, _PER_VDC = 5, 1000


def seeded_id(*names: str) -> str:
    """A stable UUID for something with these names."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


@dataclass(frozen=True)
class _Os:
    os_id: int
    os_type: str
    text: str


_DEBIAN = _Os(96, "debian12_64Guest", "Debian GNU/Linux 12 (64-bit)")
_UBUNTU = _Os(94, "ubuntu64Guest", "Ubuntu Linux (64-bit)")
_WINDOWS = _Os(112, "windows2019srvNext_64Guest", "Microsoft Windows Server 2022 (64-bit)")


@dataclass(frozen=True)
class _Machine:
    """A VM to be seeded: size and, for a VM of a vApp, its state."""

    name: str
    os: _Os
    cpu_count: int
    memory_mb: int
    disks_gb: tuple[int, ...]
    power: str = OFF
    is_deployed: bool = False
    network: str = NO_NETWORK


def build(name: str, clock: Clock) -> World:
    """The world called `name`: `demo`, `small`, or a number of VMs as text."""
    world = World(clock)
    _providers(world)
    if name == "demo":
        _demo(world)
    elif name == "small":
        _numbered(world, 300)
    elif name.isdigit() and int(name) > 0:
        _numbered(world, int(name))
    else:
        raise ValueError(f"unknown world {name!r}: demo, small, or a number of VMs")
    return world


def _providers(world: World) -> None:
    """The org System, and the provider's org with the public template catalog."""
    _org(world, SYSTEM_ORG, "System", "administrator", "System Administrator")
    org = _org(world, "provider", "Provider", "catalog-admin", "Organization Administrator")
    vdc = _vdc(world, org, "provider-vdc")
    catalog = Catalog(
        id=seeded_id("catalog", "templates"),
        name="templates",
        org_id=org.id,
        owner_id=seeded_id("user", "provider", "catalog-admin"),
        created_at=world.now() - 400 * _DAY_S,
        description="Public templates",
        is_public=True,
    )
    world.catalogs[catalog.id] = catalog
    small, medium = (8, 32768, 200), (16, 65536, 500)
    _template(world, vdc, catalog, "debian-12", small, [_Machine("debian-12", _DEBIAN, 1, 1024, (10,))])
    _template(world, vdc, catalog, "ubuntu-24.04", small, [_Machine("ubuntu-24.04", _UBUNTU, 1, 2048, (15,))])
    _template(world, vdc, catalog, "windows-2022", medium, [_Machine("windows-2022", _WINDOWS, 2, 4096, (40,))])
    _template(
        world,
        vdc,
        catalog,
        "lamp",
        small,
        [
            _Machine("lamp-web", _DEBIAN, 1, 1024, (10,)),
            _Machine("lamp-app", _DEBIAN, 2, 2048, (10,)),
            _Machine("lamp-db", _DEBIAN, 2, 4096, (10, 40)),
        ],
    )


def _demo(world: World) -> None:
    org = _org(world, "acme", "Acme Ltd", "acme-admin", "Organization Administrator")
    vdc = _vdc(world, org, "acme-vdc", cpu_mhz=80_000, memory_mb=163_840, storage_mb=2_048_000)
    _network(world, vdc, "acme-net", "natRouted", "203.0.113.1", 24, "203.0.113.10", "203.0.113.250")
    _network(world, vdc, "acme-internal", "isolated", "10.0.0.1", 24, "10.0.0.10", "10.0.0.250")
    _vapp(
        world,
        vdc,
        "shop",
        "natRouted",
        [
            _Machine("shop-web-1", _DEBIAN, 2, 2048, (20,), ON, True, "acme-net"),
            _Machine("shop-web-2", _DEBIAN, 2, 2048, (20,), ON, True, "acme-net"),
            _Machine("shop-db", _DEBIAN, 4, 8192, (20, 100), ON, True, "acme-net"),
        ],
    )
    _vapp(
        world,
        vdc,
        "intranet",
        "bridged",
        [
            _Machine("wiki", _UBUNTU, 2, 4096, (30,), ON, True, "acme-internal"),
            _Machine("mail", _UBUNTU, 2, 4096, (60,), OFF, True, "acme-internal"),
        ],
    )
    _vapp(world, vdc, "office", "bridged", [_Machine("terminal", _WINDOWS, 4, 8192, (80,), ON, True, "acme-net")])
    _vapp(world, vdc, "accounting", "bridged", [_Machine("accounting", _WINDOWS, 2, 8192, (60,), OFF, False, "acme-net")])
    _vapp(world, vdc, "legacy", "bridged", [_Machine("legacy-erp", _WINDOWS, 2, 4096, (60,), SUSPENDED, True, "acme-net")])
    _vapp(
        world,
        vdc,
        "build",
        "bridged",
        [
            _Machine("ci-runner-1", _DEBIAN, 4, 8192, (40,), ON, True, "acme-internal"),
            _Machine("ci-runner-2", _DEBIAN, 4, 8192, (40,), OFF, False, "acme-internal"),
        ],
    )
    _vapp(world, vdc, "monitoring", "bridged", [_Machine("grafana", _UBUNTU, 1, 2048, (20,), OFF, True, "acme-net")])
    _vapp(world, vdc, "sandbox", "bridged", [_Machine("sandbox", _DEBIAN, 1, 1024, (10,), OFF, False, "acme-net")])
    other = _org(world, "globex", "Globex Corporation", "globex-admin", "Organization Administrator")
    other_vdc = _vdc(world, other, "globex-vdc", cpu_mhz=20_000, memory_mb=32_768, storage_mb=512_000)
    _network(world, other_vdc, "globex-net", "natRouted", "198.51.100.1", 24, "198.51.100.10", "198.51.100.100")
    _vapp(
        world,
        other_vdc,
        "portal",
        "bridged",
        [
            _Machine("portal-web", _UBUNTU, 2, 4096, (30,), ON, True, "globex-net"),
            _Machine("portal-db", _UBUNTU, 2, 8192, (50,), OFF, False, "globex-net"),
        ],
    )


def _numbered(world: World, count: int) -> None:
    """`count` VMs in vApps of five; every third VM is on; a VDC holds up to a thousand."""
    org = _org(world, "acme", "Acme Ltd", "acme-admin", "Organization Administrator")
    made = 0
    while made < count:
        number = made // _PER_VDC + 1
        vdc = _vdc(world, org, f"acme-vdc-{number}" if number > 1 else "acme-vdc")
        net = f"acme-net-{number}" if number > 1 else "acme-net"
        _network(world, vdc, net, "natRouted", f"10.{number}.0.1", 16, f"10.{number}.0.10", f"10.{number}.250.250")
        free = _cursor(world, net)
        for _ in range(min(_PER_VDC, count - made) // _PER_VAPP + 1):
            names = range(made, min(made + _PER_VAPP, count, number * _PER_VDC))
            machines = [
                _Machine(f"vm-{one:05}", _DEBIAN, 1 + one % 4, 1024 * (1 + one % 8), (10 + one % 40,), *_state(one), net)
                for one in names
            ]
            if machines:
                _vapp(world, vdc, f"vapp-{made // _PER_VAPP:05}", "bridged", machines, next_ip=free)
            made += len(machines)


def _state(number: int) -> tuple[str, bool]:
    return ((ON, True), (OFF, False), (OFF, number % 2 == 0))[number % 3]


def _cursor(world: World, network_name: str) -> Callable[[], str]:
    """Hands out a pool in order without searching it from the start for each VM."""
    network = next(one for one in world.networks.values() if one.name == network_name)
    return networks.addresses(network.scope).__next__


def _org(world: World, name: str, full_name: str, user_name: str, role: str) -> Org:
    org = Org(seeded_id("org", name), name, full_name)
    world.orgs[org.id] = org
    user = User(seeded_id("user", name, user_name), user_name, org.id, PASSWORD, role)
    world.users[user.id] = user
    return org


def _vdc(world: World, org: Org, name: str, *, cpu_mhz: int = 0, memory_mb: int = 0, storage_mb: int = 0) -> Vdc:
    profile = StorageProfile(seeded_id("profile", name), "standard", seeded_id("vdc", name), storage_mb)
    vdc = Vdc(
        id=profile.vdc_id,
        name=name,
        org_id=org.id,
        cpu_limit_mhz=cpu_mhz,
        memory_limit_mb=memory_mb,
        storage_profile_ids=[profile.id],
    )
    world.storage_profiles[profile.id] = profile
    world.vdcs[vdc.id] = vdc
    return vdc


def _network(world: World, vdc: Vdc, name: str, mode: str, gateway: str, prefix: int, first: str, last: str) -> None:
    netmask = {16: "255.255.0.0", 24: "255.255.255.0"}[prefix]
    scope = IpScope(gateway, netmask, gateway, "", "", [IpRange(first, last)])
    network = OrgNetwork(seeded_id("network", name), name, vdc.org_id, vdc.id, mode, scope)
    world.networks[network.id] = network
    vdc.network_ids.append(network.id)


@dataclass
class _Shared:
    """What the VMs of one container have in common."""

    container_id: str
    vdc: Vdc
    profile: StorageProfile
    is_template: bool
    created_at: float
    next_ip: Callable[[], str] | None = None


def _template(
    world: World, vdc: Vdc, catalog: Catalog, name: str, most: tuple[int, int, int], machines: list[_Machine]
) -> None:
    cpus, memory_mb, disk_gb = most
    template = Template(
        id=seeded_id("template", name),
        name=name,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=catalog.owner_id,
        catalog_id=catalog.id,
        item_id=seeded_id("item", name),
        created_at=world.now() - 200 * _DAY_S,
        description=f"Template {name}",
        metadata={
            "cpu_max": Metadata("Number", str(cpus)),
            "memory_mb_max": Metadata("Number", str(memory_mb)),
            "disk_gb_max": Metadata("Number", str(disk_gb)),
        },
    )
    shared = _Shared(template.id, vdc, world.default_profile(vdc), True, template.created_at)
    for machine in machines:
        vm = _vm(world, shared, machine)
        world.template_vms[vm.id] = vm
        template.vm_ids.append(vm.id)
    world.templates[template.id] = template
    vdc.template_ids.append(template.id)
    catalog.template_ids.append(template.id)


def _vapp(
    world: World,
    vdc: Vdc,
    name: str,
    fence_mode: str,
    machines: list[_Machine],
    *,
    next_ip: Callable[[], str] | None = None,
) -> None:
    parent = next(world.networks[one] for one in vdc.network_ids if world.networks[one].name == machines[0].network)
    inner = IpScope("192.168.1.1", "255.255.255.0", "192.168.1.1", "", "", [IpRange("192.168.1.2", "192.168.1.200")])
    vapp = VApp(
        id=seeded_id("vapp", vdc.name, name),
        name=name,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=next(one.id for one in world.users.values() if one.org_id == vdc.org_id),
        created_at=world.now() - 100 * _DAY_S,
        networks=[
            VAppNetwork(
                id=seeded_id("vapp-network", vdc.name, name),
                name=parent.name,
                fence_mode=fence_mode,
                scope=parent.scope if fence_mode == "bridged" else inner,
                parent_id=parent.id,
            )
        ],
    )
    world.vapps[vapp.id] = vapp
    vdc.vapp_ids.append(vapp.id)
    shared = _Shared(vapp.id, vdc, world.default_profile(vdc), False, vapp.created_at, next_ip)
    for machine in machines:
        vm = _vm(world, shared, machine)
        world.vms[vm.id] = vm
        vapp.vm_ids.append(vm.id)
        networks.connect(world, vapp, vm)
        if vm.is_deployed:
            networks.deploy(world, vapp, vm)


def _vm(world: World, shared: _Shared, machine: _Machine) -> Vm:
    connected = machine.network != NO_NETWORK
    nic = Nic(0, machine.network, "POOL" if connected else "NONE", world.new_mac(), is_connected=connected)
    if shared.next_ip is not None:
        nic = replace(nic, ip=shared.next_ip())
    return Vm(
        id=seeded_id("vm", shared.container_id, machine.name),
        name=machine.name,
        container_id=shared.container_id,
        vdc_id=shared.vdc.id,
        org_id=shared.vdc.org_id,
        cpu_count=machine.cpu_count,
        memory_mb=machine.memory_mb,
        disks=[
            Disk(2000 + number, size_gb * 1024, shared.profile.id, unit_number=number)
            for number, size_gb in enumerate(machine.disks_gb)
        ],
        nics=[nic],
        storage_profile_id=shared.profile.id,
        local_id=seeded_id("local", shared.container_id, machine.name),
        created_at=shared.created_at,
        os_id=machine.os.os_id,
        os_type=machine.os.os_type,
        guest_os=machine.os.text,
        customization=Customization(enabled=True, admin_password_enabled=True, computer_name=machine.name[:15]),
        power=machine.power,
        is_deployed=machine.is_deployed,
        is_template=shared.is_template,
        needs_customization=shared.is_template,
        gc_status="GC_PENDING" if shared.is_template else "GC_COMPLETE",
        customized_count=0 if shared.is_template else 1,
    )
