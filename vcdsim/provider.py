"""What stands behind VDCs: the edge gateway of each that has routed networks, and one provider VDC.

Both hold no state. They follow from the VDCs and their networks, and so do their ids.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from vcdsim.entities import OrgNetwork, Vdc
from vcdsim.people import User
from vcdsim.refusals import no_access
from vcdsim.world import World

_NAMESPACE = uuid.UUID("0b1f8a56-6f0e-4e2c-9a53-5d5c0d8f7b21")
#: The hardware a provider VDC offers, the last one by default.
HARDWARE_VERSIONS = ("vmx-13", "vmx-14", "vmx-15", "vmx-17", "vmx-18", "vmx-19")
#: The network that all gateways lead to; it belongs to the provider and is shown to nobody.
UPLINK_NAME, UPLINK_ID = "external", str(uuid.uuid5(_NAMESPACE, "external"))
UPLINK_GATEWAY, UPLINK_NETMASK = "192.0.2.1", "255.255.255.0"
_FIRST_UPLINK = 16


@dataclass(frozen=True)
class Gateway:
    """The edge gateway of a VDC; `networks` are the routed ones behind it."""

    id: str
    name: str
    vdc: Vdc
    networks: list[OrgNetwork]


@dataclass(frozen=True)
class ProviderVdc:
    """The one pool that all VDCs are cut from, as big as they need."""

    id: str = str(uuid.uuid5(_NAMESPACE, "provider VDC"))
    name: str = "pvdc-1"
    cpu_mhz: int = 2_000_000
    memory_mb: int = 16_777_216
    storage_mb: int = 1_073_741_824
    vcpu_mhz: int = 1000


PROVIDER_VDC = ProviderVdc()


def gateway_of(world: World, vdc: Vdc) -> Gateway | None:
    """The gateway of a VDC, None when nothing is routed there."""
    networks = [world.networks[one] for one in vdc.network_ids]
    routed = [one for one in networks if one.fence_mode == "natRouted"]
    return Gateway(str(uuid.uuid5(_NAMESPACE, vdc.id)), f"{vdc.name}-edge", vdc, routed) if routed else None


def uplink_address(world: World, found: Gateway) -> str:
    """What the gateway is called outside: one address for each VDC, in their order."""
    number = list(world.vdcs).index(found.vdc.id)
    return f"192.0.2.{_FIRST_UPLINK + number % (255 - _FIRST_UPLINK)}"


def visible_gateways(world: World, user: User) -> list[Gateway]:
    """Gateways of the user's organization, or all."""
    everything = world.sees_all(user)
    vdcs = [vdc for vdc in world.vdcs.values() if everything or vdc.org_id == user.org_id]
    return [found for vdc in vdcs if (found := gateway_of(world, vdc)) is not None]


def gateway(world: World, gateway_id: str, user: User) -> Gateway:
    """The gateway of that id, or 403."""
    for one in visible_gateways(world, user):
        if one.id == gateway_id:
            return one
    raise no_access("gateway", gateway_id)


def visible_provider_vdcs(world: World, user: User) -> list[ProviderVdc]:
    """The provider VDC, for users of System only."""
    return [PROVIDER_VDC] if world.sees_all(user) else []


def provider_vdc(world: World, provider_id: str, user: User) -> ProviderVdc:
    """The provider VDC of that id, or 403."""
    for one in visible_provider_vdcs(world, user):
        if one.id == provider_id:
            return one
    raise no_access("providervdc", provider_id)


def compute_used(world: World) -> tuple[int, int]:
    """(MHz, MB) taken by all VMs that are on."""
    used = [world.compute_used(vdc) for vdc in world.vdcs.values()]
    return sum(mhz for mhz, _ in used), sum(mb for _, mb in used)


def storage_used_mb(world: World) -> int:
    """Disk space taken in all VDCs."""
    return sum(world.storage_used_mb(profile) for profile in world.storage_profiles.values())
