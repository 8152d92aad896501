"""Both ends of the consoles of `bench.console`, each in a process of its own: cells that send, browsers that look.

An update is one WebSocket message that begins with the moment for which it was planned, in nanoseconds of the
monotonic clock, which all processes of a machine share. So an update that a cell sends late, because somebody before it
did not read, is late for its browser as well. Browsers ask after each update for the next, as WMKS does; cells count
that and do not wait for it, or a slow way would hide behind fewer updates.
"""

import random
import selectors
import socket
import ssl
import struct
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from websockets.utils import accept_key

UPDATE_BYTES, UPDATES_S = 20 * 1024, 10
REQUEST = struct.pack(">BBI10s", 0x82, 0x80 | 10, 0, b"\3\1" + bytes(8))
"""What a browser sends to ask for more, under a mask of zeros."""
DRAIN_S = 15.0
_READ_BYTES = 256 * 1024
_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
)
_PING, _CLOSE = 9, 8


@dataclass(frozen=True)
class Played:
    """What the cells did: when they began, in ns, and how many updates they sent and were asked for."""

    begun_ns: int
    sent: int
    asked: int


@dataclass(frozen=True)
class Seen:
    """What the browsers saw: when the last update was there, how late each was, in ns; how many consoles closed."""

    last_ns: int
    late_ns: "array[int]"
    closed: int


@dataclass(frozen=True)
class Way:
    """Where browsers go: port on this machine, paths, and headers; `ca_file` where they speak TLS."""

    port: int
    paths: list[str]
    headers: dict[str, str] = field(default_factory=dict)
    ca_file: Path | None = None


# ---- Cells ---------------------------------------------------------------------------------------------------------


def cells(orders: Connection, certificate: Path) -> None:
    """Serve consoles over TLS; an order is (prefix of the tickets, seconds) and is answered with `Played`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name(f"{certificate.name}.key"))
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        orders.send(door.getsockname()[1])
        consoles: dict[str, list[ssl.SSLSocket]] = {}
        while True:
            ready = wait([door, orders])
            if door in ready:
                console = context.wrap_socket(door.accept()[0], server_side=True)
                prefix = _upgrade(console).partition("-")[0]
                consoles.setdefault(prefix, []).append(console)
            if orders in ready:
                prefix, seconds = orders.recv()
                orders.send(_play(consoles[prefix], seconds))


def _upgrade(console: ssl.SSLSocket) -> str:
    """Answer the request; its ticket."""
    console.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = _head(console).decode()
    key = next(line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key:"))
    console.sendall(_ACCEPT % accept_key(key.partition(":")[2].strip()).encode())
    return head.split(" ")[1].partition(";")[2]


def _play(consoles: list[ssl.SSLSocket], seconds: int) -> Played:
    """Each console has its own moment in every tenth of a second, the same whichever way it is reached."""
    random_ = random.Random(len(consoles))
    every_ns = 1_000_000_000 // UPDATES_S
    parts = sorted(((random_.randrange(every_ns), one) for one in consoles), key=lambda part: part[0])
    noise = random_.randbytes(UPDATE_BYTES - 8)
    head = struct.pack(">BBH", 0x82, 126, UPDATE_BYTES)
    asked_bytes = sent = 0
    with selectors.EpollSelector() as asking:
        for one in consoles:
            asking.register(one, selectors.EVENT_READ, one)
        begun_ns = time.monotonic_ns() + 100_000_000
        for number in range(seconds * UPDATES_S):
            for part_ns, console in parts:
                due_ns = begun_ns + number * every_ns + part_ns
                time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
                with suppress(OSError):  # the browsers know which consoles were closed
                    console.sendall(b"".join((head, due_ns.to_bytes(8, "big"), noise)))
                sent += 1
                if sent % 20 == 0:
                    asked_bytes += _asked_bytes(asking, 0)
        while asked_bytes < sent * len(REQUEST) and (more := _asked_bytes(asking, 2)):
            asked_bytes += more
    return Played(begun_ns, sent, asked_bytes // len(REQUEST))


def _asked_bytes(asking: selectors.BaseSelector, patience_s: float) -> int:
    size = 0
    for key, _ in asking.select(patience_s):
        data = b""
        with suppress(OSError):
            data = key.data.recv(_READ_BYTES)
        if not data:
            asking.unregister(key.fileobj)
        size += len(data)
    return size


# ---- Browsers ------------------------------------------------------------------------------------------------------


def browsers(orders: Connection) -> None:
    """Look at consoles. An order is a way to open, answered with the seconds that took, or a number of updates.

    Such a number is answered with `Seen` as soon as so many have come since the last time, or nothing comes any more.
    """
    with selectors.EpollSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        late_ns: array[int] = array("q")
        wanted, last_ns, closed = None, time.monotonic_ns(), 0
        while True:
            for key, _ in selector.select(0.1):
                if key.fileobj is orders:
                    wanted = _obey(orders, selector)
                elif key.data.read(late_ns):
                    last_ns = time.monotonic_ns()
                else:
                    selector.unregister(key.fileobj)
                    closed += 1
            is_over = time.monotonic_ns() - last_ns > DRAIN_S * 1_000_000_000
            if wanted is not None and (len(late_ns) >= wanted or is_over):
                orders.send(Seen(last_ns, late_ns, closed))
                late_ns, wanted, closed = array("q"), None, 0


def _obey(orders: Connection, selector: selectors.BaseSelector) -> int | None:
    """Open a way, or learn how many updates are waited for."""
    order: Way | int = orders.recv()
    if isinstance(order, int):
        return order
    orders.send(_open(order, selector))
    return None


def _open(way: Way, selector: selectors.BaseSelector) -> float:
    """Open its consoles one after the other."""
    begun = time.monotonic()
    context = ssl.create_default_context(cafile=way.ca_file) if way.ca_file else None
    for path in way.paths:
        line = socket.create_connection(("127.0.0.1", way.port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            line = context.wrap_socket(line, server_hostname="localhost")
        headers = {
            "Host": "localhost",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": "binary, vmware-vvc, uint8utf8",
            **way.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        answer = _head(line)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        line.setblocking(False)
        selector.register(line, selectors.EVENT_READ, Screen(line))
    return time.monotonic() - begun


class Screen:
    """One console in a browser: takes messages apart, and asks for more."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._held = bytearray()
        self._due_ns = 0

    def read(self, late_ns: "array[int]") -> bool:
        """Take what has come, and note how late each update is that is now complete; False once it is closed."""
        while True:
            try:
                data = self._line.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return True
            except OSError:
                return False
            self._held += data
            while (frame := self._frame()) is not None:
                kind, is_last, body = frame
                if kind == _CLOSE:
                    return False
                if kind == _PING:
                    self._say(bytes((0x8A, 0x80 | len(body), 0, 0, 0, 0)) + body)
                    continue
                if kind != 0:
                    self._due_ns = int.from_bytes(body[:8], "big")
                if is_last:
                    late_ns.append(time.monotonic_ns() - self._due_ns)
                    self._say(REQUEST)
            if not data:
                return False

    def _say(self, data: bytes) -> None:
        with suppress(OSError):  # what does not get away is missed by the cells, and a closed line is seen by reading
            self._line.send(data)

    def _frame(self) -> tuple[int, bool, bytes] | None:
        """The next frame if it is complete: its opcode, whether its message ends with it, and what it holds."""
        held = self._held
        if len(held) < 4:
            return None
        start, size = 2, held[1]
        if size == 126:
            start, size = 4, int.from_bytes(held[2:4], "big")
        elif size == 127:
            start, size = 10, int.from_bytes(held[2:10], "big")
        if len(held) < start + size:
            return None
        opcode, is_last, body = held[0] & 15, bool(held[0] & 0x80), bytes(held[start : start + size])
        del held[: start + size]
        return opcode, is_last, body


def _head(line: socket.socket) -> bytes:
    """What stands before the first message; nothing comes after it before we answer, or before cells are told to."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = line.recv(1)
        assert data, head
        head += data
    return head
