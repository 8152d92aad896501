"""A line to a vCloud that misbehaves as told: a proxy on loopback that answers some requests in its own way."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKENS = "authorization", "x-vcloud-authorization", "x-vmware-vcloud-access-token", "cookie"
HOP = {"connection", "content-length", "transfer-encoding", "date", "server"}
NAMESPACE = "http://www.vmware.com/vcloud/v1.5"


@dataclass
class Reply:
    """What the vCloud behind answered."""

    status: int
    headers: dict[str, str]
    body: bytes


Act = Callable[["Line", Reply], None]


@dataclass
class Fault:
    """Requests whose "METHOD path" holds one of `where` are answered by `act`: the first `times`, or all.

    A client arms it with PUT /arm once it has prepared itself. What is `unheard` never reaches the vCloud behind.
    """

    where: tuple[str, ...]
    act: Act
    times: int | None = None
    unheard: bool = False
    hits: int = 0
    armed: bool = False

    def takes(self, request: str) -> bool:
        """Whether this request is to be spoiled; counts it."""
        if not self.armed or self.hits == self.times or not any(part in request for part in self.where):
            return False
        self.hits += 1
        return True


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `behind`; `leaks` counts those to the foreign host that carried a token."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.behind = urlsplit(behind).netloc
        self.fault: Fault | None = None
        self.over = threading.Event()
        self.foreign = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
        self.foreign.leaks = 0  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.elsewhere = f"http://127.0.0.1:{self.foreign.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing: broken lines are what this is for."""


class Line(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def answer(self) -> None:
        """Pass the request on, and spoil the answer if that is wanted."""
        fault = self.server.fault
        if fault and self.path == "/arm":
            fault.armed = True
            self.say(Reply(204, {}, b""))
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        spoiled = fault and fault.takes(f"{self.command} {self.path}")
        reply = Reply(0, {}, b"") if fault and spoiled and fault.unheard else self._ask(body)
        if fault and spoiled:
            fault.act(self, reply)
        else:
            self.say(reply)

    def _ask(self, body: bytes) -> Reply:
        behind = http.client.HTTPConnection(self.server.behind, timeout=60)
        behind.request(self.command, self.path, body, dict(self.headers))
        said = behind.getresponse()
        reply = Reply(said.status, {n: v for n, v in said.getheaders() if n.lower() not in HOP}, said.read())
        behind.close()
        return reply

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 -- names that the standard library looks for

    def say(self, reply: Reply) -> None:
        """Answer properly."""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Foreign(BaseHTTPRequestHandler):
    """A host that must never see a token."""

    def do_GET(self) -> None:
        """Note a token and answer nothing of use."""
        self.server.leaks += any(name in self.headers for name in TOKENS)  # type: ignore[attr-defined]
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """Serve until left."""
    server = Proxy(behind)
    for one in (server, server.foreign):
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        for one in (server, server.foreign):
            one.shutdown()
            one.server_close()


# Ways to spoil an answer


def say(status: int, body: str | bytes = b"", **headers: str) -> Act:
    """Answer this instead."""
    content = body if isinstance(body, bytes) else body.encode()
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda line, _: line.say(Reply(status, said, content))


def refuse(status: int, minor_code: str, message: str = "no") -> Act:
    """Answer vCloud's own error."""
    error = f'<Error xmlns="{NAMESPACE}" majorErrorCode="{status}" minorErrorCode="{minor_code}" message="{message}"/>'
    return say(status, error, Content_Type="application/vnd.vmware.vcloud.error+xml")


def edit(change: Callable[[bytes, "Line"], bytes]) -> Act:
    """Answer the truth, changed."""
    return lambda line, reply: line.say(Reply(reply.status, reply.headers, change(reply.body, line)))


def silence(line: Line, _: Reply) -> None:
    """Answer nothing."""
    line.server.over.wait(60)
    line.close_connection = True


def drip(line: Line, reply: Reply) -> None:
    """Answer one byte a second."""
    head = f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode()
    for byte in head + reply.body:
        line.wfile.write(bytes([byte]))
        if line.server.over.wait(1):
            break
    line.close_connection = True


def flood(line: Line, _: Reply) -> None:
    """Answer 600 MB."""
    line.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 629145600\r\n\r\n<a>")
    for _number in range(600):
        line.wfile.write(b"<b/>" * (2**20 // 4))
    line.close_connection = True


def cut(line: Line, reply: Reply) -> None:
    """Answer the first half."""
    head = f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode()
    line.wfile.write(head + reply.body[: len(reply.body) // 2])
    line.close_connection = True


def reset(line: Line, _: Reply) -> None:
    """Reset the connection; what was asked has been done."""
    line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.connection.close()
    line.close_connection = True


def redirect(line: Line, _: Reply) -> None:
    """Send to the foreign host."""
    line.say(Reply(302, {"Location": line.server.elsewhere + line.path}, b""))
