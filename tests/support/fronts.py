"""One more way into a running panel: a web server and a console gateway with settings of their own."""

import json
import sqlite3
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError

from tests.support import nginx
from tests.support.live import LivePanel
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.waiting import wait_until

NAME = "panel.example"


class Front:
    """`url` is its address. With `proxy` (the program) it is https, behind a real nginx at `https_port` of 127.0.0.1.

    Browsers find that port by a rule of theirs: the address has none, as in production.
    """

    def __init__(self, panel: LivePanel, folder: Path, *, proxy: Path | None = None, **settings: str) -> None:
        self.port, self.console_port, self.https_port = (free_port() for _ in range(3))
        self.url = f"https://{NAME}" if proxy else f"http://127.0.0.1:{self.port}"
        self.simulator = panel.simulator
        self._panel = panel
        self._folder = folder
        self._proxy = proxy
        self._settings = settings
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def logs(self) -> str:
        """Everything that its processes have printed."""
        return "".join(file.read_text(errors="replace") for file in sorted(self._folder.glob("*.log")))

    def _start(self) -> None:
        ports = {"PORT": str(self.port), "CONSOLE_PORT": str(self.console_port), "PUBLIC_URL": self.url}
        environ = {**self._panel.environ, **ports, **self._settings}
        if self._proxy is not None:
            environ["TRUSTED_PROXIES"] = "1"
            ways = {8080: self.port, 8082: self.console_port}
            upstreams = {f"127.0.0.1:{ours}": f"127.0.0.1:{theirs}" for ours, theirs in ways.items()}
            self._stack.enter_context(nginx.running(self._proxy, self._folder, upstreams, https=self.https_port))
        self._serve_consoles()
        web = ["-m", "gunicorn", "wsgi:app", "-b", f"127.0.0.1:{self.port}", "--threads", "8", "--no-control-socket"]
        for name, arguments in (("web", web), ("console", ["-m", "app.console_gateway"])):
            program = self._stack.enter_context(Program(arguments, self._folder / f"{name}.log", environ))
            self._stack.callback(program.process.kill)  # nothing is to be saved, and a polite end takes seconds
        pages = [f"http://127.0.0.1:{self.port}/sign-in", f"http://127.0.0.1:{self.console_port}/console/health"]
        wait_until(lambda: all(map(_answers, pages)), "panel and gateway answer", deadline_s=30)

    def _serve_consoles(self) -> None:
        """Have the simulated vCloud serve screens, and the panel know where and with which certificate."""
        address = self._stack.enter_context(self.simulator.console.serve())
        values = json.dumps([address.removeprefix("wss://")]), str(self.simulator.console.certificate)
        with closing(sqlite3.connect(self._panel.folder / "skiff.db", timeout=10)) as connection, connection:
            connection.execute("UPDATE handlers SET console_hosts = ?, ca_file = ?", values)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
