"""Bodies that want to cost memory or time, served over real HTTP; as a program, the client that asks for each of them.

    python -m tests.vcloud.hostile URL

It prints as JSON what became of each body: the class of the error, the peak of the process's memory in MB (which only
ever grows) and seconds.
"""

import json
import resource
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from app.vcloud import Client, Login, Session, VcloudError
from tests.vcloud.support import HASTY, NAMESPACE, VM

MB = 2**20
VM_START = f'<Vm xmlns="{NAMESPACE}" id="{VM}" name="x"'.encode()
Body = Callable[[], Iterator[bytes]]


def whole(*parts: bytes | tuple[bytes, int]) -> Body:
    """Return a body of these parts, a pair being repeated; it is only built when it is asked for."""
    return lambda: iter([b"".join(part if isinstance(part, bytes) else part[0] * part[1] for part in parts)])


def entities(levels: int, each: int) -> bytes:
    """Return a document that swells to each ** levels."""
    defined = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * each}">' for n in range(1, levels))
    return f'<!DOCTYPE Vm [<!ENTITY e0 "lol">{defined}]><Vm xmlns="{NAMESPACE}">&e{levels - 1};</Vm>'.encode()


def numbered(pattern: bytes, count: int) -> Iterator[bytes]:
    """Yield a VM with that many attributes, which is then cut short."""
    yield VM_START + b"".join(pattern % number for number in range(count)) + b"><Vm>"


def flood() -> Iterator[bytes]:
    for _ in range(600):
        yield b"<a>" * (MB // 3)


def swelling() -> Iterator[bytes]:
    """Yield 600 MB of white space, compressed to half a MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield from (packed for _ in range(600) if (packed := packer.compress(b" " * MB)))
    yield packer.flush()


QUADRATIC = f'<!DOCTYPE Vm [<!ENTITY a "{"a" * 50_000}">]><Vm xmlns="{NAMESPACE}">'.encode()
FILE = f'<!DOCTYPE Vm [<!ENTITY a SYSTEM "file:///etc/passwd">]><Vm xmlns="{NAMESPACE}" name="&a;">'.encode()
BODIES: dict[str, Body] = {
    "billion laughs": lambda: iter([entities(10, 10)]),
    "quadratic entities": whole(QUADRATIC, (b"&a;", 50_000), b"</Vm>"),
    "external entity": whole(FILE, b"&a;</Vm>"),
    "external DTD": whole(b'<!DOCTYPE Vm SYSTEM "http://127.0.0.1:1/x.dtd">', VM_START, b"/>"),
    "a million levels": whole(VM_START, b">", (b"<a>", 1_000_000)),
    "three hundred levels": whole(VM_START, b">", (b"<a>", 300), (b"</a>", 300), b"</Vm>"),
    "200,000 attributes": lambda: numbered(b' a%d="1"', 200_000),
    "100,000 namespaces": lambda: numbered(b' xmlns:n%d="u"', 100_000),
    "an attribute of 7 MB": whole(VM_START, b' a="', (b"x", 7 * MB), b'">'),
    "a text of 7 MB": whole(VM_START, b">", (b"x", 7 * MB), b"</Vn>"),
    "400,000 elements": whole(VM_START, b">", (b"<a/>", 399_000), b"</Vn>"),
    "2 million elements": whole(VM_START, b">", (b"<a/>", 2_000_000), b"</Vm>"),
    "600 MB": flood,
    "600 MB compressed to 600 kB": swelling,
    "NUL": whole(VM_START, b"\x00/>"),
    "invalid UTF-8": whole(VM_START, b' d="\xff\xfe"/>'),
    "UTF-16": lambda: iter([(VM_START + b"/>").decode().encode("utf-16")]),
    "HTML": whole(b"<!doctype html><html><body><h1>502 Bad Gateway</h1><hr></body></html>"),
}


class Handler(BaseHTTPRequestHandler):
    """Answers /NUMBER/api/... with the body of that number."""

    def do_GET(self) -> None:
        name = list(BODIES)[int(self.path.split("/")[1])]
        self.send_response(200)
        if name.endswith("kB"):
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            for piece in BODIES[name]():
                self.wfile.write(piece)
        except OSError:  # the client has seen enough
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve() -> Iterator[str]:
    """Serve the bodies; gives the address without the number."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def peak_mb() -> float:
    """The peak of this program's memory. Not ru_maxrss: that one begins with what the parent had at the fork."""
    status = Path("/proc/self/status")
    if not status.exists():  # macOS, where a child begins at zero
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def main(url: str) -> None:
    """Ask for each body, with no pause between the attempts."""
    found: dict[str, tuple[str, float, float]] = {}
    for number, name in enumerate(BODIES):
        started, outcome, session = time.monotonic(), "a value", Session("t", "vcloud", "5.5")
        with Client(f"{url}/{number}", Login("a", "b", "c"), session=session, timer=HASTY) as client:
            try:
                client.vm(VM)
            except VcloudError as error:
                outcome = type(error).__name__
        found[name] = (outcome, round(peak_mb(), 1), round(time.monotonic() - started, 2))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
