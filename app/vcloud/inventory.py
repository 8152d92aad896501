"""All that is listed of a VDC, read together: what its mirror is made from."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from app.vcloud import activity, catalog, parse, query
from app.vcloud.ids import path_of
from app.vcloud.listings import Listing, Listings
from app.vcloud.query import Condition, Page, version_key
from app.vcloud.transport import Timer
from app.vcloud.types import (
    Inventory,
    OrgVdcNetwork,
    StorageProfile,
    TaskRecord,
    TemplateRecord,
    VAppRecord,
    Vdc,
    VmRecord,
)
from app.vcloud.wire import Wire


def read(wire: Wire, listings: Listings, timer: Timer, vdc_urn: str, since: datetime | None) -> Inventory:
    """Return the inventory of a VDC; see `client.Client.inventory`.

    The machines lead, and what belongs to the VDC is asked for beside them.
    """
    machines, groups, vdcs = vms(listings, vdc_urn), vapps(listings, vdc_urn), _vdcs(wire, vdc_urn)
    profiles, networks, templates = _storage_profiles(listings, vdc_urn), _networks(listings), template_rows(listings)
    asks_tasks = since is not None and version_key(wire.version()) >= activity.NEEDED_SINCE
    tasks = _tasks(wire, listings, since) if since is not None and asks_tasks else None
    needed = machines, groups, vdcs, profiles, networks
    listings.read(*needed, *([tasks] if tasks else []), optional=[templates])
    vdc = replace(vdcs.rows[0], storage_profiles=tuple(profiles.rows))
    available = {network.id for network in vdc.networks}
    return Inventory(
        vdc=vdc,
        vms=machines.rows,
        vapps=groups.rows,
        networks=[_with_fence_mode(wire, network) for network in networks.rows if network.id in available],
        templates=None if templates.error else in_catalogs(templates.rows),
        touched=_last_moments(wire, timer, tasks.rows) if tasks else {},
    )


def read_vdc(wire: Wire, listings: Listings, vdc_urn: str) -> Vdc:
    """Return a VDC; the use of its storage profiles is not in the document and comes from a listing."""
    vdcs, profiles = _vdcs(wire, vdc_urn), _storage_profiles(listings, vdc_urn)
    listings.read(vdcs, profiles)
    return replace(vdcs.rows[0], storage_profiles=tuple(profiles.rows))


def vms(listings: Listings, vdc_urn: str) -> Listing[VmRecord]:
    """Return the listing of all VMs of a VDC; VMs of templates are not among them."""
    conditions = Condition("vdc", vdc_urn), Condition("isVAppTemplate", "false")
    return listings.of("vm", query.vm_record, lambda row: row.id, *conditions)


def vapps(listings: Listings, vdc_urn: str, *conditions: Condition) -> Listing[VAppRecord]:
    """Return the listing of the vApps of a VDC that meet the conditions."""
    return listings.of("vApp", query.vapp_record, lambda row: row.id, Condition("vdc", vdc_urn), *conditions)


def template_rows(listings: Listings) -> Listing[TemplateRecord]:
    """Return the listing of all templates that we may see."""
    return listings.of("vAppTemplate", catalog.record, lambda row: row.id)


def in_catalogs(templates: Iterable[TemplateRecord]) -> list[TemplateRecord]:
    """Return those of these templates that are in a catalog we may read."""
    return [row for row in templates if row.catalog_name]


def _vdcs(wire: Wire, vdc_urn: str) -> Listing[Vdc]:
    """Return the document of a VDC as a listing of one."""
    return Listing(
        f"the document of {vdc_urn}",
        lambda _: path_of(vdc_urn, "vdc"),
        lambda path, early: Page(1, (wire.get(path, "Vdc", parse.vdc, early),)),
        lambda vdc: vdc.id,
    )


def _storage_profiles(listings: Listings, vdc_urn: str) -> Listing[StorageProfile]:
    return listings.of("orgVdcStorageProfile", query.storage_profile, lambda row: row.id, Condition("vdc", vdc_urn))


def _networks(listings: Listings) -> Listing[OrgVdcNetwork]:
    return listings.of("orgVdcNetwork", query.org_network, lambda row: row.id)


def _with_fence_mode(wire: Wire, network: OrgVdcNetwork) -> OrgVdcNetwork:
    if network.fence_mode:
        return network
    return wire.get(path_of(network.id, "network"), "OrgVdcNetwork", parse.org_network)


def _tasks(wire: Wire, listings: Listings, since: datetime) -> Listing[TaskRecord]:
    # Its filter is made when it begins: by the answers before it vCloud's clock is known.
    conditions = cache(lambda: activity.conditions(wire.by_its_clock(since)))
    return listings.of_later("task", query.task_record, lambda row: row.id, conditions)


def _last_moments(wire: Wire, timer: Timer, tasks: Iterable[TaskRecord]) -> dict[str, datetime]:
    now = datetime.fromtimestamp(timer.wall(), UTC)
    return activity.last_moments(tasks, now=now, ahead=timedelta(seconds=wire.ahead_s()))
