"""Serves a simulated vCloud whose answers are rendered once and then only repeated.

    .venv/bin/python -m bench.replay VMS

What is measured against it is the side that asks: the server takes a fraction of a millisecond for each answer,
whatever the simulator took for the first one. Everybody who asks for the same page gets the same bytes.
`POST /vcdsim/change` changes one machine of a hundred, each in a vApp of its own as far as there are so many, and has
every page rendered anew; `POST /vcdsim/latency` with {"latency_s"} holds every answer up; `GET` and `DELETE
/vcdsim/requests` count. Documents of vApps are not kept above 20,000 machines: they would fill the memory.
"""

import json
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace

from vcdsim import Simulator
from vcdsim.api import Answer
from vcdsim.server import Server
from vcdsim.world import World

KEPT_DOCUMENTS_MOST = 20_000

NETWORK_MOST = 60_000
"""A network of the simulator's worlds has so many addresses; above, there are several data centers to begin with."""


def _join(world: World) -> None:
    """Make one data center of those of the customer."""
    first, *others = [vdc for vdc in world.vdcs.values() if vdc.vapp_ids]
    for other in others:
        for thing in (*map(world.vapps.get, other.vapp_ids), *world.vms.values()):
            if thing is not None and thing.vdc_id == other.id:
                thing.vdc_id = first.id
        first.vapp_ids += other.vapp_ids
        first.network_ids += other.network_ids
        other.vapp_ids, other.network_ids = [], []


class Replay:
    """A simulator that answers each question once."""

    def __init__(self, vms: int) -> None:
        self._simulator = Simulator(f"{vms}/{-(-vms // NETWORK_MOST)}", manual_clock=True)
        _join(self._simulator.world)
        self._keeps_documents = vms <= KEPT_DOCUMENTS_MOST
        self._kept: dict[tuple[str, str], Answer] = {}
        self._lock = threading.Lock()
        self._requests = 0
        self._latency_s = 0.0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a question as it was answered before."""
        with self._lock:
            self._requests += 1
            answer = self._kept.get((method, path))
            if answer is None:
                answer = self._simulator.handle(method, path, headers, body)
                if self._keeps_documents or "/vApp/" not in path:
                    self._kept[method, path] = answer
        return replace(answer, delay_s=self._latency_s) if self._latency_s else answer

    def control(self, method: str, path: str, body: bytes) -> Answer:
        """What the bench asks for."""
        name = path.removeprefix("/vcdsim/")
        with self._lock:
            found = 0
            if name == "change":
                found = self._change()
            elif name == "latency":
                self._latency_s = json.loads(body)["latency_s"]
            elif method == "GET":
                found = self._requests
            else:
                self._requests = 0
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(found).encode())

    def _change(self) -> int:
        """Give one machine of a hundred more memory; returns how many."""
        machines = list(self._simulator.world.vms.values())[::100]
        for machine in machines:
            machine.memory_mb += 1024
        self._simulator.world.changed()
        self._kept = {key: answer for key, answer in self._kept.items() if "sessions" in key[1]}
        return len(machines)


def main() -> None:
    """Serve until told to stop."""
    replay = Replay(int(sys.argv[1]))
    server = Server("127.0.0.1", 0, replay.handle, replay.control)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"at {server.url}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
