"""One address at which the simulators of all tests of a process answer, one after the other.

While nothing is wrong with the simulated vCloud, what the panel asks goes to it past the sockets, which halves the work
of a request. With a fault in force it goes through them, so that a line is really cut, slow or silent; the sockets
themselves are tested in tests/vcloud and tests/whole.
"""

import copy
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support import straight
from vcdsim import Answer, Simulator, state
from vcdsim.people import Session
from vcdsim.server import Server


class Front:
    """Serves whichever simulator is `current`, on a port that stays the same: panels write it down."""

    def __init__(self) -> None:
        self.current = Simulator("demo", manual_clock=True)
        self._server = Server("127.0.0.1", 0, self._handle)
        self.url = self._server.url

    @contextmanager
    def open(self) -> Iterator["Front"]:
        """Serve from a thread while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            with self._past_the_sockets():
                yield self
        finally:
            self._server.stop()
            thread.join()

    @contextmanager
    def _past_the_sockets(self) -> Iterator[None]:
        usual = HTTPAdapter.send

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            is_ours = (request.url or "").startswith(f"{self.url}/") and not how.get("proxies")
            if not is_ours or self.current.faults.all():
                return usual(adapter, request, **how)
            return straight.response(adapter, request, straight.ask(self.current, request))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", send)
            yield

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self.current.handle(method, path, headers, body)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A simulator as it was: its world, who was logged in, what it had been asked."""

    world: Any
    sessions: dict[str, Session]
    requests: list[tuple[str, str]]

    @classmethod
    def of(cls, simulator: Simulator) -> "Snapshot":
        """Remember it."""
        return cls(
            world=json.loads(simulator.dump()),
            sessions=copy.deepcopy(simulator.world.sessions),
            requests=list(simulator.requests),
        )

    def put_into(self, simulator: Simulator) -> None:
        """Make a new simulator the one that was remembered."""
        simulator.replace_world(state.from_data(self.world, simulator.clock))
        simulator.world.sessions.update(copy.deepcopy(self.sessions))
        simulator.requests[:] = self.requests
