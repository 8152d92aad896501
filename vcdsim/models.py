"""Seeded worlds: `demo`, `small` (300 VMs) and a number of VMs."""

from __future__ import annotations

import re

from vcdsim.clock import Clock
from vcdsim.entities import OFF, ON, SUSPENDED, Catalog
from vcdsim.people import Role
from vcdsim.seeds import (
    DAY_S,
    DEBIAN,
    UBUNTU,
    WINDOWS,
    Machine,
    Most,
    add_media,
    add_network,
    add_org,
    add_template,
    add_vapp,
    add_vdc,
    address_cursor,
    seeded_id,
)
from vcdsim.world import SYSTEM_ORG, World

_ADMIN = "Organization Administrator"
#: VMs per vApp, and per VDC unless told, in the worlds made by number.
_PER_VAPP, _PER_VDC = 5, 1000
_BY_NUMBER = re.compile(r"(?P<vms>[1-9]\d{0,5})(?:/(?P<vdcs>[1-9]\d{0,2}))?")


def build(name: str, clock: Clock) -> World:
    """The world called `name`: `demo`, `small`, or a number of VMs as text."""
    check_name(name)
    world = World(clock)
    _providers(world)
    if name == "demo":
        _acme(world)
        _globex(world)
    elif name == "small":
        _numbered(world, 300)
    elif found := _BY_NUMBER.fullmatch(name):
        _numbered(world, int(found["vms"]), int(found["vdcs"]) if found["vdcs"] else None)
    return world


def check_name(name: str) -> None:
    """ValueError when there is no world of that name."""
    if name not in ("demo", "small") and not _BY_NUMBER.fullmatch(name):
        raise ValueError(f"unknown world {name!r}: demo, small, a number of VMs, or VMs/VDCs such as 500/4")


def _providers(world: World) -> None:
    """The org System, and the provider's org with the public template catalog."""
    for name in ("System Administrator", _ADMIN, "Catalog Author", "vApp Author", "vApp User", "Console Access Only"):
        role = Role(seeded_id("role", name), name)
        world.roles[role.id] = role
    add_org(world, SYSTEM_ORG, "System", "administrator", "System Administrator")
    org = add_org(world, "provider", "Provider", "catalog-admin", _ADMIN)
    vdc = add_vdc(world, org, "provider-vdc")
    catalog = Catalog(
        id=seeded_id("catalog", "templates"),
        name="templates",
        org_id=org.id,
        owner_id=seeded_id("user", "provider", "catalog-admin"),
        created_at=world.now() - 400 * DAY_S,
        description="Public templates",
        is_public=True,
    )
    world.catalogs[catalog.id] = catalog
    small, medium = Most(8, 32768, 200), Most(16, 65536, 500)
    add_template(world, catalog, vdc, "debian-12", small, [Machine("debian-12", DEBIAN, 1, 1024, (10,))])
    add_template(world, catalog, vdc, "ubuntu-24.04", small, [Machine("ubuntu-24.04", UBUNTU, 1, 2048, (15,))])
    add_template(world, catalog, vdc, "windows-2022", medium, [Machine("windows-2022", WINDOWS, 2, 4096, (40,))])
    lamp = [
        Machine("lamp-web", DEBIAN, 1, 1024, (10,)),
        Machine("lamp-app", DEBIAN, 2, 2048, (10,)),
        Machine("lamp-db", DEBIAN, 2, 4096, (10, 40)),
    ]
    add_template(world, catalog, vdc, "lamp", small, lamp)
    add_media(world, catalog, vdc, "rescue.iso", 700)


def _acme(world: World) -> None:
    """A dozen VMs: on, off, suspended, and off but still deployed."""
    org = add_org(world, "acme", "Acme Ltd", "acme-admin", _ADMIN)
    vdc = add_vdc(world, org, "acme-vdc", cpu_mhz=80_000, memory_mb=163_840, storage_mb=2_048_000)
    add_network(world, vdc, "acme-net", "natRouted", subnet="203.0.113.0/24", pool_size=241)
    add_network(world, vdc, "acme-internal", "isolated", subnet="10.0.0.0/24", pool_size=241)
    net, internal = "acme-net", "acme-internal"
    shop = [
        Machine("shop-web-1", DEBIAN, 2, 2048, (20,), ON, True, net),
        Machine("shop-web-2", DEBIAN, 2, 2048, (20,), ON, True, net),
        Machine("shop-db", DEBIAN, 4, 8192, (20, 100), ON, True, net),
    ]
    intranet = [
        Machine("wiki", UBUNTU, 2, 4096, (30,), ON, True, internal),
        Machine("mail", UBUNTU, 2, 4096, (60,), OFF, True, internal),
    ]
    build_farm = [
        Machine("ci-runner-1", DEBIAN, 4, 8192, (40,), ON, True, internal),
        Machine("ci-runner-2", DEBIAN, 4, 8192, (40,), OFF, False, internal),
    ]
    add_vapp(world, vdc, "shop", shop, fence_mode="natRouted")
    add_vapp(world, vdc, "intranet", intranet)
    add_vapp(world, vdc, "office", [Machine("terminal", WINDOWS, 4, 8192, (80,), ON, True, net)])
    add_vapp(world, vdc, "accounting", [Machine("accounting", WINDOWS, 2, 8192, (60,), OFF, False, net)])
    add_vapp(world, vdc, "legacy", [Machine("legacy-erp", WINDOWS, 2, 4096, (60,), SUSPENDED, True, net)])
    add_vapp(world, vdc, "build", build_farm)
    add_vapp(world, vdc, "monitoring", [Machine("grafana", UBUNTU, 1, 2048, (20,), OFF, True, net)])
    add_vapp(world, vdc, "sandbox", [Machine("sandbox", DEBIAN, 1, 1024, (10,), OFF, False, net)])


def _globex(world: World) -> None:
    org = add_org(world, "globex", "Globex Corporation", "globex-admin", _ADMIN)
    vdc = add_vdc(world, org, "globex-vdc", cpu_mhz=20_000, memory_mb=32_768, storage_mb=512_000)
    add_network(world, vdc, "globex-net", "natRouted", subnet="198.51.100.0/24", pool_size=91)
    portal = [
        Machine("portal-web", UBUNTU, 2, 4096, (30,), ON, True, "globex-net"),
        Machine("portal-db", UBUNTU, 2, 8192, (50,), OFF, False, "globex-net"),
    ]
    add_vapp(world, vdc, "portal", portal)


def _numbered(world: World, count: int, vdc_count: int | None = None) -> None:
    """`count` VMs in vApps of five, spread over the VDCs; every third VM is on."""
    org = add_org(world, "acme", "Acme Ltd", "acme-admin", _ADMIN)
    vdc_count = vdc_count or -(-count // _PER_VDC)
    first = vapp_number = 0
    for number in range(1, vdc_count + 1):
        ending = "" if number == 1 else f"-{number}"
        vdc = add_vdc(world, org, f"acme-vdc{ending}")
        net = f"acme-net{ending}"
        subnet = f"10.{number % 250}.0.0/16"
        next_ip = address_cursor(add_network(world, vdc, net, "natRouted", subnet=subnet, pool_size=60_000))
        end = count * number // vdc_count
        for start in range(first, end, _PER_VAPP):
            machines = [_numbered_machine(one, net) for one in range(start, min(start + _PER_VAPP, end))]
            add_vapp(world, vdc, f"vapp-{vapp_number:05}", machines, next_ip=next_ip)
            vapp_number += 1
        first = end


def _numbered_machine(number: int, network: str) -> Machine:
    power, is_deployed = ((ON, True), (OFF, False), (OFF, number % 2 == 0))[number % 3]
    size = (1 + number % 4, 1024 * (1 + number % 8), (10 + number % 40,))
    return Machine(f"vm-{number:05}", DEBIAN, *size, power, is_deployed, network)
