"""What a listing says beside what is known. Pure: no database, no clock, no web."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import vcloud

REREAD_EVERY = timedelta(hours=24)
"""How often every vApp is read whole, for what no listing shows."""
READS_A_DAY = 48
"""So many runs there are a day at the usual 30 minutes: each reads its part of what is to be read once a day."""
DOUBT_FROM = 3
"""Fewer missing machines are not doubted, be they all that there are: each one is looked for twice more before it is
gone, and were it wrong in spite of that, the next run brings back one or two as easily as it took them. Without this a
data center whose only machine was deleted in vCloud would always wait for staff."""
MOST_LOST_PARTS = 3
"""So many workers in a row that ended at a run without a word: the next ones would as well, so it has failed."""

OWN_DOING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("start", "resume", "shut_down", "restart", "suspend", "power_off", "reset"), frozenset({"state", "nics"})
    ),
    "resize": frozenset({"cpu_count", "memory_mb", "state", "nics"}),
    **dict.fromkeys(("add_disk", "grow_disk", "remove_disk"), frozenset({"disks", "state"})),
    "change_network": frozenset({"nics", "state"}),
    **dict.fromkeys(("take_snapshot", "remove_snapshot"), frozenset({"snapshot"})),
    "revert_snapshot": frozenset({"state", "snapshot", "cpu_count", "memory_mb", "disks", "nics"}),
    "rename": frozenset({"name"}),
    "reset_password": frozenset({"state", "nics"}),
    "delete": frozenset({"name", "vapp", "state", "nics", "snapshot", "existence"}),
    "restore": frozenset({"name", "vapp", "state"}),
    "erase": frozenset({"existence", "state"}),
}
"""What an operation of a kind on a machine may change of it; what else changes meanwhile was done in vCloud."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A vApp of a listing with its machines, and the key that tells whether anything of them moved."""

    record: vcloud.VAppRecord
    vms: Sequence[vcloud.VmRecord]
    key: str


def by_vapp(vapps: Iterable[vcloud.VAppRecord], vms: Iterable[vcloud.VmRecord]) -> dict[str, Listed]:
    """Put the rows of two listings together, by urn of the vApp.

    A machine whose vApp is not listed came or went between the two listings: the next run knows.
    """
    machines: dict[str | None, list[vcloud.VmRecord]] = defaultdict(list)
    for vm in vms:
        machines[vm.vapp_id].append(vm)
    return {vapp.id: Listed(vapp, own, _key(vapp, own)) for vapp in vapps for own in (machines.get(vapp.id, ()),)}


def _key(vapp: vcloud.VAppRecord, vms: Sequence[vcloud.VmRecord]) -> str:
    """Return the fingerprint of a vApp: equal as long as no row about it changes.

    A task at work is part of it (`busy`), so that what the task changes is read once more when it has ended.
    """
    lines = [f"{vapp.name}\x1f{vapp.status:d}{vapp.deployed:d}{vapp.busy:d}\x1f{vapp.owner_name}\x1f{vapp.task_id}"]
    lines += ["expired"] if vapp.expired else []
    lines += sorted(
        f"{vm.id}\x1f{vm.name}\x1f{vm.status:d}{vm.deployed:d}{vm.busy:d}\x1f{vm.cpu_count}\x1f{vm.memory_mb}\x1f{vm.ip}"
        f"\x1f{vm.network_name}\x1f{vm.storage_profile_name}\x1f{vm.storage_mb}\x1f{vm.task_id}"
        for vm in vms
    )
    return hashlib.blake2b("\n".join(lines).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def too_many_missing(missing: int, known: int) -> bool:
    """Whether so many machines are missing that it is more likely the reading that is wrong.

    More than half of what is known goes at once when a right was taken away, or when a vCloud was restored or lost its
    vCenter: then every look at one of them says what the listing said.
    """
    return missing >= DOUBT_FROM and missing * 2 > known


def is_given_up(lost_parts: int) -> bool:
    """Whether a run is not tried any more, after so many workers in a row that took it and did not come back."""
    return lost_parts >= MOST_LOST_PARTS


def due_for_rereading(read_at: Sequence[tuple[str, datetime]], now: datetime) -> list[str]:
    """Return the urns of vApps to be read again only because it was long ago, oldest first: a part of them each time.

    `read_at` is (urn, when it was last read whole) of all vApps.
    """
    old = sorted((at, urn) for urn, at in read_at if now - at >= REREAD_EVERY)
    return [urn for _, urn in old[: -(-len(read_at) // READS_A_DAY)]]


def touched_vapps(listed: Mapping[str, Listed], touched: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return when something was last done to these vApps or to one of their machines, by urn of the vApp.

    `touched` is by urns of both. What was done to others is left out.
    """
    found: dict[str, datetime] = {}
    if touched:
        for urn, item in listed.items():
            moments = [touched[name] for name in (urn, *(vm.id for vm in item.vms)) if name in touched]
            if moments:
                found[urn] = max(moments)
    return found
