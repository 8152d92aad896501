"""A screen that changes all the time, for load: pictures made once, sent for ever.

Each is a PNG file of noise. It says when it was sent: a `tEXt` chunk `sent` right after the header holds the
nanoseconds of the monotonic clock, which on one machine all processes share.
"""

from __future__ import annotations

import functools
import io
import math
import os
import struct
import time
import zlib

from PIL import Image

from vcdsim.console import wire

_FRAMES = 8
#: Signature and IHDR of a PNG file.
_HEAD_BYTES = 8 + 25


class Movie:
    """What one client is shown."""

    def __init__(self, updates_s: float, size_bytes: int) -> None:
        self.every_s = 1 / updates_s
        self._size_bytes = size_bytes
        self._begun_at = time.monotonic()
        self._shown = -1

    def news(self) -> list[bytes]:
        """The rectangle of the present frame, nothing if it has been shown."""
        present = int((time.monotonic() - self._begun_at) / self.every_s)
        if present == self._shown:
            return []
        self._shown = present
        side, head, rest = _frame(present % _FRAMES, self._size_bytes)
        file = head + _chunk(b"tEXt", b"sent\0%020d" % time.monotonic_ns()) + rest
        return [wire.rectangle((0, 0, side, side), wire.TIGHT_PNG, wire.png(file))]

    def next_in_s(self) -> float:
        """How long the present frame lasts from now."""
        return self.every_s - (time.monotonic() - self._begun_at) % self.every_s


@functools.lru_cache(maxsize=2 * _FRAMES)
def _frame(_number: int, size_bytes: int) -> tuple[int, bytes, bytes]:
    """Side in pixels, the file up to the place of the chunk, and after it."""
    side = max(1, math.isqrt(size_bytes // 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(file, "PNG", compress_level=0)
    return side, file.getvalue()[:_HEAD_BYTES], file.getvalue()[_HEAD_BYTES:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
