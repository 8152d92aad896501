"""The vApps to which a new server can be added: all of them while they are few, else those that a search finds."""

import uuid
from dataclasses import dataclass

from flask_babel import format_decimal, gettext, ngettext

from app.cloud import offers, vm_search
from app.cloud.models import VApp

MOST = 50
"""How many are offered at once: thousands of them would make the page slow, and nobody reads so long a list."""


@dataclass(frozen=True, kw_only=True)
class VappChoice:
    """What can be chosen as (id, name), by name; `total`: how many vApps there are, `found`: how many fit `text`."""

    choices: list[tuple[str, str]]
    total: int
    found: int
    text: str

    @property
    def is_searched(self) -> bool:
        """Whether there are so many that they have to be searched."""
        return self.total > MOST

    @property
    def note(self) -> str:
        """What the search found."""
        if self.found > MOST:
            numbers = {"most": format_decimal(MOST), "found": format_decimal(self.found)}
            return gettext("The first %(most)s of %(found)s. Write a part of the name.", **numbers)
        return ngettext("%(num)d vApp fits.", "%(num)d vApps fit.", self.found)


def vapp_choice(vdc_id: uuid.UUID, text: str, chosen: uuid.UUID | None) -> VappChoice:
    """Those whose name has `text` in it, in any case of letters; the one already chosen stays among them."""
    text = text.strip()
    fits = vm_search.has(VApp.name, text)
    total, found = offers.count_vapps(vdc_id, fits)
    rows = offers.vapps(vdc_id, fits, most=MOST)
    kept = chosen if chosen is not None and chosen not in [row.id for row in rows] else None
    rows = [*(offers.vapps(vdc_id, VApp.id == kept) if kept else ()), *rows]
    return VappChoice(choices=[(str(row.id), row.name) for row in rows], total=total, found=found, text=text)
