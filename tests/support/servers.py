"""Real servers for tests, each a private one in a temporary folder that ends with the test run."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import redis

from tests.support.waiting import wait_until
from tools import redis_server
from tools.tether import tethered


class RedisServer:
    """An embedded server on a unix socket; `kill` and `start` again for tests of what happens then."""

    def __init__(self) -> None:
        self.folder = redis_server.new_socket_folder()
        self.url = redis_server.url(self.folder / "r.sock")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = redis_server.command(redis_server.find_server(), self.folder / "r.sock", self.folder)
        self._process = subprocess.Popen(tethered(command), stdout=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: redis_server.answers(self.folder / "r.sock"), "the embedded Redis answers")

    def kill(self) -> None:
        """End it without a word, as a power cut would. What it had written stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Forget everything."""
        redis.Redis.from_url(self.url).flushall()

    def remove(self) -> None:
        """End it and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder)


class PostgresServer:
    """A cluster of its own on a private unix socket; run as user postgres where we are root, as it demands."""

    # Ends the server when our end of its standard input closes, so also when this process is killed.
    _GUARD = '"$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server; wait $server'

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="skiff-pg-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the database `postgres` of this server."""
        return f"postgresql://skiff@/postgres?host={self._folder}"

    def start(self) -> None:
        """Make the cluster, start it and wait until it answers. Nothing is flushed to disk: it is thrown away."""
        data = self._folder / "data"
        initdb = [str(self._binaries / "initdb"), *f"-D {data} -U skiff -A trust -E UTF8 --locale=C -N".split()]
        subprocess.run(initdb, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL, check=True)
        options = ("-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off", "-clisten_addresses=")
        server = [str(self._binaries / "postgres"), *f"-D {data} -k {self._folder}".split(), *options]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._GUARD, "sh", *server],
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.answers, f"PostgreSQL answers ({self._folder / 'log'})")

    def answers(self) -> bool:
        """Whether it accepts connections."""
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def remove(self) -> None:
        """End it and delete its folder."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self._folder)


def find_postgres() -> Path | None:
    """Folder of the newest installed server's programs; Debian keeps them off PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None
