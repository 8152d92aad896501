"""How fast the simulator is: start of a world of 10,000 VMs, and query pages of 128 records of every kind.

`python -m bench.vcdsim [VMS]` prints the figures beside what they have to be; the exit status is 1
when one is missed. CPU times are of one core, and the best of several rounds over all pages: that is what a page costs.
"""

import base64
import sys
import time
from collections.abc import Iterator

from vcdsim import Simulator

VMS = 10_000
MOST_START_S, MOST_PAGE_MS = 3.0, 10.0
ROUNDS = 20
TENANT, PROVIDER = "acme-admin@acme", "administrator@System"
VERSIONS = ("5.5", "36.0", "39.1")
_OF_VDC = "filter=(vdc=={vdc};isVAppTemplate==false)"
#: Who asks, for which type, with what; `{vdc}`, `{middle}` and `{last}` are filled in.
PAGES = (
    (TENANT, "vm", ""),
    (TENANT, "vm", "page={middle}"),
    (TENANT, "vm", "page={last}"),
    (TENANT, "vm", "format=idrecords"),
    (TENANT, "vm", _OF_VDC),
    (TENANT, "vm", _OF_VDC + "&sortAsc=name&page=2"),
    (TENANT, "vm", "filter=isVAppTemplate==false&page={middle}"),
    (TENANT, "vm", "filter=isVAppTemplate==false;status==POWERED_ON"),
    (TENANT, "vm", "filter=name==vm-0*"),
    (TENANT, "vm", "filter=name==*7*;memoryMB=ge=4096"),
    (TENANT, "vm", "filter=(status==POWERED_OFF,status==SUSPENDED);containerName!=vapp-00001"),
    (TENANT, "vm", "filter=metadata:tier==STRING:3"),
    (TENANT, "vm", "filter=metadata:tier==STRING:3&fields=name,status,metadata:tier"),
    (TENANT, "vm", "sortAsc=name"),
    (TENANT, "vm", "sortAsc=name&page={middle}"),
    (TENANT, "vm", "sortDesc=networkName&page={last}"),
    (TENANT, "vm", "sortDesc=memoryMB&filter=isVAppTemplate==false"),
    (PROVIDER, "adminVM", ""),
    (PROVIDER, "adminVM", "page={middle}"),
    (PROVIDER, "adminVM", _OF_VDC),
    (PROVIDER, "adminVM", "filter=isVAppTemplate==false;status==POWERED_ON&sortAsc=name"),
    (TENANT, "vApp", ""),
    (TENANT, "vApp", "filter=vdc=={vdc}&sortAsc=name"),
    (TENANT, "vApp", "filter=status==POWERED_OFF,status==MIXED"),
    (TENANT, "vApp", "filter=name==vapp-00*&sortDesc=creationDate"),
    (PROVIDER, "adminVApp", ""),
    (PROVIDER, "adminVApp", "filter=isDeployed==true&sortAsc=name"),
    (TENANT, "task", ""),
    (TENANT, "task", "sortDesc=startDate"),
    (TENANT, "task", "filter=status==success;objectType==vm&page={middle}"),
    (TENANT, "task", "filter=startDate=gt=2020-01-01T00:00:00.000Z;(objectType==vm,objectType==vApp)"),
    (TENANT, "task", "filter=objectName==vm-05000"),
    (PROVIDER, "adminTask", "filter=status==running"),
)


def main() -> int:
    """Print the table; 0 if every figure is good enough."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VMS
    began = time.process_time()
    simulator = Simulator(str(count), manual_clock=True)
    start_s = time.process_time() - began
    print(f"world of {count:,} VMs started in {start_s:.2f} s of CPU (at most {MOST_START_S})")
    _label(simulator)
    print(f"query pages of 128 with {len(simulator.world.tasks):,} tasks, ms of CPU (at most {MOST_PAGE_MS} each):")
    print(f"{' ':100}" + "".join(f"{version:>6}" for version in VERSIONS))
    slowest_ms = 0.0
    rounds = [dict(_pages(simulator)) for _ in range(ROUNDS)]
    for what in rounds[0]:
        best_ms = [min(times_ms) for times_ms in zip(*(one[what] for one in rounds), strict=True)]
        print(f"{what:100}" + "".join(f"{one:6.2f}" for one in best_ms))
        slowest_ms = max(slowest_ms, *best_ms)
    print(f"slowest: {slowest_ms:.2f} ms")
    return int(start_s > MOST_START_S or slowest_ms > MOST_PAGE_MS)


def _label(simulator: Simulator) -> None:
    """Write metadata to every VM, which leaves as many tasks behind."""
    headers = _log_in(simulator, TENANT)
    xmlns = 'xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    value = '<TypedValue xsi:type="MetadataStringValue"><Value>{}</Value></TypedValue>'
    for number, vm_id in enumerate(simulator.world.vms):
        body = f"<MetadataValue {xmlns}>{value.format(number % 10)}</MetadataValue>".encode()
        answer = simulator.handle("PUT", f"/api/vApp/vm-{vm_id}/metadata/tier", headers, body)
        assert answer.status == 202, answer
    simulator.settle()


def _pages(simulator: Simulator) -> Iterator[tuple[str, list[float]]]:
    """(the query, its time in ms at each version) of every page."""
    world = simulator.world
    vdc = next(one for one in world.vdcs.values() if one.vapp_ids)
    sizes = {"vm": len(world.vms), "vapp": len(world.vapps), "task": len(world.tasks)}
    headers = {who: _log_in(simulator, who) for who in (TENANT, PROVIDER)}
    for who, kind, query in PAGES:
        last = -(-sizes[kind.lower().removeprefix("admin")] // 128)
        places = {"vdc": f"http://vcdsim.test/api/vdc/{vdc.id}", "middle": -(-last // 2), "last": last}
        path = f"/api/query?type={kind}&pageSize=128&{query.format(**places)}"
        accepts = [{"Accept": f"application/*+xml;version={version}"} for version in VERSIONS]
        yield f"{kind} {query}", [_time_ms(simulator, {**headers[who], **accept}, path) for accept in accepts]


def _log_in(simulator: Simulator, who: str) -> dict[str, str]:
    """Headers of a session; the version is chosen per request."""
    basic = base64.b64encode(f"{who}:secret".encode()).decode()
    headers = {"Accept": "application/*+xml;version=36.0", "Authorization": f"Basic {basic}"}
    answer = simulator.handle("POST", "/api/sessions", headers, b"")
    assert answer.status == 200, answer
    return {"Accept": headers["Accept"], "x-vcloud-authorization": answer.headers["x-vcloud-authorization"]}


def _time_ms(simulator: Simulator, headers: dict[str, str], path: str) -> float:
    began = time.process_time()
    answer = simulator.handle("GET", path, headers, b"")
    time_ms = (time.process_time() - began) * 1000
    assert answer.status == 200, answer
    return time_ms


if __name__ == "__main__":
    sys.exit(main())
