"""Plug-in with the fixtures for real servers; tests/conftest.py names it in `pytest_plugins`.

`redis_url`, `postgres_url`, `database_url`, `nginx`, `chromium_path`. What is not installed skips the test with a
reason (see no_skips.py for CI). Servers are private, one per pytest process, and end with it.

`database_url` is the database that the suite runs on: a SQLite file, or with `pytest --postgresql` a new database on
a private server or on the one that TEST_DATABASE_URL names. Every test that reaches it, however indirectly, gets the
mark `database`, which is how ./test knows what to run on PostgreSQL as well.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.support.servers import PostgresServer, RedisServer, find_postgres
from tools.terminal import Trouble

LONG = (
    {"browser"},
    {"whole", "tools"},
    {"test_engine_kills.py", "test_sync_races.py", "test_sync_walk.py"},
    {"test_conformance.py", "test_schemathesis.py"},
)
"""Folders and files that take long, by the process that begins with them; each set shares something costly to make."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgresql", action="store_true", help="run on PostgreSQL instead of SQLite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "database_url" in getattr(item, "fixturenames", ()) and item.get_closest_marker("one_database") is None:
            item.add_marker("database")
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = _dealt(items, int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))


def _dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in the order in which each process begins with its part of the long ones.

    pytest-xdist gives each process an equal stretch of the list, and lets those that are done take over from the ends
    of others. With all long tests in one stretch that process would be the last by minutes.
    """
    hands: list[list[pytest.Item]] = [[] for _ in range(processes)]
    rest: list[pytest.Item] = []
    for item in items:
        names = {item.path.name, item.path.parent.name}
        found = next((number for number, long in enumerate(LONG) if names & long), None)
        (rest if found is None else hands[found % processes]).append(item)
    left = len(items)
    dealt: list[pytest.Item] = []
    for number, hand in enumerate(hands):
        size = left // (processes - number)
        taken = max(0, size - len(hand))
        dealt += [*hand, *rest[:taken]]
        rest, left = rest[taken:], left - size
    return [*dealt, *rest]


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The embedded server of this test run. A test that kills it starts it again before it ends."""
    server = RedisServer()
    try:
        server.start()
    except Trouble as trouble:
        pytest.skip(str(trouble))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    """REDIS_URL of the embedded server; tests share it, so they empty it themselves."""
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a new, empty PostgreSQL database, whatever engine the suite runs on."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield from _new_database(given)
        return
    binaries = find_postgres()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt install postgresql), and TEST_DATABASE_URL is not set")
    server = PostgresServer(binaries)
    server.start()
    yield from _new_database(server.url)
    server.remove()


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """Address of the database that this run of the suite uses, new and empty; one for each pytest process."""
    if request.config.getoption("--postgresql"):
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'skiff.db'}"


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The nginx program."""
    return _program("nginx", "nginx")


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium for Playwright's `executable_path`; Debian's, never one that Playwright would download."""
    return _program("chromium", "chromium", "chromium-browser", "google-chrome")


def _program(package: str, *names: str) -> Path:
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])  # Debian's nginx is there
    found = next((path for path in (shutil.which(name, path=search) for name in names) if path), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed (apt install {package})")
    return Path(found)


def _new_database(server_url: str) -> Iterator[str]:
    name = f"skiff_test_{os.getpid()}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(drop)
