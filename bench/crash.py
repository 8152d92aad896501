"""Twenty creations while the worker is killed with SIGKILL at random moments: twenty servers, none twice.

    .venv/bin/python -m bench.crash [creations] [seed]

Starts a whole panel of its own with a simulator, asks for the servers over HTTP, and kills the worker once during
each creation. Prints a table and exits with 1 if a server is missing, doubled or not as asked.
"""

import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.support.customer import Customer
from tests.support.live import LivePanel
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until

DEADLINE_S = 600


def main(count: int, seed: int) -> int:
    """Run it; the seed decides when the worker dies."""
    chance = random.Random(seed)
    redis = RedisServer()
    redis.start()
    with tempfile.TemporaryDirectory() as folder, LivePanel(Path(folder), redis.url) as panel:
        started = time.monotonic()
        customer = Customer(panel.url)
        for number in range(count):
            customer.create(f"crash-{number:02}")
            # Somewhere within the life of a creation, which takes about 15 s at this speed of the simulator.
            threading.Event().wait(chance.uniform(0, 3))
            panel.workers[-1].stop(signal.SIGKILL)
            panel.start_worker()
        wait_until(lambda: _all_rest(panel), "every operation ends", deadline_s=DEADLINE_S)
        took_s = time.monotonic() - started
        failures = _report(panel, count, took_s)
    redis.remove()
    return 1 if failures else 0


def _all_rest(panel: LivePanel) -> bool:
    return all(state not in {"queued", "running"} for _, state in panel.operations())


def _report(panel: LivePanel, count: int, took_s: float) -> int:
    states = Counter(state for _, state in panel.operations())
    made = Counter(v.name for v in panel.simulator.world.vapps.values() if v.name.startswith("crash-"))
    running = sum(vm.power == "on" for vm in panel.simulator.world.vms.values() if vm.name.startswith("crash-"))
    sent = sum(path.endswith("/action/instantiateVAppTemplate") for _, path in panel.simulator.requests)
    doubled = sum(number > 1 for number in made.values())
    print(f"creations asked      {count}")
    print(f"workers killed       {len(panel.workers) - 1}")
    print(f"operations by state  {dict(states)}")
    print(f"servers made         {sum(made.values())}, running {running}, doubled {doubled}")
    print(f"requests to create   {sent}")
    print(f"time                 {took_s:.0f} s")
    return 0 if (len(made), doubled, running, states["succeeded"]) == (count, 0, count, count) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
