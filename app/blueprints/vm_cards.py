"""The templates of the create page as cards, with the bounds that each sets, in words; and what came of several."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext
from sqlalchemy import select

from app.cloud.models import Vdc, Vm
from app.cloud.offers import CREATING, Offer
from app.cloud.operation_models import Operation
from app.cloud.sizes import Bound, Size, default_names, total
from app.db import db
from app.texts import size_mb
from app.texts.errors import error_text

LOCKED_SHARE = 30
"""How much of a slider's track is drawn as "exists, but cannot be had", in %."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The bounds of a slider with their words; `locked` is the share of the track that cannot be had, in %."""

    least: float
    most: float
    least_text: str
    most_text: str
    locked: int


@dataclass(frozen=True, kw_only=True)
class Card:
    """A template to choose; `offer` holds the bounds for the script.

    `machines` are the name that each server begins with and its size, where the template makes several; `makes` says
    how many, `whole` how many and how large, for the summary.
    """

    id: str
    name: str
    icon: str
    makes: str
    whole: str
    least: str
    reason: str
    offer: dict[str, Range]
    machines: list[tuple[str, str]]


def card(offer: Offer, vdc: Vdc, taken: Collection[str]) -> Card:
    """The card of a template in this data center, in which the names `taken` exist."""
    template, bounds, machines = offer.template, offer.bounds, offer.machines
    names = default_names([one.default_name for one in machines], [one.is_windows for one in machines], taken)
    count, size = len(machines), size_words(total(one.size for one in machines))
    return Card(
        id=str(template.id),
        name=template.name,
        icon=_icon(template.guest_os, count),
        makes=ngettext("Makes %(num)d server.", "Makes %(num)d servers.", count) if count > 1 else "",
        whole=ngettext("%(num)d server", "%(num)d servers", count) + f": {size}" if count > 1 else "",
        least=size,
        reason=error_text(offer.reason) if offer.reason else "",
        offer={
            "cpu_count": _range(bounds.cpu_count, vdc, str, 1),
            "memory_gb": _range(bounds.memory_mb, vdc, size_mb, 1024),
            "disk_gb": _range(bounds.disk_gb, vdc, lambda gb: size_mb(gb * 1024), 1),
        },
        machines=[(name, size_words(one.size)) for name, one in zip(names, machines, strict=True)] if count > 1 else [],
    )


def machines(operation: Operation) -> list[tuple[str, str, str]]:
    """Name, size and address of the page of each server that a creation makes, if several.

    Before a server is there it has no page; afterwards its network addresses and its system are told as well.
    """
    wanted = operation.params["machines"] if operation.kind in CREATING else []
    if len(wanted) == 1:
        return []
    urns = operation.facts.get("vm_urns", [""] * len(wanted))
    rows = db.session.scalars(select(Vm).where(Vm.vdc_id == operation.vdc_id, Vm.urn.in_(urns)))
    made = {vm.urn: vm for vm in rows}
    return [_machine(one, made.get(urn)) for one, urn in zip(wanted, urns, strict=True)]


def _machine(wanted: dict[str, Any], vm: Vm | None) -> tuple[str, str, str]:
    size = size_words(Size(**wanted["size"]))
    if vm is None:
        return wanted["name"], size, ""
    words = (size, vm.outer_ip, vm.inner_ip, vm.guest_os)
    return wanted["name"], " · ".join(word for word in words if word), url_for("vms.show", vm_id=vm.id)


def size_words(size: Size) -> str:
    """ "2 CPU · 4 GB · 40 GB"."""
    return " · ".join((f"{size.cpu_count}\xa0CPU", size_mb(size.memory_mb), size_mb(size.disk_gb * 1024)))


def _icon(guest_os: str, vm_count: int) -> str:
    system = guest_os.lower()
    if vm_count > 1:
        return "stack"
    return "ubuntu" if "ubuntu" in system else "windows" if "windows" in system else "tux"


def _range(bound: Bound, vdc: Vdc, words: Callable[[int], str], unit: int) -> Range:
    most = max(bound.least, bound.most)
    if bound.cause == "vdc":
        most_text = gettext("%(size)s: free in %(vdc)s", size=words(most), vdc=vdc.name)
    else:
        most_text = gettext("%(size)s: template limit", size=words(most))
    least, top = bound.least / unit, most / unit
    return Range(
        least=int(least) if least == int(least) else least,
        most=int(top),
        least_text=words(bound.least),
        most_text=most_text,
        locked=LOCKED_SHARE if bound.cause == "vdc" else 0,
    )
