"""A guest with a graphic logon: it starts, waits for Ctrl+Alt+Delete, asks for a password, shows a desktop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from vcdsim.console.keyboard import BACKSPACE, CTRL_ALT_DEL, ENTER, ESCAPE
from vcdsim.console.machine import Facts
from vcdsim.console.poster import Bar, Poster, Text, bands
from vcdsim.console.system import Power, Timed
from vcdsim.console.tiles import Colour, Tile

_STAGES = 12
_START_S, _STOP_S = 90.0, 20.0
_DARK: tuple[Colour, Colour, Colour, Colour] = ((8, 20, 44), (10, 42, 84), (14, 68, 124), (20, 92, 156))
_FRAME, _FIELD, _INK, _PALE = (220, 230, 242), (255, 255, 255), (20, 30, 44), (190, 210, 232)
_LIGHT: Colour = (80, 190, 255)
_PROGRESS = 300
_MOST_DOTS = 24


_Band = Sequence[Text | Bar]


class Windows:
    """One run of the guest. What it shows is three bands, from top to bottom."""

    def __init__(self, facts: Facts, power: Power) -> None:
        self._facts = facts
        self._power = power
        self._password = ""
        self._error = ""
        self._screen: Callable[[], list[_Band]] = self._busy
        self._on_key: Callable[[str], None] = self._ignored
        self._stages = 0
        self._words = ""
        self._timed: Timed | None = None
        self._wait("Starting Windows", facts.booted_at, _START_S, self._lock)

    def tiles(self, width: int, height: int) -> list[Tile]:
        """The screen."""
        colours = pairwise(_DARK)
        posters = [Poster(*pair, tuple(items)) for pair, items in zip(colours, self._screen(), strict=True)]
        return bands((width, height), posters)

    def look(self, facts: Facts) -> None:
        """What the clock brings."""
        self._facts = facts
        while self._timed is not None:
            timed = self._timed
            self._stages += len(timed.due(facts))
            if not timed.is_over(facts):
                return
            self._timed = None
            timed.then()

    def press(self, key: str) -> None:
        """A key; while the guest starts or stops it is lost."""
        self._on_key(key)

    # --- what it does

    def _wait(self, words: str, from_at: float, lasts_s: float, then: Callable[[], None]) -> None:
        self._words, self._stages = words, 0
        self._timed = Timed([()] * _STAGES, from_at, lasts_s, then)
        self._show(self._busy, self._ignored)

    def _show(self, screen: Callable[[], list[_Band]], on_key: Callable[[str], None]) -> None:
        self._screen, self._on_key = screen, on_key

    def _lock(self) -> None:
        self._password = self._error = ""
        self._show(self._locked, self._unlock)

    def _ignored(self, key: str) -> None:
        """Nobody listens yet, or any more."""

    def _unlock(self, key: str) -> None:
        if key == CTRL_ALT_DEL:
            self._show(self._asking, self._edit)

    def _edit(self, key: str) -> None:
        if key == ENTER:
            self._sign_in()
        elif key == ESCAPE:
            self._lock()
        elif key == BACKSPACE:
            self._password = self._password[:-1]
        elif len(key) == 1:
            self._password += key

    def _sign_in(self) -> None:
        if self._facts.password in ("", self._password):
            self._show(self._desktop, self._at_desktop)
        else:
            self._error = "The password is incorrect. Try again."
        self._password = ""

    def _at_desktop(self, key: str) -> None:
        if key == CTRL_ALT_DEL:
            self._show(self._choosing, self._choose)

    def _choose(self, key: str) -> None:
        if key.upper() == "L":
            self._lock()
        elif key.upper() == "R":
            self._wait("Restarting", self._facts.now, _STOP_S, self._power.restart)
        elif key.upper() == "S":
            self._wait("Shutting down", self._facts.now, _STOP_S, self._power.off)
        elif key == ESCAPE:
            self._show(self._desktop, self._at_desktop)

    # --- what it shows

    def _busy(self) -> list[_Band]:
        done = _PROGRESS * self._stages // _STAGES
        bar = [Bar(-_PROGRESS // 2, _PROGRESS, 6, 50, _DARK[0]), Bar(-_PROGRESS // 2, done, 6, 50, _LIGHT)]
        return [[], [Text(self._words, 32, 50)], bar if done else bar[:1]]

    def _locked(self) -> list[_Band]:
        now = datetime.fromtimestamp(self._facts.now, UTC)
        clock = [Text(f"{now:%H:%M}", 84, 55), Text(f"{now:%A, %B} {now.day}", 26, 92, _PALE)]
        return [
            clock,
            [Text("Press Ctrl+Alt+Delete to unlock.", 28, 60)],
            [Text(self._facts.host_name, 18, 80, _PALE)],
        ]

    def _asking(self) -> list[_Band]:
        dots = "*" * min(_MOST_DOTS, len(self._password))
        field: _Band = [
            Bar(-172, 344, 44, 50, _FRAME),
            Bar(-169, 338, 38, 50, _FIELD),
            Text(dots or "Password", 18, 50, _INK),
        ]
        hint = "The password of its guest customization" if self._facts.password else "Any password will do"
        below = [Text(self._error, 18, 12), Text(f"Simulated guest: {hint.lower()}, then Enter", 16, 80, _PALE)]
        return [[Text("Administrator", 40, 80)], field, below]

    def _desktop(self) -> list[_Band]:
        facts = self._facts
        addresses = ", ".join(one.address for one in facts.interfaces if one.address) or "none"
        size = f"{facts.cpu_count} CPU, {facts.memory_mb} MB, disks {', '.join(f'{one} GB' for one in facts.disks_gb)}"
        top = [Text(facts.host_name, 44, 50), Text(facts.os, 20, 85, _PALE)]
        middle = [Text(size, 20, 15, _PALE), Text(f"Addresses: {addresses}", 20, 35, _PALE)]
        bar: _Band = [Bar(-2400, 4800, 44, 100, _INK), Text("Ctrl+Alt+Delete: lock, restart, shut down", 16, 70, _PALE)]
        return [top, middle, bar]

    def _choosing(self) -> list[_Band]:
        choices = [Text("L   Lock", 26, 15), Text("R   Restart", 26, 45), Text("S   Shut down", 26, 75)]
        return [[], choices, [Text("Esc   Back", 20, 30, _PALE)]]
