"""How the console of a simulated vCloud behaves; tests and the control endpoint change it while it runs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

#: vCD up to 10.3: a vmx path, `connect info vmx`, text frames. From 10.4 on: neither, binary frames.
LEGACY, MODERN = "legacy", "modern"
#: How pictures are sent: PNG files in rectangles of TightPNG, or pixels.
TIGHT, RAW = "tight", "raw"

#: Bits of ServerCaps.
SCAN_CODES, CLIENT_CAPS, UPDATE_ACKS, RESIZING, UNICODE, JS_KEYS = 0x2, 0x8, 0x20, 0x80, 0x100, 0x200
_ALL_CAPS = 0xFFFFFFFF


@dataclass
class ConsoleOptions:
    """What can be chosen; it counts from the next ticket (generation) or connection (the others) on."""

    #: As the highest API version simulated here has it.
    generation: str = MODERN
    encoding: str = TIGHT
    #: Version and security are spoken before ServerInit; very old cells left them out.
    is_rfb_spoken: bool = True
    #: Instead of the guest's screen so many pictures a second of about so many bytes, for load; 0: the screen.
    movie_updates_s: int = 0
    movie_bytes: int = 20_000
    caps: int = SCAN_CODES | CLIENT_CAPS | RESIZING | UNICODE | JS_KEYS

    def change(self, data: Any) -> None:
        """Take the fields of a table; ValueError, and none of them, when one is wrong."""
        if not isinstance(data, dict) or not set(data) <= {one.name for one in dataclasses.fields(self)}:
            raise ValueError(f"the console has {', '.join(one.name for one in dataclasses.fields(self))}")
        changed = dataclasses.replace(self, **data)
        changed.check()
        for name in data:
            setattr(self, name, data[name])

    def check(self) -> None:
        """ValueError for a value that means nothing."""
        numbers = ((self.caps, _ALL_CAPS), (self.movie_updates_s, 100), (self.movie_bytes, 1_000_000))
        numbers_fit = all(type(number) is int and 0 <= number <= most for number, most in numbers)
        is_known = self.generation in (LEGACY, MODERN) and self.encoding in (TIGHT, RAW)
        if not (is_known and numbers_fit and isinstance(self.is_rfb_spoken, bool)):
            raise ValueError(f"{dataclasses.asdict(self)} are no options of the console")
