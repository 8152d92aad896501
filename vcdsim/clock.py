"""The clock of a simulated world.

A wall clock with `speed` N lets everything that takes time take 1/N of it, while the timestamps
in answers stay true: a client that compares them with its own clock is not misled.
A manual clock moves only by `advance()`.
"""

from __future__ import annotations

import math
import time

#: Far enough for every test, near enough for a date to be written.
_END_OF_TIME = 100e9


class Clock:
    """Moments in seconds since the epoch; `scale` turns a nominal duration into a real one."""

    def __init__(self, *, manual: bool = False, speed: float = 1.0) -> None:
        if not (speed > 0 and math.isfinite(speed)):
            raise ValueError(f"speed must be a number greater than 0, not {speed}")
        self.is_manual = manual
        self._speed = 1.0 if manual else speed
        self._manual_now = time.time()

    def now(self) -> float:
        """The present moment of the world."""
        return self._manual_now if self.is_manual else time.time()

    def scale(self, duration_s: float) -> float:
        """How long something that nominally takes `duration_s` takes in this world."""
        return duration_s / self._speed

    def advance(self, seconds: float) -> None:
        """Move a manual clock forward."""
        if not self.is_manual:
            raise RuntimeError("only a manual clock can be advanced")
        if seconds < 0:
            raise ValueError("time does not run backwards")
        if self._manual_now + seconds > _END_OF_TIME:
            raise ValueError("that is too far in the future")
        self._manual_now += seconds

    def advance_to(self, moment: float) -> None:
        """Move a manual clock forward to `moment`; an earlier moment changes nothing."""
        self.advance(max(0.0, moment - self._manual_now))
