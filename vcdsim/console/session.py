"""One connection: the handshake, the client's messages, updates when asked for and only of what changed."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

from vcdsim.console import options, tiles, wire
from vcdsim.console.guest import Guest
from vcdsim.console.movie import Movie
from vcdsim.console.options import ConsoleOptions
from vcdsim.console.stream import Stream
from vcdsim.console.tickets import Ticket
from vcdsim.console.tiles import Box, Content, Tile
from vcdsim.console.wire import PixelFormat, WireError

_HANDSHAKE_S = 15.0
#: How often a sign of life is sent, and how often the client is told that it will be.
_BEAT_EVERY_S, _BEAT_SAID_S = 60.0, 120
_MOST_ENCODINGS = 1024
_MOST_CUT_TEXT = 1 << 20


@dataclass
class _View:
    """What this client has been shown, and what it can be shown."""

    encodings: frozenset[int] = frozenset()
    pixel_format: PixelFormat = field(default_factory=PixelFormat)
    size: tuple[int, int] = (0, 0)
    locks: int | None = None
    shown: dict[Box, Content] = field(default_factory=dict)
    #: It has asked since the last update.
    is_asked: bool = False
    #: The client asked for everything, not for what changed.
    is_full: bool = False


class PoweredOffError(Exception):
    """There is nothing more to be seen."""


class Session:
    """Speaks RFB over one stream until the stream ends."""

    def __init__(self, stream: Stream, guest: Guest, ticket: Ticket, chosen: ConsoleOptions) -> None:
        self._stream = stream
        self._guest = guest
        self._ticket = ticket
        self._options = chosen
        self._view = _View()
        movie_s = chosen.movie_updates_s
        self._movie = Movie(movie_s, chosen.movie_bytes) if movie_s else None
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Handshake, then both directions; ends with the exception that ended one of them."""
        async with asyncio.timeout(_HANDSHAKE_S):
            await self._shake_hands()
        self._guest.viewers.add(self._wake.set)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._show())
                group.create_task(self._beat())
                if self._movie is not None:
                    group.create_task(self._play(self._movie))
        finally:
            self._guest.viewers.discard(self._wake.set)

    async def _shake_hands(self) -> None:
        stream, guest = self._stream, self._guest
        if self._ticket.vmx:
            await stream.send(wire.VMX_GREETING)
            if await stream.take_text() not in _spellings(self._ticket.vmx):
                raise WireError("the vmx path is not that of the ticket")
        if self._options.is_rfb_spoken:
            await stream.send(wire.RFB_VERSION)
            if await stream.take(len(wire.RFB_VERSION)) != wire.RFB_VERSION:
                raise WireError("only RFB 3.8 is spoken")
            await stream.send(wire.SECURITY_TYPES)
            if await stream.take(1) != wire.SECURITY_TYPES[1:]:
                raise WireError("only security type 1, none, is offered")
            await stream.send(wire.SECURITY_OK)
            await stream.take(1)
        self._view.size = (guest.width, guest.height)
        await stream.send(wire.server_init(guest.width, guest.height, guest.facts.name))

    # --- from the client

    async def _read(self) -> None:
        while True:
            (kind,) = await self._stream.take(1)
            await self._take_message(kind)

    async def _take_message(self, kind: int) -> None:
        take = self._stream.take
        if kind == wire.UPDATE_REQUEST:
            self._ask(is_full=not (await take(9))[0])
        elif kind == wire.VMWARE:
            sub, length = struct.unpack(">BH", await take(3))
            if length < 4:
                raise WireError(f"a message of VMware's of {length} bytes")
            await self._take_vmware(sub, await take(length - 4))
        elif kind == wire.KEY_EVENT:
            is_down, symbol = struct.unpack(">?xxI", await take(7))
            self._key(f"keysym {symbol}", self._guest.keyboard.keysym(symbol, is_down=is_down), is_down=is_down)
        elif kind == wire.POINTER_EVENT:
            buttons, x, y = struct.unpack(">BHH", await take(5))
            self._guest.point(buttons, x, y)
        elif kind == wire.SET_ENCODINGS:
            (count,) = struct.unpack(">xH", await take(3))
            await self._set_encodings(struct.unpack(f">{count}i", await take(4 * min(count, _MOST_ENCODINGS))))
        elif kind == wire.SET_PIXEL_FORMAT:
            self._view.pixel_format = wire.read_pixel_format((await take(19))[3:])
        elif kind == wire.CUT_TEXT:
            (length,) = struct.unpack(">3xi", await take(7))
            await take(min(abs(length), _MOST_CUT_TEXT))
        elif kind == wire.CONTINUOUS_UPDATES:
            await take(9)
        else:
            raise WireError(f"there is no message {kind}")

    async def _take_vmware(self, sub: int, body: bytes) -> None:
        guest = self._guest
        if sub == wire.VM_KEY:
            code, is_down = struct.unpack(">H?x", body)
            self._key(f"scan {code}", guest.keyboard.scan(code, is_down=is_down), is_down=is_down)
        elif sub == wire.VM_UNICODE_KEY:
            code, is_down, is_js = struct.unpack(">I??", body)
            self._key(
                f"{'js' if is_js else 'unicode'} {code}",
                guest.keyboard.key(code, is_down=is_down, is_js=is_js),
                is_down=is_down,
            )
        elif sub == wire.VM_RESOLUTION:
            guest.resize(*struct.unpack(">HH", body))
        elif sub == wire.VM_UPDATE_ACK:
            self._ask(is_full=False)
        elif sub == wire.VM_CLIENT_CAPS:
            guest.note("client caps", body.hex())

    def _key(self, what: str, typed: str | None, *, is_down: bool) -> None:
        self._guest.note("key", f"{what} {'down' if is_down else 'up'}")
        self._guest.press(typed)

    async def _set_encodings(self, encodings: tuple[int, ...]) -> None:
        self._view.encodings = frozenset(encodings)
        if wire.SERVER_CAPS in encodings:
            await self._stream.send(wire.server_caps(self._options.caps))

    def _ask(self, *, is_full: bool) -> None:
        self._view.is_asked = True
        self._view.is_full = self._view.is_full or is_full
        self._wake.set()

    # --- to the client

    async def _show(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._guest.is_off:
                raise PoweredOffError
            rectangles = self._news() if self._view.is_asked else []
            if rectangles:
                self._view.is_asked = self._view.is_full = False
                await self._stream.send(wire.update(rectangles))

    def _news(self) -> list[bytes]:
        """What the client has not been shown yet: its size, the lock keys, tiles."""
        view, guest = self._view, self._guest
        news = []
        if view.size != (guest.width, guest.height) and wire.DESKTOP_SIZE in view.encodings:
            view.size = (guest.width, guest.height)
            view.shown.clear()
            news.append(wire.rectangle((0, 0, *view.size), wire.DESKTOP_SIZE))
        if view.locks != guest.keyboard.locks and wire.LED_STATE in view.encodings:
            view.locks = guest.keyboard.locks
            news.append(wire.rectangle((0, 0, 0, 0), wire.LED_STATE, struct.pack(">I", view.locks)))
        if self._movie is not None:
            return news + self._movie.news()
        if view.is_full:
            view.shown.clear()
        screen = guest.tiles(view.size)
        new = [tile for tile in screen if view.shown.get(tile.box) != tile.content]
        view.shown = dict(screen)
        return news + [self._encode(tile) for tile in new]

    def _encode(self, tile: Tile) -> bytes:
        if self._options.encoding == options.TIGHT and wire.TIGHT_PNG in self._view.encodings:
            return tiles.as_tight(tile)
        return tiles.as_raw(tile, self._view.pixel_format)

    async def _play(self, movie: Movie) -> None:
        while True:
            self._wake.set()
            await asyncio.sleep(movie.next_in_s())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_EVERY_S)
            if wire.SERVER_CAPS in self._view.encodings:
                await self._stream.send(wire.heartbeat(_BEAT_SAID_S))


def _spellings(path: str) -> tuple[str, str]:
    """A vmx path, and what WMKS makes of it in binary frames: the low byte of each unit of UTF-16."""
    return path, path.encode("utf-16-le")[::2].decode("latin-1")
