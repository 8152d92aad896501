"""Metadata: typed values under keys, on everything that can carry them, in two domains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from vcdsim.entities import Catalog, IndependentDisk, Metadata, OrgNetwork, Task, Template, VApp, Vdc, Vm
from vcdsim.estate import Media
from vcdsim.people import Org, User
from vcdsim.refusals import RefusalError
from vcdsim.tasks import effect, require_idle, start
from vcdsim.world import World

Carrier = Vm | VApp | IndependentDisk | Vdc | Org | Template | Catalog | OrgNetwork | Media
KINDS = ("String", "Number", "Boolean", "DateTime")
GENERAL, SYSTEM = "GENERAL", "SYSTEM"
VISIBILITIES = {GENERAL: ("READWRITE",), SYSTEM: ("READWRITE", "READONLY", "PRIVATE")}
_PLACES = {
    "vapp": "vapps",
    "disk": "disks",
    "vdc": "vdcs",
    "org": "orgs",
    "vapptemplate": "templates",
    "catalog": "catalogs",
    "network": "networks",
    "media": "media",
}
MOST_ENTRIES, LONGEST_KEY, LONGEST_VALUE = 200, 256, 1000


def stored_key(domain: str, key: str) -> str:
    """The key in an entity's dictionary: that of the domain SYSTEM carries its name."""
    return key if domain == GENERAL else f"{domain}/{key}"


def visible(world: World, user: User, carrier: Carrier) -> dict[str, Metadata]:
    """The entries the user may read, under their stored keys."""
    everything = world.sees_all(user)
    return {key: one for key, one in carrier.metadata.items() if everything or one.visibility != "PRIVATE"}


def visible_values(world: World, user: User, carriers: Iterable[Carrier], key: str) -> list[Metadata | None]:
    """What the user may read under the stored key, carrier by carrier."""
    found = [carrier.metadata.get(key) for carrier in carriers]
    if world.sees_all(user):
        return found
    return [None if one is None or one.visibility == "PRIVATE" else one for one in found]


def change(world: World, actor: User, carrier: Carrier, entries: dict[str, Metadata]) -> Task:
    """Merge the entries in."""
    require_idle(world, carrier)
    for key, one in entries.items():
        _check(world, actor, key, one)
    if len({**carrier.metadata, **entries}) > MOST_ENTRIES:
        raise RefusalError(f"The number of metadata entries cannot be more than {MOST_ENTRIES}.")
    args = {"set": {key: asdict(one) for key, one in entries.items()}}
    return start(world, actor, carrier, "metadataUpdate", "metadata", args=args)


def delete(world: World, actor: User, carrier: Carrier, key: str) -> Task:
    """Take one entry out."""
    require_idle(world, carrier)
    _check(world, actor, key, carrier.metadata[key])
    return start(world, actor, carrier, "metadataDelete", "metadata", args={"delete": key})


def _check(world: World, actor: User, key: str, entry: Metadata) -> None:
    if entry.domain not in VISIBILITIES or entry.visibility not in VISIBILITIES[entry.domain]:
        raise RefusalError(f'The metadata domain "{entry.domain}" with visibility "{entry.visibility}" is not valid.')
    if entry.domain == SYSTEM and not world.sees_all(actor):
        raise RefusalError(
            "Only a system administrator can change metadata of the domain SYSTEM.",
            minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN",
            status=403,
        )
    if not 0 < len(key) <= LONGEST_KEY or len(entry.value) > LONGEST_VALUE:
        raise RefusalError(f'The metadata entry with key "{key[:40]}" is too long.')
    if not _fits(entry):
        raise RefusalError(f'The metadata value "{entry.value[:40]}" is not a {entry.kind}.')


def _fits(entry: Metadata) -> bool:
    try:
        if entry.kind == "Number":
            return -(2**63) <= int(entry.value) < 2**63
        if entry.kind == "DateTime":
            datetime.fromisoformat(entry.value)
    except ValueError:
        return False
    if entry.kind == "Boolean":
        return entry.value in ("true", "false")
    return entry.kind in KINDS


def _carrier(world: World, task: Task) -> Carrier:
    """What the task's metadata belongs to."""
    if task.owner_kind == "vm":
        return world.template_vms.get(task.owner_id) or world.vms[task.owner_id]
    place: dict[str, Carrier] = getattr(world, _PLACES[task.owner_kind])
    return place[task.owner_id]


@effect("metadata")
def _changed(world: World, task: Task) -> None:
    carrier = _carrier(world, task)
    for key, entry in task.args.get("set", {}).items():
        carrier.metadata[key] = Metadata(**entry)
    if "delete" in task.args:
        carrier.metadata.pop(task.args["delete"], None)
