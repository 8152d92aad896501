"""A server on loopback that does to each connection what a script says, below HTTP if need be."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

from app.vcloud import Client, Limits, Login, Session
from tests.vcloud.support import HASTY, fixture

DOCUMENT = fixture("vm-5.5").encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.vmware.vcloud.vm+xml\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(DOCUMENT), DOCUMENT)
Script = Callable[[socket.socket, threading.Event], None]


class Server:
    """Accepts connections on loopback and does to each what the script says."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.requests: list[bytes] = []
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}/api"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self._tls is None:
            self.requests.append(connection.recv(65536))
            self._script(connection, self._over)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secured:
            self.requests.append(secured.recv(65536))
            self._script(secured, self._over)

    def close(self) -> None:
        self._over.set()
        with socket.create_connection(self._listener.getsockname()):
            pass
        self._thread.join()
        self._listener.close()


def client_of(server: Server, *, answer_s: float = 0.3) -> Client:
    session = Session("token-1", "vcloud", "5.5")
    limits = Limits(connect_s=1.0, answer_s=answer_s, call_s=30.0)
    return Client(server.url, Login("acme", "u", "p"), session=session, limits=limits, timer=HASTY)


def say(*parts: bytes) -> Script:
    def script(connection: socket.socket, _: threading.Event) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def drip(before: bytes, after: bytes) -> Script:
    """Say `before` at once and then a byte of `after` every 20 ms, so that no single read ever times out."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        for byte in after:
            if over.wait(0.02):
                return
            connection.sendall(bytes([byte]))

    return script


def silence(connection: socket.socket, over: threading.Event) -> None:
    connection.settimeout(0.05)
    while not over.is_set():
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue
