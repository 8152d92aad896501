"""One simulated vCloud: world, clock, faults, HTTP. What tests and the command line use."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vcdsim import leases, models, state, tasks
from vcdsim.api import Answer, Api, operations
from vcdsim.clock import Clock
from vcdsim.console import Console
from vcdsim.control import Control
from vcdsim.faults import CONSOLE_SOCKET, Faults
from vcdsim.server import Server
from vcdsim.world import World

_KEPT_REQUESTS = 50_000


class Simulator:
    """A simulated vCloud of the world `demo`, `small` or a number of VMs.

    With `manual_clock` time moves only by `advance()` and `settle()`; otherwise everything that
    takes time takes 1/`speed` of it. `state_file` is loaded when it exists.
    """

    def __init__(
        self,
        world: str = "demo",
        *,
        manual_clock: bool = False,
        speed: float = 1.0,
        state_file: Path | None = None,
    ) -> None:
        models.check_name(world)
        self.clock = Clock(manual=manual_clock, speed=speed)
        loaded = state.load(state_file, self.clock) if state_file is not None else None
        self.world: World = loaded if loaded is not None else models.build(world, self.clock)
        self.faults = Faults(operations() | {CONSOLE_SOCKET})
        #: (method, path with query) of every request that reached the simulator, in order.
        self.requests: list[tuple[str, str]] = []
        self._lock = threading.RLock()
        self.console = Console(lambda: self.world, self._lock, self.faults)
        self._api = Api(self.world, self.console, self.faults)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request without a socket."""
        with self._lock:
            self.requests.append((method, path))
            if len(self.requests) > _KEPT_REQUESTS:
                del self.requests[: _KEPT_REQUESTS // 2]
            return self._api.handle(method, path, headers, body)

    def advance(self, seconds: float) -> None:
        """Move the manual clock; what became due happens."""
        with self._lock:
            self.clock.advance(seconds)
            leases.tick(self.world)

    def settle(self) -> None:
        """Move the manual clock until no task is unfinished, except stuck ones."""
        with self._lock:
            while (due := self.world.next_due()) is not None:
                self.clock.advance_to(due)
                leases.tick(self.world)

    def act_on_task(self, task_id: str, action: str) -> str:
        """`resume` or `abort` a task that waits, or `cancel` any; its status afterwards."""
        with self._lock:
            task = self.world.tasks.get(task_id)
            if task is None:
                raise ValueError(f"there is no task {task_id}")
            {"resume": tasks.resume, "abort": tasks.abort, "cancel": tasks.cancel}[action](self.world, task)
            return task.status

    def replace_world(self, world: World) -> None:
        """Go on with another world; all sessions of the old one are over."""
        with self._lock:
            self.world = self._api.world = world

    def expire_sessions(self) -> None:
        """All tokens become invalid."""
        with self._lock:
            self.world.sessions.clear()

    @contextmanager
    def serve(self, port: int = 0, host: str = "127.0.0.1", *, control: bool = False) -> Iterator[str]:
        """Serve over HTTP from a thread while the block runs; gives the base URL.

        With `control` faults, clock and world can be reached under `/vcdsim/`, from this machine only.
        """
        server = Server(host, port, self.handle, Control(self).handle if control else None)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            server.stop()
            thread.join()

    def save(self, path: Path) -> None:
        """Write the world to a file that `state_file` loads."""
        state.write(path, self.dump())

    def dump(self) -> str:
        """The world as the text of such a file."""
        with self._lock:
            leases.tick(self.world)
            return state.dump(self.world)
