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
read. PostgreSQL flushes nothing to disk here; "DB s" is the CPU of its process that serves us, SQLite's is in ours.
Memory includes the 115 MB of all that is imported. Exits with 1 and names each limit that is missed.
"""

import itertools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from app.vcloud import Client, Login
from bench.clients import control, simulator
from bench.peers import ROOT
from bench.replay import KEPT_DOCUMENTS_MOST
from bench.sync_run import Cost, Place, least, ours, prepare
from tests.support.servers import PostgresServer, find_postgres

SIZES = (1_000, 10_000, 100_000)
SLOW_S, SLOW_SIZE, SLOW_MOST_S = 0.150, 10_000, 5.0
ROUNDS, QUICK_MOST = 3, 1_000
"""So often runs of so few machines are done; the best counts."""
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
        names = f"{'requests':>9}{'SQL':>7}{'rows':>9}{'others':>9}{'wall s':>9}{'CPU s':>9}{'DB s':>7}{'peak MB':>9}"
        print(f"\n{title}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n{'':44}{names}", flush=True)

    def line(self, what: str, cost: Cost) -> None:
        """One row."""
        numbers = f"{cost.requests:9,}{cost.statements:7,}{sum(cost.rows.values()):9,}{cost.others:9,}"
        print(
            f"{what:44}{numbers}{cost.wall_s:9.3f}{cost.cpu_s:9.3f}{cost.server_cpu_s:7.2f}{cost.peak_mb:9.0f}",
            flush=True,
        )

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
                    growth = of_sizes[big].all_cpu_s / big / (of_sizes[small].all_cpu_s / small)
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
