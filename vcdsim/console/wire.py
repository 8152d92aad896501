"""RFB 3.8 with VMware's additions, as bytes: what the console sends, and the numbers of what it gets.

Integers are big-endian. Names of encodings and messages follow RFC 6143 and VMware's HTML Console SDK.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

VMX_GREETING = b"connect info vmx\n"
RFB_VERSION = b"RFB 003.008\n"
#: One security type on offer, None; then: security is fine.
SECURITY_TYPES, SECURITY_OK = b"\x01\x01", b"\x00\x00\x00\x00"

# Encodings and pseudo-encodings.
RAW, DESKTOP_SIZE, TIGHT_PNG = 0, -223, -260
LED_STATE, SERVER_CAPS = 0x574D5668, 0x574D567A

# Messages of the client.
SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY_EVENT, POINTER_EVENT, CUT_TEXT = 0, 2, 3, 4, 5, 6
VMWARE, CONTINUOUS_UPDATES = 127, 150
# Messages of VMware's within 127.
VM_KEY, VM_CLIENT_CAPS, VM_UPDATE_ACK, VM_RESOLUTION, VM_UNICODE_KEY = 0, 3, 4, 5, 6
VM_HEARTBEAT = 4

#: Bits of the state of the lock keys.
SCROLL_LOCK, NUM_LOCK, CAPS_LOCK = 1, 2, 4

_PNG, _FILL = b"\xa0", b"\x80"
_PIXEL_FORMAT = struct.Struct(">BBBBHHHBBB3x")
_BYTES_OF_CHANNEL = (0, 8, 16, 24)


class WireError(Exception):
    """The client sent what is not RFB, or what this console does not do."""


@dataclass(frozen=True)
class PixelFormat:
    """Where red, green and blue stand among the four bytes of a pixel; as WMKS takes it for granted: B, G, R, x."""

    red: int = 2
    green: int = 1
    blue: int = 0

    def pack(self) -> bytes:
        """The 16 bytes of ServerInit: 32 bits, depth 24, little-endian, true colour."""
        return _PIXEL_FORMAT.pack(32, 24, 0, 1, 255, 255, 255, self.red * 8, self.green * 8, self.blue * 8)


def read_pixel_format(data: bytes) -> PixelFormat:
    """What SetPixelFormat asks for; WireError for less than true colour in 32 bits."""
    bits, _, is_big, is_true, *values = _PIXEL_FORMAT.unpack(data)
    most, shifts = values[:3], values[3:]
    if bits != 32 or not is_true or set(most) != {255} or len(set(shifts) & set(_BYTES_OF_CHANNEL)) != 3:
        raise WireError("only 32 bits of true colour are served")
    red, green, blue = ((24 - shift if is_big else shift) // 8 for shift in shifts)
    return PixelFormat(red, green, blue)


def server_init(width: int, height: int, name: str) -> bytes:
    """Size, pixel format and name of the screen."""
    encoded = name.encode()
    return struct.pack(">HH", width, height) + PixelFormat().pack() + struct.pack(">I", len(encoded)) + encoded


def server_caps(caps: int) -> bytes:
    """What the console understands."""
    return struct.pack(">BBHI", VMWARE, 0, 8, caps)


def heartbeat(within_s: int) -> bytes:
    """A sign of life; the next one comes within so many seconds."""
    return struct.pack(">BBHH", VMWARE, VM_HEARTBEAT, 6, within_s)


def update(rectangles: list[bytes]) -> bytes:
    """A FramebufferUpdate.

    The padding is 1: WMKS copies it into its next request as "incremental" and would ask for everything ever again.
    """
    return struct.pack(">BBH", 0, 1, len(rectangles)) + b"".join(rectangles)


def rectangle(box: tuple[int, int, int, int], encoding: int, body: bytes = b"") -> bytes:
    """One rectangle: x, y, width, height."""
    return struct.pack(">HHHHi", *box, encoding) + body


def png(file: bytes) -> bytes:
    """The body of a TightPNG rectangle that is a PNG file."""
    return _PNG + compact_length(len(file)) + file


def fill(colour: tuple[int, int, int]) -> bytes:
    """The body of a TightPNG rectangle of one colour."""
    return _FILL + bytes(colour)


def compact_length(length: int) -> bytes:
    """One to three bytes: 7, 7 and 8 bits, the low ones first, with a bit for "more"."""
    if length < 1 << 7:
        return bytes([length])
    if length < 1 << 14:
        return bytes([length & 0x7F | 0x80, length >> 7])
    if length < 1 << 22:
        return bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
    raise ValueError(f"{length} bytes do not fit into a rectangle")
