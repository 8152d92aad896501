"""The command itself: a whole demo comes up out of nothing, heals, refuses a second one, and stops without a trace."""

import http.client
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.program import Program, is_alive
from tests.support.waiting import wait_until

RUNNING = "Skiff is running"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A data folder and ports of this module's own; what the developer has set does not count."""
    ours = _free_ports() | {"SKIFF_DATA": str(tmp_path_factory.mktemp("data"))}
    return {"DATABASE_URL": "", "REDIS_URL": "", "SKIFF_DEMO": "", "PUBLIC_URL": "", **ours}


@pytest.fixture(scope="module")
def demo(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A running demo."""
    with Program(["run"], tmp_path_factory.mktemp("run") / "output", settings) as program:
        program.wait_for(RUNNING, deadline_s=60)
        yield program


def test_it_prints_the_address_and_the_logins_once_the_page_answers(demo: Program, settings: dict[str, str]) -> None:
    assert f"http://127.0.0.1:{settings['PORT']}" in demo.said
    assert "owner@acme.example" in demo.said
    assert _status(settings["PORT"], "/sign-in") == 200


def test_what_it_writes_is_nobody_elses_to_read(demo: Program, settings: dict[str, str]) -> None:
    written = [path for path in Path(settings["SKIFF_DATA"]).rglob("*") if path.is_file()]
    assert "skiff.db" in {path.name for path in written}
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []


def test_a_second_run_is_refused_and_does_not_harm_the_first(
    demo: Program, settings: dict[str, str], tmp_path: Path
) -> None:
    other = settings | _free_ports()
    with Program(["run"], tmp_path / "output", other) as second:
        assert second.process.wait(20) == 1
        assert f"already running on the data folder {settings['SKIFF_DATA']}" in second.said
        assert f"http://127.0.0.1:{settings['PORT']}" in second.said
    assert _status(settings["PORT"], "/sign-in") == 200


@pytest.mark.parametrize("name", ["redis", "vcdsim", "worker", "clock", "console", "web"])
def test_each_process_is_started_again_when_it_is_killed(demo: Program, settings: dict[str, str], name: str) -> None:
    killed = _pid_of(demo, name)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: _pid_of(demo, name) not in (None, killed), f"{name} is started again")
    wait_until(lambda: _status(settings["PORT"], "/sign-in") == 200, "the page answers")


def test_stopping_leaves_no_process_and_the_next_start_finds_the_data(tmp_path: Path) -> None:
    settings = _free_ports() | {"SKIFF_DATA": str(tmp_path / "data")}
    for start in ("first", "second"):
        with Program(["run"], tmp_path / start, settings) as program:
            program.wait_for(RUNNING, deadline_s=60)
            children = _children_of(program.process.pid)
            assert len(children) == 6
            assert program.stop(signal.SIGINT) == 0
        assert not any(map(is_alive, children))
        with closing(sqlite3.connect(tmp_path / "data" / "skiff.db")) as database:
            people = database.execute("select count(*) from users").fetchone()
        assert people == (4,), start


def _pid_of(program: Program, name: str) -> int | None:
    """The child's process, once it has become what it is to be."""
    words = {
        "redis": r"valkey-server",
        "vcdsim": r"-m vcdsim",
        "worker": r"worker\.py $",
        "clock": r"worker\.py clock",
        "console": r"-m app\.console_gateway",
        "web": "gunicorn",
    }
    for pid in _children_of(program.process.pid):
        line = _command_line(pid)
        if re.search(words[name], line) and "tether.py" not in line:
            return pid
    return None


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:  # it has just ended
        return ""


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _status(port: str, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def _free_ports() -> dict[str, str]:
    names = ("PORT", "SIM_PORT", "CONSOLE_PORT", "SIM_CONSOLE_PORT")
    return {name: str(free_port()) for name in names}
