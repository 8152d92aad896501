"""What pages cost: the list of 100 rows among 100, 1,000 and 10,000 machines, and every other page at 10,000.

    .venv/bin/python -m bench.pages

Signed in, with permissions, CSRF tokens and forms, through the whole application, on SQLite and on PostgreSQL. The
floor beside it is a bare Flask application with one query and a table with a form in each row. CPU is that of this
process, the best of many rounds, so PostgreSQL's own is not in it, but in the time on the wall; compressed is gzip of
level 6. PostgreSQL is vacuumed after each filling, as its autovacuum does on a running installation. At the end both
applications are served by gunicorn with one worker and asked over and over. Exits with 1 when a figure is above its
limit, or when a page is new and not measured here.
"""

import gzip
import http.client
import io
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask, render_template_string
from gunicorn.app.base import BaseApplication
from sqlalchemy import Engine, event, select
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app.cloud.models import Vm
from app.db import db
from app.factory import create_app
from bench.customers import Customer, make_customer, make_vms
from config import Config
from tests.support.servers import PostgresServer, find_postgres
from tests.support.settings import settings

SIZES = (100, 1_000, 10_000)
LIST = "/vms?rows=100&sort=name"
"""By name, so that the first page is of the same mixture whatever the size; the default order is measured as well."""
ROUNDS, LIST_ROUNDS, SERVED = 7, 40, 100
MOST_LIST_MS, MOST_PAGE_MS, MOST_STATEMENTS = 10.0, 25.0, 6
MOST_BYTES, MOST_COMPRESSED = 60 * 1024, 8 * 1024
MOST_SPREAD = 1.15
FILTERED = (
    *(f"sort={sign}{key}" for key in ("name", "state", "size") for sign in ("", "-")),
    *(f"state={state}" for state in ("on", "off", "suspended", "attention")),
    *(f"page={number}" for number in (72, 95, 100)),
    *(f"q={text}" for text in ("web", "old", "status:on+vapp:shop+10.0.", "net:dmz", "ip:10.0.", "nothing")),
)
"""Every order, every state, pages far down, and filters that find much, little and nothing."""
NOT_PAGES = ("static", "brand.css", "brand.mark", "vms.table", "vms.check_names")
"""Files, and the answer to one typed name."""


@dataclass(frozen=True)
class Cost:
    """What one answer costs."""

    cpu_ms: float
    wall_ms: float
    statements: int
    size: int
    compressed: int


def main() -> int:
    """Print the tables; 0 if every figure is good enough."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for engine, url in _databases(Path(folder)):
            faults += _measure(engine, url, Path(folder))
    print("\n" + ("\n".join(faults) or "every figure is within its limit"))
    return int(bool(faults))


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'skiff.db'}"
    binaries = find_postgres()
    if binaries is None:
        print("PostgreSQL is not installed: not measured")
        return
    server = PostgresServer(binaries)
    server.start()
    yield "PostgreSQL", server.url
    server.remove()


def _measure(name: str, url: str, folder: Path) -> list[str]:
    app = create_app(Config.from_env(settings(folder, DATABASE_URL=url, REDIS_URL="unix:///nowhere")))
    with app.app_context():
        flask_migrate.upgrade()
        customer, engine = make_customer(), db.engine
    floor = _floor(engine)
    print(f"\n{name:66}  CPU ms  wall ms  SQL   bytes    gzip")
    costs = []
    for size in SIZES:
        with app.app_context():
            make_vms(customer, size)
            _settle(engine)
        costs.append(_cost(engine, app.wsgi_app, LIST, customer.cookies(app), LIST_ROUNDS))
        _print(f"{LIST} of {size:,} machines", costs[-1])
        _print(f"bare Flask, 100 rows of {size:,}", _cost(engine, floor, "/", {}, LIST_ROUNDS))
    faults = [f"{name}, list: {fault}" for fault in _faults_of_list(costs)]
    faults += [f"{name}, {fault}" for fault in _lists(engine, app, customer)]
    print(f"every other page, {SIZES[-1]:,} machines:")
    faults += [f"{name}, {fault}" for fault in _others(engine, app, customer)]
    engine.dispose()
    print("over HTTP, gunicorn with one worker, one request after the other:")
    _print_served("the list above", app.wsgi_app, LIST, customer.cookies(app))
    _print_served("bare Flask", floor, "/", {})
    engine.dispose()
    return faults


def _settle(engine: Engine) -> None:
    """What PostgreSQL's autovacuum does soon after many rows have come."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _faults_of_list(costs: list[Cost]) -> Iterator[str]:
    worst = {name: max(getattr(cost, name) for cost in costs) for name in Cost.__dataclass_fields__}
    limits = {
        "cpu_ms": MOST_LIST_MS,
        "statements": MOST_STATEMENTS,
        "size": MOST_BYTES,
        "compressed": MOST_COMPRESSED,
    }
    for name, limit in limits.items():
        if worst[name] > limit:
            yield f"{name} {worst[name]:,.1f}, at most {limit:,}"
    for name, most in worst.items():
        spread = most / min(getattr(cost, name) for cost in costs)
        print(f"{name}: the most is {spread:.2f} times the least")
        # Of the wall time a part is PostgreSQL's, which walks an index of all machines to count them: printed only.
        if spread > MOST_SPREAD and name != "wall_ms":
            yield f"{name} differs by {spread:.2f} between the sizes, at most {MOST_SPREAD}"


def _lists(engine: Engine, app: Flask, customer: Customer) -> Iterator[str]:
    """Every list page is as small as the first one; what a filter may cost is what any page may."""
    for more in FILTERED:
        path = f"/vms?rows=100&{more}"
        cost = _cost(engine, app.wsgi_app, path, customer.cookies(app), ROUNDS)
        _print(path, cost)
        for what, number, most in (
            ("ms", cost.cpu_ms, MOST_PAGE_MS),
            ("statements", cost.statements, MOST_STATEMENTS),
            ("bytes", cost.size, MOST_BYTES),
            ("bytes compressed", cost.compressed, MOST_COMPRESSED),
        ):
            if number > most:
                yield f"{path}: {number:,.1f} {what}, at most {most:,}"


def _others(engine: Engine, app: Flask, customer: Customer) -> Iterator[str]:
    for endpoint, path in _pages(app, customer):
        cookies = {} if endpoint == "auth.sign_in" else customer.cookies(app, staff=path.startswith("/staff/"))
        yield from _page(engine, app, path, cookies)


def _page(engine: Engine, app: Flask, path: str, cookies: dict[str, str]) -> Iterator[str]:
    try:
        cost = _cost(engine, app.wsgi_app, path, cookies, ROUNDS)
    except AssertionError as error:
        yield f"{path}: {error}"
        return
    _print(path, cost)
    if cost.cpu_ms > MOST_PAGE_MS:
        yield f"{path}: {cost.cpu_ms:.1f} ms, at most {MOST_PAGE_MS}"


def _pages(app: Flask, customer: Customer) -> Iterator[tuple[str, str]]:
    """Every page of the URL map, so that none can be forgotten."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" not in (rule.methods or ()) or rule.endpoint in NOT_PAGES or rule.endpoint.startswith("api."):
            continue
        with app.test_request_context():
            built = rule.build({name: customer.ids[name] for name in rule.arguments}, append_unknown=False)
        assert built is not None, rule
        yield rule.endpoint, built[1] + ("?disk=2000" if rule.endpoint.endswith("_disk") else "")


# ---- One answer ----------------------------------------------------------------------------------------------------

Wsgi = Callable[..., Any]


def _cost(engine: Engine, wsgi: Wsgi, path: str, cookies: dict[str, str], rounds: int) -> Cost:
    cookie = "; ".join(f"{key}={value}" for key, value in cookies.items())
    environ = EnvironBuilder(path, headers=Headers([("Cookie", cookie)])).get_environ()
    with _counted(engine) as statements:
        body = _answer(wsgi, environ)
        count = statements[0]
    cpu_ms, wall_ms = [], []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        _answer(wsgi, environ)
        cpu_ms.append((time.process_time() - cpu) * 1000)
        wall_ms.append((time.perf_counter() - wall) * 1000)
    return Cost(min(cpu_ms), min(wall_ms), count, len(body), len(gzip.compress(body, 6)))


def _answer(wsgi: Wsgi, environ: dict[str, Any]) -> bytes:
    status: list[str] = []
    parts = wsgi({**environ, "wsgi.input": io.BytesIO()}, lambda line, *_: status.append(line))
    body = b"".join(parts)
    parts.close()
    assert status == ["200 OK"], status
    return body


@contextmanager
def _counted(engine: Engine) -> Iterator[list[int]]:
    count = [0]

    def one_more(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        count[0] += not statement.startswith("BEGIN")  # SQLite's; PostgreSQL's driver sends its own unseen

    event.listen(engine, "before_cursor_execute", one_more)
    yield count
    event.remove(engine, "before_cursor_execute", one_more)


def _print(what: str, cost: Cost) -> None:
    shown = what if len(what) <= 64 else f"{what[:61]}..."
    print(f"  {shown:64}{cost.cpu_ms:8.2f}{cost.wall_ms:9.2f}{cost.statements:5}{cost.size:8,}{cost.compressed:8,}")


# ---- Over HTTP -----------------------------------------------------------------------------------------------------


def _print_served(what: str, wsgi: Wsgi, path: str, cookies: dict[str, str]) -> None:
    """Half of the answers came within this time; the worker is a fork of this process that ends with it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = door.getsockname()
        server = multiprocessing.get_context("fork").Process(target=_serve, args=(wsgi, door.fileno()), daemon=True)
        server.start()
        times_ms = []
        connection = http.client.HTTPConnection(address[0], address[1], timeout=30)
        for _ in range(SERVED + 1):
            begun = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times_ms.append((time.perf_counter() - begun) * 1000)
        server.terminate()
        server.join()
    median = statistics.median(times_ms[1:])
    print(f"  {what:64}{median:17.2f} ms at the median, {1000 / median:,.0f} a second")


def _serve(wsgi: Wsgi, door: int) -> None:
    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in {"bind": f"fd://{door}", "workers": 1, "loglevel": "error"}.items():
                self.cfg.set(name, value)

        def load(self) -> Wsgi:
            return wsgi

    Server().run()


# ---- The floor -----------------------------------------------------------------------------------------------------

BARE = """<!doctype html><html lang="en"><title>Servers</title><table>
{% for vm in vms %}<tr><td><a href="/vms/{{ vm.id }}">{{ vm.name }}</a><td>{{ vm.status }}<td>{{ vm.cpu_count }}
<td>{{ vm.memory_mb }}<td>{{ vm.disk_mb }}<td>{{ vm.inner_ip }}<td>{{ vm.outer_ip }}<td>{{ vm.guest_os }}
<td><form method="post" action="/vms/{{ vm.id }}/start"><input type="hidden" name="token" value="{{ token }}">
<button>Start</button></form>{% endfor %}</table>"""


def _floor(engine: Engine) -> Wsgi:
    """Bare Flask, one query in Core, one template: no sessions, no permissions, no languages, no layout."""
    bare = Flask("floor")
    table = Vm.__table__
    names = ("id", "name", "status", "cpu_count", "memory_mb", "disk_mb", "inner_ip", "outer_ip", "guest_os")
    rows = select(*(table.c[name] for name in names)).where(table.c.gone_at.is_(None)).limit(100)

    @bare.get("/")
    def index() -> str:
        with engine.connect() as connection:
            return render_template_string(BARE, vms=connection.execute(rows).all(), token=uuid.UUID(int=1).hex)

    return bare.wsgi_app


if __name__ == "__main__":
    sys.exit(main())
