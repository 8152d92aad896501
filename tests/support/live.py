"""A whole panel as real processes: web, worker and clock, beside a simulator in this process."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError

import redis

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.settings import settings
from tests.support.waiting import wait_until
from tools.setup import ROOT
from vcdsim import Simulator


class LivePanel:
    """`url` is the panel's address, `simulator` at `simulator_url` the vCloud behind it; the demo logins are there.

    `worker` is the program that is started as worker and as clock.
    """

    def __init__(self, folder: Path, redis_url: str, *, worker: Sequence[str] = ("worker.py",)) -> None:
        self.folder = folder
        self.simulator = Simulator("demo", speed=60.0)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers: list[Program] = []
        self._redis_url = redis_url
        self._worker = worker
        self._programs: list[Program] = []
        self._stack = ExitStack()
        self._simulator_stack = ExitStack()

    def __enter__(self) -> Self:
        self.simulator_url = self._simulator_stack.enter_context(self.simulator.serve())
        self._stack.push(self._simulator_stack)
        self.environ = settings(
            self.folder,
            REDIS_URL=self._redis_url,
            PORT=str(self.port),
            SIM_PORT=self.simulator_url.rpartition(":")[2],
        )
        redis.Redis.from_url(self._redis_url).flushall()
        self._fill()
        self.start_worker()
        self._start("clock", [*self._worker, "clock"])
        web = ["-m", "gunicorn", "wsgi:app", "-b", f"127.0.0.1:{self.port}", "--threads", "8", "--no-control-socket"]
        self._start("web", web)
        wait_until(self._answers, "the panel answers", deadline_s=30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in self._programs:
            program.process.kill()  # nothing is to be saved, and a polite end takes seconds
        self._stack.close()

    def let_time_pass(self, seconds: int) -> None:
        """Move everything that operations wait for into the past, as if that time had gone by."""
        columns = ("claimed_until", "step_sent_at", "next_at")
        moved = ", ".join(f"{name} = datetime({name}, '-{seconds} seconds') || '.000000'" for name in columns)
        with closing(sqlite3.connect(self.folder / "skiff.db", timeout=10)) as connection, connection:
            connection.execute(f"UPDATE operations SET {moved}")

    def _fill(self) -> None:
        """Put the database of a fresh demo in place: the first panel of the run makes it, the others copy it.

        The simulated world is the same each time, so it fits every simulator.
        """
        database = self.folder / "skiff.db"
        filled = _folder_of_the_run(self.folder) / "demo.db"
        with filled.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                self._flask("db", "upgrade")
                self._flask("demo")
                filled.write_bytes(database.read_bytes())
        database.write_bytes(filled.read_bytes())
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE handlers SET api_url = ?", (f"{self.simulator_url}/api",))

    def _flask(self, *arguments: str) -> None:
        """Run a command of the operator."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **self.environ}, check=True, capture_output=True)

    def stop_simulator(self) -> None:
        """From now on vCloud does not answer."""
        self._simulator_stack.close()

    def start_worker(self) -> Program:
        """One more worker process."""
        worker = self._start(f"worker-{len(self.workers)}", self._worker)
        self.workers.append(worker)
        return worker

    def operations(self) -> list[tuple[str, str]]:
        """Kind and state of every operation."""
        return self.read("SELECT kind, state FROM operations")

    def read(self, statement: str, *values: str) -> list[Any]:
        """Rows of the panel's database, read beside it."""
        with closing(sqlite3.connect(self.folder / "skiff.db")) as connection:
            return list(connection.execute(statement, values))

    def _start(self, name: str, arguments: Sequence[str]) -> Program:
        program = self._stack.enter_context(Program(arguments, self.folder / f"{name}.log", self.environ))
        self._programs.append(program)
        return program

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/sign-in", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def _folder_of_the_run(folder: Path) -> Path:
    """What pytest has given to this run of the suite, be it of one process or of several; `folder` is a test's."""
    return folder.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else folder.parent
