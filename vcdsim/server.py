"""The HTTP server: standard library, one thread per connection, keep-alive, cut lines."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from vcdsim.api import Answer

Handle = Callable[[str, str, Mapping[str, str], bytes], Answer]
ControlHandle = Callable[[str, str, bytes], Answer]
MOST_BODY_BYTES = 16 * 2**20
IDLE_CONNECTION_S = 120


class Server(ThreadingHTTPServer):
    """Serves `handle` on host and port (0 picks a free one) until `shutdown()`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Handle, control: ControlHandle | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Connection)
        self.handle = handle
        self.control = control
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; the loopback address also when it listens on all."""
        host, port = str(self.server_address[0]), int(self.server_address[1])
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  it is no address to listen on
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then let a thread serve it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end, then forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.discard(request)

    def stop(self) -> None:
        """Stop listening and cut the connections that clients keep open."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _is_own(host: str) -> bool:
    """True for an address of this machine or `localhost`, with any port."""
    try:
        name = urlsplit(f"//{host}").hostname
        return name == "localhost" or ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "vcdsim"
    sys_version = ""
    timeout = IDLE_CONNECTION_S
    # One packet per answer: without it Nagle and delayed acknowledgements cost 40 ms a request.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        control = self.server.control
        if control is not None and self._is_control():
            answer = control(self.command, self.path, body)
        else:
            answer = self.server.handle(self.command, self.path, dict(self.headers.items()), body)
        if answer.delay_s:
            time.sleep(answer.delay_s)
        if answer.is_cut:
            self._cut()
            return
        self._send(answer)

    def _is_control(self) -> bool:
        """A request under `/vcdsim/` from this machine, not made by a web page somebody looks at.

        A page whose name leads here (DNS rebinding) sends no `Origin`, but its own name as `Host`.
        """
        return (
            (self.path == "/vcdsim" or self.path.startswith("/vcdsim/"))
            and ipaddress.ip_address(self.client_address[0]).is_loopback
            and "Origin" not in self.headers
            and _is_own(self.headers.get("Host", ""))
        )

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = answer.body if answer.cut_after is None else answer.body[: answer.cut_after]
        if answer.drip_bytes_s is None:
            self.wfile.write(body)
        else:
            self._drip(body, answer.drip_bytes_s)
        if answer.cut_after is not None:
            self.wfile.flush()
            self._cut()

    def _drip(self, body: bytes, bytes_per_s: int) -> None:
        """Ten portions a second, or one byte at a time when that is already too much."""
        portion = max(1, bytes_per_s // 10)
        for start in range(0, len(body), portion):
            self.wfile.write(body[start : start + portion])
            self.wfile.flush()
            time.sleep(portion / max(1, bytes_per_s))

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _body(self) -> bytes | None:
        """The request body; None when the request was refused for its length or form."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MOST_BODY_BYTES:
            self._refuse(413 if length > 0 else 400)
            return None
        return self.rfile.read(length)

    def _chunks(self) -> bytes | None:
        taken = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(32).split(b";")[0], 16)
            except ValueError:
                size = -1
            if not 0 <= size <= MOST_BODY_BYTES - len(taken):
                self._refuse(413 if size > 0 else 400)
                return None
            taken += self.rfile.read(size)
            self.rfile.readline(2)
            if size == 0:
                return bytes(taken)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  names the base class looks for
    do_HEAD = do_PATCH = do_OPTIONS = do_TRACE = _serve  # noqa: N815  vCloud serves none, and says so

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is not even HTTP gets no page of Python's."""
        self._refuse(code)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name for it
        """Silence: who wants a trace reads `Simulator.requests`."""
