"""Our client beside unmodified pyvcloud and libcloud against a vCloud that misbehaves, in one run.

    .venv/bin/python -m bench.client_faults [part of a name ...]

A simulator stands behind a line that spoils some answers (`faulty.py`). Each client works on each fault in a process of
its own that may take 20 s and 300 MB. *recovered*: the right answer in spite of the fault. *handled*: an error of the
client's own class. Everything else is a failure and named: no end, another class, a wrong answer, a token for another
host, too much memory. The first 16 are those of the first comparison, six of which pass by themselves; the others are
those of C1-C26 and D1-D8 that a client can do something about. Exits with 1 if ours fails one or does not recover from
one that passes.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from bench.faulty import (
    NAMESPACE,
    Act,
    Fault,
    Line,
    Proxy,
    cut,
    drip,
    edit,
    flood,
    proxy,
    redirect,
    refuse,
    reset,
    say,
    silence,
)
from bench.peers import ROOT, interpreter
from vcdsim import Simulator

DEADLINE_S, MEMORY_MOST_MB, RIGHT = 20, 300, 12
CLIENTS = "ours", "pyvcloud", "libcloud"
OWN = {"ours": "app.vcloud.", "pyvcloud": "pyvcloud.", "libcloud": "libcloud."}

FRAME = """
import json, resource, sys, time
url = sys.argv[1]
{prepare}
try:
{work}
    outcome = ["value", count]
except Exception as error:
    outcome = ["error", type(error).__module__ + "." + type(error).__name__]
print(json.dumps([*outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""
# Ours waits as the panel's engine does, a step at a time: a busy entity is tried again, a task that does not end is
# left for later and is no failure.
PREPARE = {
    "ours": """
from app.vcloud import Busy, Client, Limits, Login, Refused, TaskStatus, Unavailable
client = Client(url, Login("acme", "acme-admin", "secret"), limits=Limits(5, 10, 15))
[vdc] = client.vdcs()
[vapp] = client.vapps(vdc.id, "sandbox")
def send():
    for _ in range(5):
        try:
            return client.power_on(vapp.id)
        except Busy:
            time.sleep(0.5)
    raise Unavailable("busy for too long")
""",
    "pyvcloud": """
import logging
from pyvcloud.vcd.client import BasicLoginCredentials, Client, EntityType, QueryResultFormat
from pyvcloud.vcd.org import Org
from pyvcloud.vcd.vapp import VApp
from pyvcloud.vcd.vdc import VDC
client = Client(url, api_version="36.0")
client.set_credentials(BasicLoginCredentials("acme-admin", "acme", "secret"))
vdc = VDC(client, resource=Org(client, resource=client.get_org()).get_vdc("acme-vdc"))
vapp = VApp(client, resource=vdc.get_vapp("sandbox"))
def rows(kind):
    query = client.get_typed_query(kind, query_result_format=QueryResultFormat.RECORDS, page_size=128,
                                   qfilter="isVAppTemplate==false" if kind == "vm" else None)
    return list(query.execute())
""",
    "libcloud": """
from urllib.parse import urlsplit
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider
at = urlsplit(url)
driver = get_driver(Provider.VCLOUD)(
    "acme-admin@acme", "secret", host=at.hostname, port=at.port, secure=False, api_version="5.5")
node = driver.ex_find_node("sandbox")
""",
}
WORK = {
    "list": {
        "ours": "count = len(client.vms(vdc.id))",
        "pyvcloud": "count = len(rows('vm'))",
        "libcloud": "count = len(driver.ex_query('vm', filter='isVAppTemplate==false', page_size=128))",
    },
    "start": {
        "ours": """
task, until = send(), time.monotonic() + 8
while not task.status.final and time.monotonic() < until:
    time.sleep(0.5)
    task = client.task(task.id)
if task.status is not TaskStatus.SUCCESS:
    raise (Refused if task.status.final else Unavailable)(f"the task is {task.status}")
count = 12
""",
        "pyvcloud": """
client.get_task_monitor().wait_for_success(vapp.power_on(), timeout=8, poll_frequency=0.5)
count = 12
""",
        "libcloud": "count = 12 if driver.ex_power_on_node(node) else 0",
    },
    "open": {
        "ours": "count = len([client.vapp(row.id) for row in client.vapps(vdc.id)]) + 4",
        "pyvcloud": "count = len([VApp(client, href=row.get('href')).get_all_vms() for row in rows('vApp')]) + 4",
        "libcloud": "count = len(driver.list_nodes()) + 4",
    },
}
QUERY, TASK, POWER, VAPP = ("type=vm",), ("/api/task/",), ("POST", "/power/"), ("GET /api/vApp/vapp-",)
HTML = "<html><body><h1>Sign in</h1><hr><p>Bad gateway</body></html>"


@dataclass(frozen=True)
class Case:
    """A fault, what is asked meanwhile, and which requests it spoils: the first `times`, or all."""

    name: str
    act: Act
    work: str = "list"
    where: tuple[str, ...] = QUERY
    times: int | None = None
    passes: bool = False
    error_only: bool = False  # an answer can not be right
    unheard: bool = False  # vCloud never learns of the request


def rows(pattern: str, to: str) -> Act:
    """Change the rows of a listing."""
    return edit(lambda body, _: re.sub(pattern.encode(), to.encode(), body))


def tasks(attributes: str, inside: str = "") -> Act:
    """Change what is said of the task."""

    def change(body: bytes, _: Line) -> bytes:
        body = re.sub(rb'(<Task [^>]*)status="\w+"', rb"\1" + attributes.encode(), body)
        return body.replace(b"</Task>", inside.encode() + b"</Task>")

    return edit(change)


def links(to: Callable[[Line], str]) -> Act:
    """Let hrefs lead elsewhere."""
    return edit(lambda body, line: re.sub(rb'href="http://[^/"]+', b'href="' + to(line).encode(), body))


def prefixed(body: bytes, _: Line) -> bytes:
    """Say the same with a prefix, and with an attribute and an element nobody knows."""
    body = re.sub(rb"<(/?)(?=[A-Z])", rb"<\1q:", body.replace(b' xmlns="', b' xmlns:q="', 1))
    body = body.replace(b"<q:VMRecord ", b'<q:VMRecord future="1" ')
    return re.sub(rb"(<q:Link )", rb"<q:Link><q:Novelty/></q:Link>\1", body, count=1)


def bomb(body: str) -> Act:
    """Answer a document that wants to hurt."""
    return say(200, body, Content_Type="application/vnd.vmware.vcloud.query.records+xml")


NEXT = '<Link rel="nextPage" type="application/vnd.vmware.vcloud.query.records+xml" href="{}"/></QueryResultRecords>'
ROOT_TAG = f'<QueryResultRecords xmlns="{NAMESPACE}" name="vm" page="1" pageSize="128" total="1"'
LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
FIRST = [
    Case("503 with Retry-After (C3)", say(503, HTML, Retry_After="1"), times=1, passes=True),
    Case("429 (C4)", say(429), times=1, passes=True),
    Case("401 in the middle (C5)", say(401), times=1, passes=True),
    Case("connection reset (C11)", reset, times=1, passes=True),
    Case("cut body (C12)", cut, times=1, passes=True),
    Case(
        "BUSY_ENTITY (C7)",
        refuse(400, "BUSY_ENTITY"),
        "start",
        ("/power/action/powerOn",),
        times=2,
        unheard=True,
        passes=True,
    ),
    Case("no answer (C9)", silence, error_only=True),
    Case("one byte a second (C19)", drip, error_only=True),
    Case("600 MB (C20)", flood, error_only=True),
    Case(
        "next page is this page (C17)",
        edit(
            lambda b, line: b.replace(
                b"</QueryResultRecords>", NEXT.format(line.server.url + line.path.replace("&", "&amp;")).encode()
            )
        ),
    ),
    Case("task that never ends (D1)", tasks('status="running"'), "start", TASK, error_only=True),
    Case("502 HTML (C2)", say(502, HTML, Content_Type="text/html"), error_only=True),
    Case("empty 200 (C13)", say(200), error_only=True),
    Case("wrong total (C17)", rows('total="[0-9]+"', 'total="13"'), error_only=True),
    Case("hrefs to another host (C22)", links(lambda line: line.server.elsewhere), "open", ("type=vApp", *VAPP)),
    Case("redirect to another host (C23)", redirect, error_only=True),
]
GROWN = [
    Case("500 of vCloud (C1)", refuse(500, "INTERNAL_SERVER_ERROR"), error_only=True),
    Case("403 (C6)", refuse(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN"), error_only=True),
    Case("404 for a known vApp (C8)", refuse(404, "RESOURCE_NOT_FOUND"), "open", VAPP, error_only=True),
    Case("accepted, then silence (C10)", silence, "start", ("/power/action/powerOn",), error_only=True),
    Case("accepted, then reset (C11)", reset, "start", ("/power/action/powerOn",), error_only=True),
    Case("200 HTML (C14)", say(200, HTML, Content_Type="text/html"), error_only=True),
    Case("another prefix, more attributes (C15)", edit(prefixed)),
    Case("unknown status of a VM (C16)", rows('status="POWERED_ON"', 'status="LEVITATING"')),
    Case("unknown status of a task (C16)", tasks('status="levitating"'), "start", TASK, times=2),
    Case("row without href (C18)", rows('(<VMRecord[^>]*?) href="[^"]*"', r"\1"), error_only=True),
    Case("row without name (C18)", rows('(<VMRecord[^>]*?) name="[^"]*"', r"\1"), error_only=True),
    Case("the same row twice (C18)", rows("(<VMRecord [^>]*/>)<VMRecord [^>]*/>", r"\1\1"), error_only=True),
    Case(
        "entity bomb (C21)",
        bomb(f'<!DOCTYPE q [<!ENTITY e0 "lol">{LAUGHS}]>{ROOT_TAG}>&e9;</QueryResultRecords>'),
        error_only=True,
    ),
    Case("200,000 levels (C21)", bomb(ROOT_TAG + ">" + "<a>" * 200_000), error_only=True),
    Case(
        "200,000 attributes (C21)",
        bomb(ROOT_TAG + "".join(f' a{n}="1"' for n in range(200_000)) + ">"),
        error_only=True,
    ),
    Case("NUL (C21)", bomb(f"{ROOT_TAG}><VMRecord name='\x00'/></QueryResultRecords>"), error_only=True),
    Case("invalid UTF-8 (C21)", edit(lambda body, _: body.replace(b'name="', b'name="\xff', 3)), error_only=True),
    Case("hrefs to another scheme (C22)", links(lambda _: "ftp://127.0.0.1:1"), "open", ("type=vApp", *VAPP)),
    Case("hrefs with .. (C22)", links(lambda line: f"{line.server.url}/x/.."), "open", ("type=vApp", *VAPP)),
    Case("our version withdrawn (C25)", refuse(406, "NOT_ACCEPTABLE"), times=1, passes=True),
    Case(
        "task ends in error (D2)",
        tasks('status="error"', '<Error majorErrorCode="500" message="x" minorErrorCode="X"/>'),
        "start",
        TASK,
        error_only=True,
    ),
    Case("task aborted (D3)", tasks('status="aborted"'), "start", TASK, error_only=True),
    Case("task canceled (D3)", tasks('status="canceled"'), "start", TASK, error_only=True),
    Case("task gone (D4)", refuse(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN"), "start", TASK, error_only=True),
    Case("progress runs backwards (D6)", tasks('status="running"', "<Progress>5</Progress>"), "start", TASK, times=2),
    Case("task waits for the provider (D7)", tasks('status="preRunning"'), "start", TASK, error_only=True),
]


def run(line: Proxy, case: Case, client: str) -> str:
    """Return what became of it."""
    code = FRAME.format(prepare=PREPARE[client] + "\n" + ARM, work=indented(WORK[case.work][client]))
    line.fault = Fault(case.where, case.act, case.times, case.unheard)
    line.foreign.leaks = 0  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [interpreter(client), "-c", code, line.url],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT) if client == "ours" else ""},
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "no end"
    if line.foreign.leaks:  # type: ignore[attr-defined]
        return "token leaked"
    if done.returncode or not line.fault.hits:
        return f"broken: {(done.stderr or 'the fault was not met').strip().splitlines()[-1][:40]}"
    return verdict(case, client, *json.loads(done.stdout.splitlines()[-1]))


def verdict(case: Case, client: str, kind: str, said: object, peak_mb: int) -> str:
    """Judge what the client's process printed."""
    if peak_mb > MEMORY_MOST_MB:
        return f"{peak_mb} MB"
    if kind == "error":
        return "handled" if str(said).startswith(OWN[client]) else str(said).rpartition(".")[2]
    return "recovered" if said == RIGHT and not case.error_only else f"answers {said}"


def indented(text: str) -> str:
    """Return lines for the inside of a try."""
    return "\n".join(f"    {part}" for part in text.strip().splitlines())


ARM = """
import urllib.request
urllib.request.urlopen(urllib.request.Request(url + "/arm", method="PUT")).read()
"""


def main(parts: list[str]) -> int:
    """Run all, or those whose names hold one of the parts."""
    good = dict.fromkeys(CLIENTS, 0)
    wrong: list[str] = []
    print(f"{'':42}" + "".join(f"{client:24}" for client in CLIENTS))
    chosen = [case for case in FIRST + GROWN if not parts or any(part in case.name for part in parts)]
    for number, case in enumerate(chosen):
        found = {}
        for client in CLIENTS:
            with Simulator("demo", speed=60).serve() as url, proxy(url) as line:
                found[client] = run(line, case, client)
            good[client] += found[client] in {"handled", "recovered"}
        print(f"{case.name:42}" + "".join(f"{outcome:24}" for outcome in found.values()), flush=True)
        if found["ours"] != "recovered" and (case.passes or found["ours"] != "handled"):
            wrong.append(case.name)
        if number + 1 in {len(FIRST), len(chosen)}:
            of = f"of {number + 1}"
            print(f"{'':42}" + "".join(f"{f'{good[client]} {of}':24}" for client in CLIENTS) + "\n", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
