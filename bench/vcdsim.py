"""How fast the simulator is: start of a world of 10,000 VMs, and one query page of 128 records.

`python -m bench.vcdsim [VMS]` prints the figures beside what they have to be; the exit status is 1
when one is missed. CPU times are of one core.
"""

import base64
import statistics
import sys
import time

from vcdsim import Simulator

VMS = 10_000
MOST_START_S, MOST_PAGE_MS = 3.0, 10.0
PAGES = {
    "first page": "type=vm&format=records&pageSize=128",
    "last page": "type=vm&format=records&pageSize=128&page=79",
    "filtered": "type=vm&format=records&pageSize=128&filter=isVAppTemplate==false;status==POWERED_ON",
    "by name": "type=vm&format=idrecords&pageSize=128&filter=name==vm-0500*",
    "vApps": "type=vApp&format=records&pageSize=128",
}
ROUNDS = 20


def main() -> int:
    """Print the table; 0 if every figure is good enough."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VMS
    began = time.process_time()
    simulator = Simulator(str(count))
    start_s = time.process_time() - began
    print(f"world of {count:,} VMs started in {start_s:.2f} s of CPU (at most {MOST_START_S})")
    headers = _log_in(simulator)
    medians = {name: _median_ms(simulator, headers, query) for name, query in PAGES.items()}
    for name, median_ms in medians.items():
        print(f"query page of 128, {name:10}: {median_ms:6.2f} ms of CPU (first page at most {MOST_PAGE_MS})")
    return int(start_s > MOST_START_S or medians["first page"] > MOST_PAGE_MS)


def _log_in(simulator: Simulator) -> dict[str, str]:
    headers = {"Accept": "application/*+xml;version=36.0"}
    basic = base64.b64encode(b"acme-admin@acme:secret").decode()
    answer = simulator.handle("POST", "/api/sessions", {**headers, "Authorization": f"Basic {basic}"}, b"")
    assert answer.status == 200, answer
    return {**headers, "x-vcloud-authorization": answer.headers["x-vcloud-authorization"]}


def _median_ms(simulator: Simulator, headers: dict[str, str], query: str) -> float:
    times_ms = []
    for _ in range(ROUNDS):
        began = time.process_time()
        answer = simulator.handle("GET", f"/api/query?{query}", headers, b"")
        times_ms.append((time.process_time() - began) * 1000)
        assert answer.status == 200, answer
    return statistics.median(times_ms)


if __name__ == "__main__":
    sys.exit(main())
