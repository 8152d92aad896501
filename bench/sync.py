"""What it costs to keep the mirror equal to vCloud: first time, nothing changed, one machine of a hundred changed.

    .venv/bin/python -m bench.sync [VMs ...]

Each reading runs in a process of its own, on SQLite and on PostgreSQL, against `bench.replay`, so that the figures are
ours and not the simulator's; two rows are against the simulator itself. What a worker has ready before its job begins
is not timed; login, every statement and the first use of everything are.

A run first lists: pages of machines and vApps, and what belongs to the data center. Once that is committed, the mirror
is right in state, name, sizes and addresses, and the limits are about this moment ("listed"). Disks and cards are in
no page: the documents of the vApps of which something changed follow, one request each, until the run is over
("done"). The floor reads the same pages of machines and vApps with requests and lxml, and has neither documents nor
anything else: all rows known in one SELECT, one batched upsert of those that differ. "Rows" are those written,
beside them those that are not the run's own: its row, the time of the last answer, the kept session of vCloud.

Of 1,000 machines the best of three first and of three unchanged runs counts. Above 20,000 machines documents are not
read. PostgreSQL flushes nothing to disk here. CPU is that of the process, so PostgreSQL's own is only in the wall
time; memory includes the 115 MB of all that is imported. Exits with 1 and names each limit that is missed.
"""

import itertools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import create_engine, event, func, select, update

from app import clock
from app.accounts.models import Account
from app.cloud import sync
from app.cloud.models import Handler, Service, VApp, Vm
from app.cloud.sync_models import SyncRun
from app.db import db, transaction
from app.factory import create_app
from app.vcloud import Client, Login
from bench import floor
from bench.clients import control, simulator
from bench.peers import ROOT
from bench.replay import KEPT_DOCUMENTS_MOST
from config import Config
from tests.support.servers import PostgresServer, find_postgres
from tests.support.settings import settings
from worker import get_ready

SIZES = (1_000, 10_000, 100_000)
SLOW_S, SLOW_SIZE, SLOW_MOST_S = 0.150, 10_000, 5.0
ROUNDS, QUICK_MOST = 3, 1_000
"""So often runs of so few machines are done; the best counts."""
OWN = {"sync_runs", "handlers", "services"}
"""Tables in which a run notes itself: that it ran, that vCloud answered, and the session for the next run."""
MOST_S = {
    ("first", 1_000): {"SQLite": 0.30, "PostgreSQL": 0.30},
    ("unchanged", 1_000): {"SQLite": 0.15, "PostgreSQL": 0.15},
    ("first", 10_000): {"SQLite": 1.0, "PostgreSQL": 1.5},
    ("unchanged", 10_000): {"SQLite": 1.0, "PostgreSQL": 1.5},
    ("1 % changed", 10_000): {"SQLite": 1.0, "PostgreSQL": 1.5},
}
MOST_MB = {10_000: 150.0}
MOST_GROWTH = 1.25
"""CPU per machine at the largest size, beside that of the one before."""


@dataclass
class Cost:
    """What it took from the beginning to some moment."""

    requests: int = 0
    statements: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # written, by table
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    @property
    def others(self) -> int:
        """Rows written that are not the run's own."""
        return sum(rows for table, rows in self.rows.items() if table not in OWN)


class Listed(BaseException):
    """The listing is committed, and no more is wanted of this run."""


@dataclass(frozen=True)
class Place:
    """Where a reading is done: a database, a folder for its keys, a vCloud and the data center in it."""

    engine: str
    database: str
    folder: str
    url: str
    vdc_urn: str


# ---- Inside a process of its own ----------------------------------------------------------------------------------


class _Meter:
    """Counts what this process asks of the database, and takes the time."""

    def __init__(self, place: Place, engine: Any) -> None:
        self._url, self._cost = place.url, Cost()
        self.is_listed = False
        event.listen(engine, "after_cursor_execute", self._note)
        self._began = time.perf_counter(), time.process_time()

    def now(self) -> Cost:
        """What it took until now; looking at it does not count."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = Cost(
            requests=_requests(self._url),
            statements=self._cost.statements,
            rows=dict(self._cost.rows),
            wall_s=wall - self._began[0],
            cpu_s=cpu - self._began[1],
            peak_mb=_peak_mb(),
        )
        self._began = self._began[0] + time.perf_counter() - wall, self._began[1] + time.process_time() - cpu
        return found

    def _note(self, _connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001
        words = statement.split(maxsplit=3)
        if words[0] in ("BEGIN", "PRAGMA"):
            return
        self._cost.statements += 1
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            table = words[1] if words[0] == "UPDATE" else words[2]
            # SQLite does not know yet how many rows a statement returns; only the run's own is written by such ones.
            rows = len(parameters) if many else max(cursor.rowcount, int("RETURNING sync_runs" in statement))
            self._cost.rows[table] = self._cost.rows.get(table, 0) + rows
            self.is_listed |= table == "sync_runs" and "listed_at=" in statement


def _peak_mb() -> float:
    """The most memory this process ever held; unlike `ru_maxrss` not that of the one it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def prepare(place: Place) -> uuid.UUID:
    """Make the tables and a service in an empty database."""
    with _app(place).app_context():
        flask_migrate.upgrade()
        now = clock.now()
        with transaction():
            account = Account(name="Acme", timezone="UTC", created_at=now)
            handler = Handler(name="vCloud", module="vmware_vcd", api_url=f"{place.url}/api", verify_tls=True)
            service = Service(
                account=account,
                handler=handler,
                org_name="acme",
                vdc_urn=place.vdc_urn,
                username="acme-admin",
                created_at=now,
            )
            db.session.add_all([account, handler, service])
            service.password = "secret"  # noqa: S105  every simulated user has it
            return service.id


def ours(place: Place, service_id: uuid.UUID, *, to_the_end: bool) -> tuple[Cost, Cost | None, int]:
    """One run: what it took until it was listed, until it was done, and how many machines there are then."""
    app, listed = _app(place), list[Cost]()
    get_ready()
    with app.app_context():
        meter = _Meter(place, db.engine)

        @event.listens_for(db.session, "after_commit")
        def is_listed(_session: Any) -> None:
            if not listed and meter.is_listed:
                listed.append(meter.now())

        @event.listens_for(db.engine, "before_cursor_execute")
        def is_enough(*_: Any) -> None:
            if listed and not to_the_end:
                event.remove(db.engine, "before_cursor_execute", is_enough)
                raise Listed

        try:
            sync.refresh(service_id)
            done = meter.now()
        except Listed:
            done = None
            with transaction():
                db.session.execute(update(VApp).values(read_key=VApp.record_key, read_at=clock.now()))
                db.session.execute(update(SyncRun).values(state="done"))
        return listed[0], done, db.session.scalar(select(func.count(Vm.id)).where(Vm.gone_at.is_(None))) or 0


def least(place: Place) -> tuple[Cost, None, int]:
    """The floor."""
    engine = create_engine(place.database)
    floor.ROWS.metadata.create_all(engine)
    engine.dispose()
    get_ready()
    meter = _Meter(place, engine)
    count = floor.read_and_write(place.url, f"{place.url}/api/vdc/{place.vdc_urn[-36:]}", engine)[0]
    return meter.now(), None, count


def _app(place: Place) -> Flask:
    environment = settings(Path(place.folder), DATABASE_URL=place.database, REDIS_URL="unix:///nowhere")
    return create_app(Config.from_env(environment))


def _requests(url: str) -> int:
    found = control(url, "GET", "requests")
    assert isinstance(found, int | list)
    return found if isinstance(found, int) else len(found)


def _alone(work: Callable[..., Any], place: Place, *arguments: Any, **options: Any) -> Any:
    """Call it in a new process, which has imported everything."""
    control(place.url, "DELETE", "requests")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, place, *arguments, **options).result()


# ---- The tables ----------------------------------------------------------------------------------------------------


class Table:
    """Prints what was measured, and keeps what is not as it must be."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.costs: dict[tuple[str, str, int], Cost] = {}

    def head(self, title: str) -> None:
        """Begin a size."""
        names = f"{'requests':>9}{'SQL':>7}{'rows':>9}{'others':>9}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}"
        print(f"\n{title}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n{'':44}{names}", flush=True)

    def line(self, what: str, cost: Cost) -> None:
        """One row."""
        numbers = f"{cost.requests:9,}{cost.statements:7,}{sum(cost.rows.values()):9,}{cost.others:9,}"
        print(f"{what:44}{numbers}{cost.wall_s:9.3f}{cost.cpu_s:9.3f}{cost.peak_mb:9.0f}", flush=True)

    def both(self, place: Place, what: str, vms: int, found: tuple[Cost, Cost | None, int]) -> None:
        """The two moments of a run, beside the limits."""
        listed, done, count = found
        self.line(f"{place.engine:11}{what}: listed", listed)
        if done is not None:
            self.line(f"{'':11}{what}: done", done)
        self.costs[place.engine, what, vms] = listed
        self.must(count == vms, f"{place.engine}, {what}: {count:,} machines of {vms:,}")
        most_s = MOST_S.get((what, vms), {}).get(place.engine)
        if most_s is not None:
            self.must(listed.wall_s <= most_s, f"{place.engine}, {vms:,}, {what}: {listed.wall_s:.3f} s, not {most_s}")
        peak_mb = (done or listed).peak_mb
        if vms in MOST_MB:
            self.must(
                peak_mb <= MOST_MB[vms], f"{place.engine}, {vms:,}, {what}: {peak_mb:.0f} MB, not {MOST_MB[vms]:.0f}"
            )
        if what == "unchanged":
            others = (done or listed).others
            self.must(others == 0, f"{place.engine}, {vms:,}, {what}: {others} rows of others were written")

    def must(self, is_so: bool, fault: str) -> None:  # noqa: FBT001
        """Keep a fault."""
        if not is_so:
            self.faults.append(fault)

    def compare_sizes(self) -> None:
        """What an unchanged run asks of the database is constant, and a machine costs no more among many."""
        for engine in ("SQLite", "PostgreSQL"):
            for what in ("first", "unchanged", "1 % changed"):
                of_sizes = {vms: cost for (one, kind, vms), cost in self.costs.items() if (one, kind) == (engine, what)}
                if what == "unchanged" and of_sizes:
                    counts = {cost.statements for cost in of_sizes.values()}
                    self.must(len(counts) == 1, f"{engine}, {what}: {counts} statements")
                large = [vms for vms in sorted(of_sizes) if vms >= SLOW_SIZE]
                for small, big in itertools.pairwise(large):
                    growth = of_sizes[big].cpu_s / big / (of_sizes[small].cpu_s / small)
                    print(f"{engine}, {what}: a machine among {big:,} costs {growth:.2f} times one among {small:,}")
                    self.must(growth <= MOST_GROWTH, f"{engine}, {what}: {growth:.2f} times, at most {MOST_GROWTH}")


# ---- What is measured ----------------------------------------------------------------------------------------------


def main() -> int:
    """Print the tables; 0 if every limit is met."""
    table = Table()
    for vms in map(int, sys.argv[1:] or SIZES):
        _measure(table, vms)
    print()
    table.compare_sizes()
    print("\n".join(table.faults) or "every figure is within its limit")
    return int(bool(table.faults))


def _measure(table: Table, vms: int) -> None:
    table.head(f"{vms:,} machines in vApps of five")
    to_the_end = vms <= KEPT_DOCUMENTS_MOST
    with _replay(vms) as url, tempfile.TemporaryDirectory() as folder:
        vdc_urn = _warm(url, to_the_end=to_the_end)
        with _engines(Path(folder)) as engines:

            def new(engine: str) -> Place:
                return Place(engine, engines[engine](), folder, url, vdc_urn)

            services = [_first(table, vms, partial(new, engine)) for engine in engines]
            for what in ("unchanged", "1 % changed"):
                if what == "1 % changed":
                    control(url, "POST", "change")
                    _warm(url, to_the_end=to_the_end)
                for place, service_id in services:
                    rounds = ROUNDS if what == "unchanged" and vms <= QUICK_MOST else 1
                    found = [_alone(ours, place, service_id, to_the_end=to_the_end) for _ in range(rounds)]
                    table.both(place, what, vms, _best(found))
                    table.line(f"{place.engine:11}{what}: floor", _alone(least, place)[0])
            if vms == SLOW_SIZE:
                control(url, "POST", "latency", {"latency_s": SLOW_S})
                _slow(table, "unchanged", *services[0])
                place = new("SQLite")
                _slow(table, "first", place, _alone(prepare, place))
    if vms == SIZES[0]:
        _live(table, vms)


def _first(table: Table, vms: int, new: Callable[[], Place]) -> tuple[Place, uuid.UUID]:
    """Measure the first run in empty databases; returns the last of them with its service."""
    places = [new() for _ in range(ROUNDS if vms <= QUICK_MOST else 1)]
    ids = [_alone(prepare, place) for place in places]
    to_the_end = vms <= KEPT_DOCUMENTS_MOST
    found = [_alone(ours, place, of_it, to_the_end=to_the_end) for place, of_it in zip(places, ids, strict=True)]
    place, service_id = places[-1], ids[-1]
    table.both(place, "first", vms, _best(found))
    table.line(f"{place.engine:11}first: floor", _alone(least, place)[0])
    return place, service_id


def _best(found: list[tuple[Cost, Cost | None, int]]) -> tuple[Cost, Cost | None, int]:
    """What is quick is done several times, for the machine may be busy; and nothing may be written in any of them."""
    return min(found, key=lambda one: (-one[0].others, one[0].wall_s))


def _slow(table: Table, what: str, place: Place, service_id: uuid.UUID) -> None:
    """A line on which every answer takes a long time: it is the pages that are waited for."""
    listed, _, _ = _alone(ours, place, service_id, to_the_end=False)
    table.line(f"{place.engine:11}{what}: listed, {SLOW_S * 1000:.0f} ms a request", listed)
    fault = f"{what}, {SLOW_S:.3f} s a request: {listed.wall_s:.2f} s, not {SLOW_MOST_S}"
    table.must(listed.wall_s <= SLOW_MOST_S, fault)


def _live(table: Table, vms: int) -> None:
    """The simulator itself, which makes up each answer when it is asked."""
    with simulator(vms) as url, tempfile.TemporaryDirectory() as folder:
        place = Place("SQLite", f"sqlite:///{folder}/skiff.db", folder, url, _vdc_urn(url))
        service_id = _alone(prepare, place)
        for what in ("first", "unchanged"):
            listed, _, _ = _alone(ours, place, service_id, to_the_end=True)
            table.line(f"{place.engine:11}{what}: listed, live simulator", listed)


@contextmanager
def _replay(vms: int) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.replay", str(vms)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().removeprefix("at ").strip()
    finally:
        process.terminate()
        process.wait()


def _vdc_urn(url: str) -> str:
    with Client(f"{url}/api", Login("acme", "acme-admin", "secret")) as client:
        return next(vdc.id for vdc in client.vdcs() if client.vapps(vdc.id, "vapp-00000"))


def _warm(url: str, *, to_the_end: bool) -> str:
    """Have everything rendered that will be asked for."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place("SQLite", f"sqlite:///{folder}/skiff.db", folder, url, _vdc_urn(url))
        service_id = _alone(prepare, place)
        _alone(ours, place, service_id, to_the_end=to_the_end)
        _alone(ours, place, service_id, to_the_end=to_the_end)
        _alone(least, place)
    return place.vdc_urn


@contextmanager
def _engines(folder: Path) -> Iterator[dict[str, Callable[[], str]]]:
    """By engine what makes a new database and returns its address."""
    numbers = itertools.count()
    found: dict[str, Callable[[], str]] = {"SQLite": lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"}
    binaries = find_postgres()
    if binaries is None:
        print("PostgreSQL is not installed: not measured")
        yield found
        return
    server = PostgresServer(binaries)
    server.start()

    def new() -> str:
        name = f"bench_{next(numbers)}"
        engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return server.url.replace("/postgres?", f"/{name}?")

    try:
        yield {**found, "PostgreSQL": new}
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
