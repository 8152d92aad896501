"""A client of the console for tests: it shakes hands, presses keys, and reads the text off the picture."""

from __future__ import annotations

import functools
import io
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.vcdsim.talk import Talk, text
from vcdsim import Simulator

TIMEOUT_S = 10.0
RAW, TIGHT_PNG, DESKTOP_SIZE, LED_STATE, SERVER_CAPS = 0, -260, -223, 0x574D5668, 0x574D567A
EVERYTHING = (TIGHT_PNG, DESKTOP_SIZE, LED_STATE, SERVER_CAPS)
OFFERED = ("binary", "vmware-vvc", "uint8utf8")
SHIFT, CTRL, ALT, DELETE, CAPS_LOCK, NUM_LOCK, ENTER = 42, 29, 56, 339, 58, 69, 28

_ROWS = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (43, "\\zxcvbnm,./"), (57, " "))
_CODES = {letter: first + place for first, row in _ROWS for place, letter in enumerate(row)} | {"\n": ENTER, "\t": 15}
_SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`", strict=True))
_CELL = (7, 12)


@dataclass
class Ticket:
    """What acquireMksTicket answered."""

    host: str
    vmx: str
    ticket: str
    port: str

    @property
    def path(self) -> str:
        """That of the address."""
        return f"/{self.port};{self.ticket}"


def ticket_for(talk: Talk, name: str) -> Ticket:
    """A ticket for the VM of that name."""
    reply = talk.send("POST", f"{talk.vm(name)}/screen/action/acquireMksTicket")
    assert reply.status == 200, reply.body
    return Ticket(*(text(reply.root, f"v:{one}") for one in ("Host", "Vmx", "Ticket", "Port")))


@contextmanager
def upgraded(sim: Simulator, ticket: Ticket, offered: Sequence[str] = OFFERED) -> Iterator[ClientConnection]:
    """A WebSocket before its first byte; verified TLS where TLS is served."""
    trusted = sim.console.certificate
    tls = ssl.create_default_context(cafile=trusted) if trusted else None
    address = f"{'wss' if tls else 'ws'}://{ticket.host}{ticket.path}"
    names = [Subprotocol(one) for one in offered]
    with connect(address, ssl=tls, subprotocols=names, compression=None, proxy=None, open_timeout=TIMEOUT_S) as socket:
        yield socket


@contextmanager
def viewing(talk: Talk, name: str, encodings: Sequence[int] = EVERYTHING) -> Iterator[Viewer]:
    """The console of the VM of that name, from a fresh ticket to the first request."""
    ticket = ticket_for(talk, name)
    with upgraded(talk.sim, ticket) as socket:
        viewer = Viewer(socket)
        viewer.shake_hands(ticket.vmx)
        viewer.accept(encodings)
        viewer.ask(is_full=True)
        yield viewer


class Viewer:
    """One console. `screen` is what a person would see."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.screen = Image.new("RGB", (1, 1))
        self.locks: int | None = None
        self.caps: int | None = None
        self.raw_order = "BGRX"
        self._unread = b""

    def send(self, data: bytes) -> None:
        """Bytes, in the framing that was agreed on."""
        self.socket.send(data.decode("latin-1") if self.socket.subprotocol == "uint8utf8" else data)

    def message(self) -> bytes:
        """One whole message of the WebSocket."""
        got = self.socket.recv(TIMEOUT_S)
        return got if isinstance(got, bytes) else got.encode("latin-1")

    def take(self, count: int) -> bytes:
        """So many bytes, in however many messages."""
        while len(self._unread) < count:
            self._unread += self.message()
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    def shake_hands(self, vmx: str) -> None:
        """As console.md 4.2 has it, byte by byte."""
        if vmx:
            assert self.message() == b"connect info vmx\n"
            self.socket.send(vmx)
        assert self.message() == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        assert self.take(2) == b"\x01\x01"
        self.send(b"\x01")
        assert self.take(4) == b"\0\0\0\0"
        self.send(b"\x01")
        self.server_init()

    def server_init(self) -> str:
        """The size of the screen comes with it; gives its name."""
        width, height, form, length = struct.unpack(">HH16sI", self.take(24))
        assert form == bytes.fromhex("20180001 00ff 00ff 00ff 10 08 00 000000")
        self.screen = Image.new("RGB", (width, height))
        return self.take(length).decode()

    def accept(self, encodings: Sequence[int]) -> None:
        """SetEncodings."""
        self.send(struct.pack(f">BBH{len(encodings)}i", 2, 0, len(encodings), *encodings))

    def ask(self, *, is_full: bool = False) -> None:
        """A FramebufferUpdateRequest."""
        self.send(struct.pack(">BBHHHH", 3, not is_full, 0, 0, *self.screen.size))

    def key(self, code: int, *, is_down: bool) -> None:
        """One scan code."""
        self.send(struct.pack(">BBHH?x", 127, 0, 8, code, is_down))

    def closed(self) -> tuple[int, str]:
        """Read to the end; the code and the reason."""
        try:
            while True:
                self.message()
        except ConnectionClosed:
            assert self.socket.close_code is not None
            return self.socket.close_code, self.socket.close_reason or ""

    def press(self, *codes: int) -> None:
        """Keys held together."""
        for code in codes:
            self.key(code, is_down=True)
        for code in codes:
            self.key(code, is_down=False)

    def type(self, words: str) -> None:
        """As a person does on a US keyboard."""
        for letter in words:
            plain = _SHIFTED.get(letter, letter.lower())
            self.press(*([SHIFT] if plain != letter else []), _CODES[plain])

    def update(self, *, asking: bool = True) -> list[int]:
        """Wait for the next update, paint it, ask for another; gives the encodings of its rectangles."""
        while (kind := self.take(1)[0]) != 0:
            self._aside(kind)
        padding, count = struct.unpack(">BH", self.take(3))
        assert padding == 1
        encodings = [self._rectangle() for _ in range(count)]
        if asking:
            self.ask()
        return encodings

    def until(self, words: str) -> str:
        """Take updates until these words can be read; gives the whole screen."""
        while words not in (seen := self.text()):
            try:
                self.update()
            except TimeoutError:
                raise AssertionError(f"{words!r} is not to be read:\n{seen}") from None
        return seen

    def text(self) -> str:
        """What can be read on the screen, line by line."""
        columns, rows = self.screen.width // (2 * _CELL[0]), self.screen.height // (2 * _CELL[1])
        small = self.screen.resize((self.screen.width // 2, self.screen.height // 2), Image.Resampling.NEAREST)
        sharp = small.convert("L").point(lambda value: 255 if value > 60 else 0)
        lines = ("".join(_letter(sharp, column, row) for column in range(columns)) for row in range(rows))
        return "\n".join(line.rstrip() for line in lines)

    def _aside(self, kind: int) -> None:
        assert kind == 127, kind
        sub, length = struct.unpack(">BH", self.take(3))
        body = self.take(length - 4)
        if sub == 0:
            (self.caps,) = struct.unpack(">I", body)

    def _rectangle(self) -> int:
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.take(12))
        if encoding == DESKTOP_SIZE:
            self.screen = Image.new("RGB", (width, height))
        elif encoding == LED_STATE:
            (self.locks,) = struct.unpack(">I", self.take(4))
        elif encoding == RAW:
            pixels = Image.frombytes("RGB", (width, height), self.take(width * height * 4), "raw", self.raw_order)
            self.screen.paste(pixels, (x, y))
        else:
            assert encoding == TIGHT_PNG
            self._tight((x, y, x + width, y + height))
        return int(encoding)

    def _tight(self, box: tuple[int, int, int, int]) -> None:
        control = self.take(1)[0]
        if control == 0x80:
            self.screen.paste(tuple(self.take(3)), box)
            return
        assert control == 0xA0
        with Image.open(io.BytesIO(self.take(self.compact_length()))) as picture:
            assert picture.format == "PNG"
            self.screen.paste(picture, box)

    def compact_length(self) -> int:
        """How long the picture is that follows."""
        length = 0
        for shift in (0, 7, 14):
            byte = self.take(1)[0]
            length |= (byte & (0xFF if shift == 14 else 0x7F)) << shift
            if byte < 0x80:
                break
        return length


def _letter(screen: Image.Image, column: int, row: int) -> str:
    left, top = column * _CELL[0], row * _CELL[1]
    return _alphabet().get(screen.crop((left, top, left + _CELL[0], top + _CELL[1])).tobytes(), "█")


@functools.cache
def _alphabet() -> dict[bytes, str]:
    """Pictures of letters in Pillow's built-in font."""
    found = {}
    for letter in map(chr, range(126, 31, -1)):
        cell = Image.new("L", _CELL)
        ImageDraw.Draw(cell).text((-5, 0), f" {letter}", font=ImageFont.load_default_imagefont(), fill=255)
        found[cell.tobytes()] = letter
    return found
