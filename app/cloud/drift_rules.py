"""What drift is: something of a machine that was changed in vCloud and not by the panel. Pure: no database, no clock.

Power is everyday life: people switch machines on and off in vCloud, guests shut themselves down, and addresses of DHCP
come and go with that. Such changes are listed as *noted*: nobody has to decide about them, and no alarm counts them.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

ALARM_AFTER = timedelta(hours=24)
"""Drift that is older than this and still wants a decision is a matter for the provider."""
IGNORE_DAYS = (7, 30)
KEEP_SETTLED = timedelta(days=90)
"""So long an entry is kept after it was settled: as long as somebody may ask why the desk no longer has it."""
WHATS = ("existence", "vdc", "name", "vapp", "cpu_count", "memory_mb", "disks", "nics", "snapshot", "state")
"""What can drift, the gravest first; see `history` for the form of the values. "existence": whether vCloud has it."""
ABOUT_GONE = ("existence", "vdc")
"""What is still to be said of a machine that is no longer in its data center."""
_TOGETHER = dict.fromkeys(("cpu_count", "memory_mb"), ("cpu_count", "memory_mb"))


class DriftState(StrEnum):
    """Where an entry of the drift desk stands."""

    OPEN = "open"  # wants a decision
    NOTED = "noted"  # wants none
    IGNORED = "ignored"  # until a date; then it is open again
    ACCEPTED = "accepted"  # what vCloud has is right
    RESTORED = "restored"  # the panel brought it back
    SETTLED = "settled"  # it went away by itself, or the panel has changed the same thing since


LIVE = (DriftState.OPEN, DriftState.NOTED, DriftState.IGNORED)
"""Both sides still differ; at most one entry of these states for a thing of a machine."""


class Never(StrEnum):
    """Why something cannot be brought back from here."""

    STATE = "state"  # switch it where you switch it
    EXISTENCE = "existence"
    VDC = "vdc"
    VAPP = "vapp"
    DISK_GREW = "disk_grew"
    DISK_LOST = "disk_lost"
    DISKS_SEVERAL = "disks_several"
    CARD_NETWORK = "card_network"
    SNAPSHOT_LOST = "snapshot_lost"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a reading of vCloud has shown of one machine.

    `operation_id` explains all of it, `own` names what an operation at work explains if it does not explain all.
    """

    vm_id: uuid.UUID
    at: datetime
    changes: Sequence[Mapping[str, Any]]  # [{"what", "before", "after"}]
    operation_id: uuid.UUID | None
    own: frozenset[str]

    def is_own(self, what: str) -> bool:
        """Whether the panel did this."""
        return self.operation_id is not None or what in self.own


def changes_of(kind: str, found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The changes that an event of a machine means; appearing and going are changes of its existence."""
    listed = [change for change in found if change["what"] in WHATS]
    if kind == "changed" or (kind == "gone" and any(change["what"] == "vdc" for change in listed)):
        return listed
    is_there = kind != "gone"
    return [*listed, {"what": "existence", "before": not is_there, "after": is_there}]


def first_state(what: str, before: Any, after: Any) -> DriftState:
    """Whether a change wants a decision."""
    is_daily = what == "state" or (what == "nics" and _fixed(before) == _fixed(after))
    return DriftState.NOTED if is_daily else DriftState.OPEN


def _fixed(cards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What somebody has chosen of cards: an address only where it was written down by hand."""
    return [{**card, "ip": card["ip"] if card["mode"] == "MANUAL" else None} for card in cards]


def settled_by(what: str) -> tuple[str, ...]:
    """What else the panel has decided by changing this: processors and memory are asked for together."""
    return _TOGETHER.get(what, (what,))


def key_of(value: Any) -> str:
    """A short name of a value, so that a decision is about what the person has seen."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
