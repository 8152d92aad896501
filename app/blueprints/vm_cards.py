"""The templates of the create page as cards, with the bounds that each sets, in words."""

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext

from app.cloud.models import Vdc
from app.cloud.offers import Offer
from app.cloud.sizes import Bound
from app.texts import error_text, size_mb

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
    """A template to choose; `offer` holds the bounds for the script."""

    id: str
    name: str
    icon: str
    least: str
    reason: str
    offer: dict[str, Range]


def card(offer: Offer, vdc: Vdc) -> Card:
    """The card of a template in this data center."""
    template, bounds = offer.template, offer.bounds
    sizes = (f"{template.cpu_count}\xa0CPU", size_mb(template.memory_mb), size_mb(template.disk_gb * 1024))
    return Card(
        id=str(template.id),
        name=template.name,
        icon=_icon(template.guest_os, len(template.vms)),
        least=" · ".join(sizes),
        reason=error_text(offer.reason) if offer.reason else "",
        offer={
            "cpu_count": _range(bounds.cpu_count, vdc, str, 1),
            "memory_gb": _range(bounds.memory_mb, vdc, size_mb, 1024),
            "disk_gb": _range(bounds.disk_gb, vdc, lambda gb: size_mb(gb * 1024), 1),
        },
    )


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
