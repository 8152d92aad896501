"""Building blocks of seeded worlds: organizations, VDCs, networks, templates, vApps.

Ids are derived from names, so the same world has the same hrefs at every start.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from vcdsim import networks
from vcdsim.entities import (
    NO_NETWORK,
    OFF,
    Catalog,
    Customization,
    Disk,
    IpRange,
    IpScope,
    Metadata,
    Nic,
    OrgNetwork,
    StorageProfile,
    Template,
    VApp,
    VAppNetwork,
    Vdc,
    Vm,
)
from vcdsim.estate import Media
from vcdsim.people import ApiToken, Org, User
from vcdsim.world import World

#: Every user of a seeded world has this one; they are made to be known.
_PASSWORD = "secret"  # noqa: S105
_NAMESPACE = uuid.UUID("6f1c1d0e-7a51-4d1b-9f5e-0d6d3a4f0c11")
DAY_S = 86400.0


def seeded_id(*names: str) -> str:
    """A stable UUID for something with these names."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


@dataclass(frozen=True)
class Os:
    """vCloud's three names of an operating system."""

    os_id: int
    os_type: str
    text: str


DEBIAN = Os(96, "debian12_64Guest", "Debian GNU/Linux 12 (64-bit)")
UBUNTU = Os(94, "ubuntu64Guest", "Ubuntu Linux (64-bit)")
WINDOWS = Os(112, "windows2019srvNext_64Guest", "Microsoft Windows Server 2022 (64-bit)")


@dataclass(frozen=True)
class Machine:
    """A VM to be seeded: its size and, in a vApp, its state and network."""

    name: str
    os: Os
    cpu_count: int
    memory_mb: int
    disks_gb: tuple[int, ...]
    power: str = OFF
    is_deployed: bool = False
    network: str = NO_NETWORK


@dataclass(frozen=True)
class Most:
    """Upper bounds of a template, written into its metadata."""

    cpu_count: int
    memory_mb: int
    disk_gb: int


def address_cursor(network: OrgNetwork) -> Callable[[], str]:
    """Hands out a pool in order, without searching it from the start for each VM."""
    return networks.addresses(network.scope).__next__


def add_org(world: World, name: str, full_name: str, user_name: str, role: str) -> Org:
    """An organization with one user."""
    org = Org(seeded_id("org", name), name, full_name)
    world.orgs[org.id] = org
    user = User(seeded_id("user", name, user_name), user_name, org.id, _PASSWORD, role)
    world.users[user.id] = user
    token = ApiToken(seeded_id("token", name, user_name), "known", user.id, world.now(), f"{name}-{user_name}-token")
    world.api_tokens[token.id] = token
    return org


def add_vdc(world: World, org: Org, name: str, *, cpu_mhz: int = 0, memory_mb: int = 0, storage_mb: int = 0) -> Vdc:
    """A VDC with one storage profile; limits of 0 mean unlimited."""
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


def add_network(world: World, vdc: Vdc, name: str, fence_mode: str, *, subnet: str, pool_size: int) -> OrgNetwork:
    """An organization network: gateway at the first address, the pool from the tenth on."""
    net = ipaddress.IPv4Network(subnet)
    gateway, pool = str(net[1]), IpRange(str(net[10]), str(net[9 + pool_size]))
    scope = IpScope(gateway, str(net.netmask), gateway, ranges=[pool])
    network = OrgNetwork(seeded_id("network", name), name, vdc.org_id, vdc.id, fence_mode, scope)
    world.networks[network.id] = network
    vdc.network_ids.append(network.id)
    return network


def add_template(world: World, catalog: Catalog, vdc: Vdc, name: str, most: Most, machines: list[Machine]) -> None:
    """A template in the catalog, stored in the VDC."""
    template = Template(
        id=seeded_id("template", name),
        name=name,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=catalog.owner_id,
        catalog_id=catalog.id,
        item_id=seeded_id("item", name),
        created_at=world.now() - 200 * DAY_S,
        description=f"Template {name}",
        metadata={
            "cpu_max": Metadata("Number", str(most.cpu_count)),
            "memory_mb_max": Metadata("Number", str(most.memory_mb)),
            "disk_gb_max": Metadata("Number", str(most.disk_gb)),
        },
    )
    for machine in machines:
        vm = _vm(world, template, machine, is_template=True)
        world.template_vms[vm.id] = vm
        template.vm_ids.append(vm.id)
    world.templates[template.id] = template
    vdc.template_ids.append(template.id)
    catalog.template_ids.append(template.id)


def add_media(world: World, catalog: Catalog, vdc: Vdc, name: str, size_mb: int) -> None:
    """An ISO image in the catalog, stored in the VDC."""
    medium = Media(
        id=seeded_id("media", name),
        name=name,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=catalog.owner_id,
        catalog_id=catalog.id,
        item_id=seeded_id("item", name),
        storage_profile_id=world.default_profile(vdc).id,
        created_at=world.now() - 200 * DAY_S,
        size_bytes=size_mb * 2**20,
    )
    world.media[medium.id] = medium


def add_vapp(
    world: World,
    vdc: Vdc,
    name: str,
    machines: list[Machine],
    *,
    fence_mode: str = "bridged",
    next_ip: Callable[[], str] | None = None,
) -> None:
    """A vApp whose one network leads to the network the first machine names."""
    parent = next(world.networks[one] for one in vdc.network_ids if world.networks[one].name == machines[0].network)
    inner = IpScope("192.168.1.1", "255.255.255.0", "192.168.1.1", ranges=[IpRange("192.168.1.2", "192.168.1.200")])
    network = VAppNetwork(
        id=seeded_id("vapp-network", vdc.name, name),
        name=parent.name,
        fence_mode=fence_mode,
        scope=parent.scope if fence_mode == "bridged" else inner,
        parent_id=parent.id,
    )
    vapp = VApp(
        id=seeded_id("vapp", vdc.name, name),
        name=name,
        vdc_id=vdc.id,
        org_id=vdc.org_id,
        owner_id=next(one.id for one in world.users.values() if one.org_id == vdc.org_id),
        created_at=world.now() - 100 * DAY_S,
        networks=[network],
    )
    world.vapps[vapp.id] = vapp
    vdc.vapp_ids.append(vapp.id)
    for machine in machines:
        vm = _vm(world, vapp, machine, is_template=False)
        if next_ip is not None:
            vm.nics[0].ip = next_ip()
        world.vms[vm.id] = vm
        vapp.vm_ids.append(vm.id)
        networks.connect(world, vapp, vm)
        if vm.is_deployed:
            networks.deploy(world, vapp, vm)


def _vm(world: World, container: VApp | Template, machine: Machine, *, is_template: bool) -> Vm:
    is_connected = machine.network != NO_NETWORK
    mode = "POOL" if is_connected else "NONE"
    profile = world.default_profile(world.vdcs[container.vdc_id])
    return Vm(
        id=seeded_id("vm", container.id, machine.name),
        name=machine.name,
        container_id=container.id,
        vdc_id=container.vdc_id,
        org_id=container.org_id,
        cpu_count=machine.cpu_count,
        memory_mb=machine.memory_mb,
        disks=[
            Disk(2000 + number, size_gb * 1024, profile.id, unit_number=number)
            for number, size_gb in enumerate(machine.disks_gb)
        ],
        nics=[Nic(0, machine.network, mode, world.new_mac(), is_connected=is_connected)],
        storage_profile_id=profile.id,
        local_id=seeded_id("local", container.id, machine.name),
        created_at=container.created_at,
        os_id=machine.os.os_id,
        os_type=machine.os.os_type,
        guest_os=machine.os.text,
        customization=Customization(enabled=True, admin_password_enabled=True, computer_name=machine.name[:15]),
        power=machine.power,
        is_deployed=machine.is_deployed,
        is_template=is_template,
        needs_customization=is_template,
        gc_status="GC_PENDING" if is_template else "GC_COMPLETE",
        customized_count=0 if is_template else 1,
    )
