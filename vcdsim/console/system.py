"""What the console expects of an operating system in a guest, and what it offers one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from vcdsim.console.machine import Facts
from vcdsim.console.terminal import Line
from vcdsim.console.tiles import Tile


class System(Protocol):
    """What runs in the guest. All calls come from the console's thread."""

    def tiles(self, width: int, height: int) -> list[Tile]:
        """The screen as it is now, in tiles that cover it, none over another."""

    def look(self, facts: Facts) -> None:
        """Time has gone by, or the VM has changed."""

    def press(self, key: str) -> None:
        """A character or the name of a key."""


@dataclass(frozen=True)
class Power:
    """What a guest can do to its VM."""

    off: Callable[[], None]
    restart: Callable[[], None]


@dataclass
class Timed:
    """Lines that appear one by one within `lasts_s` nominal seconds, and what comes after them."""

    lines: list[Line]
    from_at: float
    lasts_s: float
    then: Callable[[], None]
    _shown: int = field(default=0)

    def due(self, facts: Facts) -> list[Line]:
        """Those whose time has come since the last look."""
        share = self._passed_s(facts) / self.lasts_s
        until = min(len(self.lines), int(share * len(self.lines)) + 1)
        new, self._shown = self.lines[self._shown : until], max(until, self._shown)
        return new

    def is_over(self, facts: Facts) -> bool:
        """True when all is shown and the time is up."""
        return self._passed_s(facts) >= self.lasts_s

    def _passed_s(self, facts: Facts) -> float:
        return max(0.0, facts.now - self.from_at) * facts.speed
