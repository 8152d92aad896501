"""What relaying consoles costs: 200 of them at 10 updates of 20 KB a second each, by one process of the gateway.

    .venv/bin/python -m bench.console [CONSOLES]

In one run, over and over in turns: browsers that speak TLS to the cells themselves (the floor), through nginx, which
does the same as the gateway without its checks, and through the gateway. Relays speak verified TLS to the cells and
none to the browsers, as behind the nginx of an installation; all consoles of all ways are open all the time. Cells and
browsers are processes of their own (`console_ends.py`), so what they take is not in the figures of the relay, but on
two cores it is in the way of it; "others" is what the rest of the machine did meanwhile, to a tenth of a core: Linux
counts the whole by ticks and a process exactly, so it may be below zero.

An update is late by the time from the moment it was planned for until its last byte is in the browser's process;
"added" is what a way has more than the floor. Cores are seconds of CPU by seconds of wall, "us" that by update (and
the request for the next one that goes the other way). Memory of a console is what the process has more after playing
than before the first one was opened. The database is SQLite: the gateway asks it when a console is opened and every
five seconds who may stay. Exits with 1 and names each limit that is missed.
"""

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

import flask_migrate
from sqlalchemy import select

from app.accounts.models import UserSession
from app.cloud.console_seats import Seat
from app.cloud.models import Handler, Vm
from app.db import db, transaction
from app.factory import create_app
from bench import console_ends
from bench.console_ends import UPDATE_BYTES, UPDATES_S, Played, Seen, Way
from bench.customers import make_customer, make_vms
from bench.sync_run import cpu_s
from config import Config
from tests.support.console import granted
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.settings import settings
from tests.support.waiting import wait_until
from tools.tether import tethered
from vcdsim.console import certificate

CONSOLES = 200
WARM_S, PLAY_S, ROUNDS = 2, 10, 3
MOST_CORES, LEAST_RATE = 1.0, 0.99
FLOOR, PEER, OURS = "direct", "nginx", "gateway"
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{ worker_connections 4096; }}
http {{
    access_log off; {temporary}
    upstream cell {{ server 127.0.0.1:{cell}; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass https://cell;
            proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
            proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate}; proxy_ssl_name localhost;
            proxy_ssl_server_name on; proxy_read_timeout 1h; proxy_send_timeout 1h;
            proxy_buffering off; proxy_buffer_size {buffer}; proxy_buffers 4 {buffer};
        }}
    }}
}}
"""
BUFFER = "32k"
"""An update fits, as in the gateway; with the 4k that nginx has by itself it works more."""


@dataclass(frozen=True)
class Round:
    """What was measured while updates went one way: the CPU is of the relay, of both ends, of the whole machine."""

    wanted: int
    came: int
    asked: int
    closed: int
    wall_s: float
    cpu_s: float
    ends_cpu_s: float
    all_cpu_s: float
    late_ns: "array[int]"


@dataclass
class Relay:
    """A way, the process that is measured on it (the floor has none), and what was measured."""

    name: str
    way: Way
    process_id: int | None = None
    empty_mb: float = 0.0
    rounds: list[Round] = field(default_factory=list)

    def memory_mb(self, what: str) -> float:
        """VmRSS (now) or VmHWM (the most) of its process."""
        if self.process_id is None:
            return 0.0
        lines = Path(f"/proc/{self.process_id}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024

    def cpu_s(self) -> float:
        """What its process has worked until now."""
        return cpu_s(self.process_id) if self.process_id is not None else 0.0

    def total(self, what: str) -> float:
        """Sum of a figure of its rounds."""
        return float(sum(getattr(one, what) for one in self.rounds))

    def late_ms(self, share: float) -> float:
        """So late or less were so many of its updates."""
        every = sorted(late_ns for one in self.rounds for late_ns in one.late_ns)
        return every[min(len(every) - 1, int(len(every) * share))] / 1e6 if every else float("nan")

    @property
    def cores(self) -> float:
        """What its process took of the machine."""
        return self.total("cpu_s") / self.total("wall_s")

    @property
    def rate(self) -> float:
        """Updates a second that came, beside what was wanted: 1 is all of them in time."""
        in_time_s = PLAY_S * len(self.rounds)
        return self.total("came") / self.total("wanted") * in_time_s / max(in_time_s, self.total("wall_s"))


def main() -> int:
    """Print the table; 0 if every limit is met."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CONSOLES
    print(
        f"{count} consoles, {UPDATES_S} updates of {UPDATE_BYTES:,} bytes a second each, "
        f"{ROUNDS} rounds of {PLAY_S} s; load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder, Ends(Path(folder)) as ends, ExitStack() as stack:
        relays = [stack.enter_context(way) for way in _ways(Path(folder), ends, count)]
        for relay in relays:
            relay.empty_mb = relay.memory_mb("VmRSS")
            opened_s = ends.ask_browsers(relay.way)
            print(f"{relay.name}: {count} consoles opened in {opened_s:.1f} s", flush=True)
        for relay in relays:
            ends.play(relay, WARM_S)
        for _ in range(ROUNDS):
            for relay in relays:
                relay.rounds.append(ends.play(relay, PLAY_S))
        _print(relays, count)
        faults = [fault for relay in relays for fault in _faults(relay)]
    print("\n" + ("\n".join(faults) or "every figure is within its limit"))
    return int(bool(faults))


# ---- The ends ------------------------------------------------------------------------------------------------------


class Ends:
    """The processes of the cells and of the browsers."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "cell.pem"
        certificate.make(self.certificate, self.certificate.with_name("cell.pem.key"), "")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._cells = self._start(console_ends.cells, self.certificate)
        self._browsers = self._start(console_ends.browsers)
        self.port: int = self._cells[1].recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs, *arguments), daemon=True)
        process.start()
        theirs.close()  # so that its end is noticed
        self._stack.callback(process.kill)
        return process, ours

    def ask_browsers(self, order: Way | int) -> Any:
        """Have the browsers do something."""
        self._browsers[1].send(order)
        return self._browsers[1].recv()

    def play(self, relay: Relay, seconds: int) -> Round:
        """Send updates one way."""
        before = self._clocks(relay)
        self._cells[1].send((relay.name, seconds))
        played: Played = self._cells[1].recv()
        seen: Seen = self.ask_browsers(played.sent)
        took = [now - then for now, then in zip(self._clocks(relay), before, strict=True)]
        return Round(
            wanted=played.sent,
            came=len(seen.late_ns),
            asked=played.asked,
            closed=seen.closed,
            wall_s=max(seconds, (seen.last_ns - played.begun_ns) / 1e9),
            cpu_s=took[0],
            ends_cpu_s=took[1],
            all_cpu_s=took[2],
            late_ns=seen.late_ns,
        )

    def _clocks(self, relay: Relay) -> tuple[float, float, float]:
        """CPU seconds until now of the relay, both ends, the whole machine."""
        ends_s = sum(cpu_s(process.pid) for process, _ in (self._cells, self._browsers) if process.pid)
        ticks = [int(one) for one in Path("/proc/stat").read_text().split(maxsplit=8)[1:8]]
        idle, waiting = ticks[3:5]
        return relay.cpu_s(), ends_s, (sum(ticks) - idle - waiting) / os.sysconf("SC_CLK_TCK")


# ---- The ways ------------------------------------------------------------------------------------------------------


def _ways(folder: Path, ends: Ends, count: int) -> Iterator[AbstractContextManager[Relay]]:
    tickets = {name: [f"/902;{name}-{number}" for number in range(count)] for name in (FLOOR, PEER, OURS)}
    yield nullcontext(Relay(FLOOR, Way(ends.port, tickets[FLOOR], ca_file=ends.certificate)))
    program = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        print("nginx is not installed: not measured")
    else:
        yield _nginx(program, folder, ends, tickets[PEER])
    yield _gateway(folder, ends, tickets[OURS])


@contextmanager
def _nginx(program: str, folder: Path, ends: Ends, paths: list[str]) -> Iterator[Relay]:
    port, text = free_port(), folder / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    values = {"folder": folder, "temporary": temporary, "cell": ends.port, "port": port, "buffer": BUFFER}
    text.write_text(NGINX.format(certificate=ends.certificate, **values))
    process = subprocess.Popen(tethered([program, "-p", str(folder), "-c", str(text), "-e", "stderr"]))
    try:
        wait_until(lambda: _accepts(port), "nginx listens")
        yield Relay(PEER, Way(port, paths), process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _gateway(folder: Path, ends: Ends, paths: list[str]) -> Iterator[Relay]:
    """Each console is of a machine of its own; all are the account's, and the owner's in one session."""
    limit, port = str(len(paths)), free_port()
    environ = settings(folder, CONSOLE_PORT=str(port), CONSOLE_PER_ACCOUNT=limit, CONSOLE_TOTAL=limit)
    config = Config.from_env(environ)
    app = create_app(config)
    with app.app_context():
        flask_migrate.upgrade()
        customer = make_customer()
        make_vms(customer, len(paths))
        cookies = customer.cookies(app)
        with transaction():
            db.session.scalars(select(Handler)).one().ca_file = str(ends.certificate)
        session_id = db.session.scalars(select(UserSession.id)).one()
        ids = []
        for path, vm_id in zip(paths, db.session.scalars(select(Vm.id)).all(), strict=True):
            seat = Seat(session_id=session_id, user_id=customer.user_id, account_id=customer.account_id, vm_id=vm_id)
            ids.append(granted(seat, f"wss://localhost:{ends.port}{path}", good_for_s=600))
        db.engine.dispose()
    headers = {"Origin": config.public_url, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    with Program(["-m", "app.console_gateway"], folder / "gateway.log", environ) as program:
        wait_until(lambda: _accepts(port), "the gateway listens", deadline_s=30)
        yield Relay(OURS, Way(port, [f"/console/ws/902;{one}" for one in ids], headers), program.process.pid)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---- The table -----------------------------------------------------------------------------------------------------


def _print(relays: list[Relay], count: int) -> None:
    names = (
        "cores",
        "us",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "+p50",
        "+p99",
        "MB",
        "peak MB",
        "KB/console",
        "ends",
        "others",
    )
    print(f"\n{'':10}{'came':>9}{'of':>9}{'MB/s':>7}" + "".join(f"{name:>11}" for name in names))
    floor = relays[0]
    for one in relays:
        wall_s, now_mb = one.total("wall_s"), one.memory_mb("VmRSS")
        numbers = (
            one.cores,
            one.total("cpu_s") / one.total("came") * 1e6,
            *(one.late_ms(share) for share in (0.5, 0.99, 0.999)),
            *(one.late_ms(share) - floor.late_ms(share) for share in (0.5, 0.99)),
            now_mb,
            one.memory_mb("VmHWM"),
            (now_mb - one.empty_mb) / count * 1024,
            one.total("ends_cpu_s") / wall_s,
            (one.total("all_cpu_s") - one.total("cpu_s") - one.total("ends_cpu_s")) / wall_s,
        )
        speed = one.total("came") * UPDATE_BYTES / wall_s / 1e6
        print(
            f"{one.name:10}{one.total('came'):9,.0f}{one.total('wanted'):9,.0f}{speed:7.1f}"
            + "".join(f"{number:11.2f}" for number in numbers)
        )
    print(f"load at the end {os.getloadavg()[0]:.2f}")


def _faults(relay: Relay) -> Iterator[str]:
    missing, unasked = (int(relay.total("wanted") - relay.total(what)) for what in ("came", "asked"))
    if missing:
        yield f"{relay.name}: {missing:,} updates did not come"
    if unasked:
        yield f"{relay.name}: {unasked:,} requests of browsers did not come"
    if relay.total("closed"):
        yield f"{relay.name}: {relay.total('closed'):.0f} consoles were closed"
    if relay.rate < LEAST_RATE:
        yield f"{relay.name}: {relay.rate:.0%} of the rate was reached"
    if relay.name == OURS and relay.cores > MOST_CORES:
        yield f"{relay.name}: {relay.cores:.2f} cores, at most {MOST_CORES}"


if __name__ == "__main__":
    sys.exit(main())
