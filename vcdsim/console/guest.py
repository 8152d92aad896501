"""The guest of one VM: its keyboard, its screen, and a log of what reached it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from vcdsim.console.keyboard import BACKSPACE, ENTER, TAB, Keyboard
from vcdsim.console.machine import Facts
from vcdsim.console.system import System
from vcdsim.console.tiles import CELL_HEIGHT, CELL_WIDTH, Tile

_COLUMNS, _ROWS = 80, 25
_LEAST, _MOST = (CELL_WIDTH * 40, CELL_HEIGHT * 10), (4096, 2400)
_KEPT_EVENTS = 10_000
_KEPT_LETTERS = 100_000
_LETTERS = {ENTER: "\n", TAB: "\t", BACKSPACE: "\b"}


class Guest:
    """Shared by all who look at the screen of the VM; used from the console's thread alone, but for the log."""

    def __init__(self, facts: Facts, boot: Callable[[Facts], System]) -> None:
        self.facts = facts
        self.keyboard = Keyboard()
        self.width, self.height = CELL_WIDTH * _COLUMNS, CELL_HEIGHT * _ROWS
        #: Called whenever the screen or the lock keys may have changed.
        self.viewers: set[Callable[[], None]] = set()
        #: What was typed: characters, `\n` for Enter, `\t`, `\b`.
        self.received = ""
        #: (kind, what), such as `("scan", "42 down")`, `("boot", "")`, `("resize", "1040x700")`.
        self.events: deque[tuple[str, str]] = deque(maxlen=_KEPT_EVENTS)
        #: The VM is off, or suspended: there is nothing to be seen.
        self.is_off = False
        self._buttons = 0
        self._boot = boot
        self._system = boot(facts)
        self._system.look(facts)

    def tiles(self, size: tuple[int, int]) -> list[Tile]:
        """The screen, for a client that knows it in this size."""
        return self._system.tiles(*size)

    def look(self, facts: Facts) -> None:
        """Time has gone by; a VM that was switched on, reset or rebooted begins anew."""
        if facts.booted_at != self.facts.booted_at:
            self.note("boot")
            self._system = self._boot(facts)
        self.facts, self.is_off = facts, False
        self._system.look(facts)
        self._show()

    def go_dark(self) -> None:
        """The VM is no longer on."""
        if not self.is_off:
            self.note("off")
        self.is_off = True
        self._show()

    def press(self, key: str | None) -> None:
        """What the keyboard made of an event; None for a modifier or a lock."""
        if key is not None:
            letter = _LETTERS.get(key, key)
            if len(letter) == 1:
                self.received = (self.received + letter)[-_KEPT_LETTERS:]
            self._system.press(key)
        self._show()

    def point(self, buttons: int, x: int, y: int) -> None:
        """The mouse; it is written down when a button goes down or up."""
        if buttons != self._buttons:
            self._buttons = buttons
            self.note("click", f"{buttons} at {x},{y}")

    def resize(self, width: int, height: int) -> None:
        """VMware Tools in the guest do as they are asked, within limits."""
        self.width = max(_LEAST[0], min(_MOST[0], width))
        self.height = max(_LEAST[1], min(_MOST[1], height))
        self.note("resize", f"{self.width}x{self.height}")
        self._show()

    def note(self, kind: str, what: str = "") -> None:
        """Write an event down."""
        self.events.append((kind, what))

    def _show(self) -> None:
        for viewer in self.viewers:
            viewer()
