"""One reading of `bench.sync`, in a process of its own: what it asks, what it writes, and what that takes."""

import os
import time
import uuid
from dataclasses import dataclass, field
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
from bench import floor
from bench.clients import control
from config import Config
from tests.support.settings import settings
from worker import get_ready

OWN = {"sync_runs", "handlers", "services"}
"""Tables in which a run notes itself: that it ran, that vCloud answered, and the session for the next run."""


@dataclass
class Cost:
    """What it took from the beginning to some moment."""

    requests: int = 0
    statements: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # written, by table
    wall_s: float = 0.0
    cpu_s: float = 0.0
    server_cpu_s: float = 0.0  # of PostgreSQL, in the process that serves us
    peak_mb: float = 0.0

    @property
    def all_cpu_s(self) -> float:
        """Ours and PostgreSQL's."""
        return self.cpu_s + self.server_cpu_s

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


class Meter:
    """Counts what this process asks of the database, and takes the time."""

    def __init__(self, place: Place, engine: Any) -> None:
        self._url, self._cost = place.url, Cost()
        self.is_listed = False
        self._servers: set[int] = set()
        event.listen(engine, "checkout", self._note_server)
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
            server_cpu_s=sum(map(cpu_s, self._servers)),
            peak_mb=_peak_mb(),
        )
        self._began = self._began[0] + time.perf_counter() - wall, self._began[1] + time.process_time() - cpu
        return found

    def _note_server(self, connection: Any, *_: Any) -> None:
        server = getattr(getattr(connection, "info", None), "backend_pid", None)
        if server is not None:
            self._servers.add(server)

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


def cpu_s(process_id: int) -> float:
    """What a process has worked until now."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
        meter = Meter(place, db.engine)

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
    meter = Meter(place, engine)
    count = floor.read_and_write(place.url, f"{place.url}/api/vdc/{place.vdc_urn[-36:]}", engine)[0]
    return meter.now(), None, count


def _app(place: Place) -> Flask:
    environment = settings(Path(place.folder), DATABASE_URL=place.database, REDIS_URL="unix:///nowhere")
    return create_app(Config.from_env(environment))


def _requests(url: str) -> int:
    found = control(url, "GET", "requests")
    assert isinstance(found, int | list)
    return found if isinstance(found, int) else len(found)
