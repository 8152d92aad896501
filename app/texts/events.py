"""What happened to a machine in vCloud, in words: changes as `app.cloud.history` writes them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext

from app.cloud.rules import VmState
from app.texts import size_mb
from app.texts.labels import VM_STATES

Change = Mapping[str, Any]
MOVES = ("vdc", "name", "vapp", "state", "expired")


def sentences(kind: str, changes: Sequence[Change]) -> list[str]:
    """A sentence for each thing that happened; `kind` and `changes` are those of a `VmEvent`."""
    by_lease = any(change["what"] == "lease" for change in changes)
    if kind == "appeared":
        return [gettext("Appeared in vCloud")]
    if kind == "gone":
        return [_gone(changes, by_lease=by_lease)]
    said = [_moved(change, by_lease=by_lease) for change in changes if change["what"] in MOVES]
    details = [words for change in changes for words in _details(change)]
    if details:
        said.append(gettext("Changed in vCloud: %(what)s", what=", ".join(details)))
    return [gettext("Came back in vCloud"), *said] if kind == "returned" else said


def _gone(changes: Sequence[Change], *, by_lease: bool) -> str:
    if any(change["what"] == "vdc" for change in changes):
        return gettext("Moved to another data center")
    return gettext("Deleted by the vApp's lease") if by_lease else gettext("No longer in vCloud")


def _moved(change: Change, *, by_lease: bool) -> str:
    before, after = change["before"], change["after"]
    if change["what"] == "name":
        return gettext("Renamed in vCloud: %(before)s → %(after)s", before=before, after=after)
    if change["what"] == "vdc":
        return gettext("Moved to data center %(vdc)s", vdc=change["name"])
    if change["what"] == "vapp":
        return gettext("Moved to vApp %(vapp)s", vapp=after)
    if change["what"] == "expired":
        return gettext("Locked by the vApp's lease") if after else gettext("The vApp's lease was renewed")
    return gettext("Stopped by the vApp's lease") if by_lease else _switched(VmState(before), VmState(after))


def _switched(before: VmState, after: VmState) -> str:
    if after is VmState.ON:
        return gettext("Resumed in vCloud") if before is VmState.SUSPENDED else gettext("Switched on in vCloud")
    if after is VmState.SUSPENDED:
        return gettext("Suspended in vCloud")
    if before is VmState.ON and after in (VmState.OFF, VmState.PARTLY_OFF):
        return gettext("Switched off in vCloud or by its system")
    states = {"before": str(VM_STATES[before]), "after": str(VM_STATES[after])}
    return gettext("State in vCloud: %(before)s → %(after)s", **states)


def _details(change: Change) -> Iterator[str]:
    before, after = change["before"], change["after"]
    if change["what"] == "memory_mb":
        yield gettext("memory %(before)s → %(after)s", before=size_mb(before), after=size_mb(after))
    elif change["what"] == "cpu_count":
        yield gettext("processors %(before)s → %(after)s", before=before, after=after)
    elif change["what"] == "disks":
        yield from _disks(before, after)
    elif change["what"] == "nics":
        yield from _cards({card["index"]: card for card in before}, {card["index"]: card for card in after})
    elif change["what"] == "snapshot":
        yield gettext("a snapshot was taken") if after else gettext("the snapshot was removed")


def _disks(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            yield gettext("disk of %(size)s added", size=size_mb(new))
        elif new is None and old is not None:
            yield gettext("disk of %(size)s removed", size=size_mb(old))
        elif old is not None and new is not None and old != new:
            yield gettext("disk %(before)s → %(after)s", before=size_mb(old), after=size_mb(new))


def _cards(before: Mapping[int, Change], after: Mapping[int, Change]) -> Iterator[str]:
    for index in sorted(before.keys() | after.keys()):
        old, new = before.get(index), after.get(index)
        if old is None and new is not None:
            yield gettext("network card added: %(card)s", card=_card(new))
        elif new is None and old is not None:
            yield gettext("network card removed: %(card)s", card=_card(old))
        elif old is not None and new is not None and old != new:
            yield gettext("network card %(before)s → %(after)s", before=_card(old), after=_card(new))


def _card(card: Change) -> str:
    if card["network"] is None:
        return gettext("not connected")
    if not card["is_connected"]:
        return gettext("%(network)s, unplugged", network=card["network"])
    return f"{card['network']} {card['ip'] or card['mode']}"
