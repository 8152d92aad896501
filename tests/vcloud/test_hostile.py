"""Mutated, truncated and hostile answers: a value or a typed error each time, never more."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.vcloud import (
    Client,
    GuestCustomization,
    NewVApp,
    Unavailable,
    VAppNetwork,
    VcloudError,
    VmChange,
    Wiring,
)
from tests.vcloud.hostile import BODIES, serve
from tests.vcloud.support import (
    API,
    HOST,
    NETWORK,
    TASK,
    TEMPLATE,
    VAPP,
    VDC,
    VM_36,
    Vcd,
    error_body,
    fixture,
    records,
    templates,
    vm_row,
)

TEMPLATE_ROW = (
    '<VAppTemplateRecord catalogName="c" href="https://x/api/vAppTemplate/vappTemplate-'
    '33333333-0000-4000-8000-000000000001"/>'
)
ROWS = records(*(vm_row(number) for number in range(1, 4)))
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SESSIONS = "/cloudapi/1.0.0/sessions"

SHAPE = VmChange(
    cpu_count=3,
    disk_mb={"2000": 65536},
    new_disks_mb=(1024,),
    cards={0: None, 1: Wiring("lab"), 2: Wiring()},
    customization=GuestCustomization(True),
)

JOINED = VAppNetwork("joined", NETWORK, "bridged")
NETWORKS = etree.tostring(etree.fromstring(fixture("vapp-36").encode())[5]).decode()
MKS_TICKET = (
    '<MksTicket xmlns="http://www.vmware.com/vcloud/v1.5"><Host>10.0.0.1</Host><Vmx/><Ticket>cst</Ticket>'
    "<Port>902</Port></MksTicket>"
)

# What is asked, which path gets the mutated answer, and what would be a good one.
CALLS: dict[str, tuple[Callable[[Client], object], str, int, str]] = {
    "versions": (lambda client: client.versions(), "/api/versions", 200, fixture("versions-39")),
    "login": (lambda client: client.task(TASK), SESSIONS, 401, '{"minorErrorCode": "X", "message": "no"}'),
    "vm": (lambda client: client.vm(VM_36), "/api/vApp/vm-", 200, fixture("vm-36")),
    "vapp": (lambda client: client.vapp(VAPP), "/api/vApp/vapp-", 200, fixture("vapp-36")),
    "task": (lambda client: client.task(TASK), "/api/task/", 200, fixture("task-error-5.5")),
    "vdc": (lambda client: client.vdc(VDC), "/api/vdc/", 200, fixture("vdc-32")),
    "inventory": (lambda client: client.inventory(VDC), "/api/vdc/", 200, fixture("vdc-32")),
    "rows": (lambda client: client.vms(VDC), "/api/query", 200, ROWS),
    "rows of tasks": (lambda client: client.tasks_named("x", since=SINCE), "/api/query", 200, ROWS),
    "template": (templates, "vappTemplate-", 200, fixture("template-36")),
    "metadata": (templates, "/metadata", 200, fixture("metadata-36")),
    "refusal": (lambda client: client.power_on(VM_36), "/powerOn", 400, error_body("BUSY_ENTITY", "busy")),
    "command": (lambda client: client.delete(VM_36), "/api/vApp/vm-", 202, fixture("task-running-36")),
    "reconfiguration": (lambda client: client.reconfigure(VM_36, SHAPE), "/api/vApp/vm-", 200, fixture("vm-36")),
    "networks of a vapp": (lambda client: client.add_network(VAPP, JOINED), "/networkConfigSection/", 200, NETWORKS),
    "networks of a template": (
        lambda client: client.instantiate(VDC, NewVApp("shop", "", TEMPLATE)),
        "vappTemplate-",
        200,
        fixture("template-36"),
    ),
    "ticket": (lambda client: client.mks_ticket(VM_36), "/acquireMksTicket", 200, MKS_TICKET),
}
METHODS = {"login": ["POST"], "refusal": ["POST"], "command": ["DELETE"], "ticket": ["POST"]}
DOCTYPE = b'<!DOCTYPE Vm [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
FRAGMENTS = [
    *(b"\x00", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"<", b">", b"&", b"&a;", b"&b;", b"&#0;", b"&#x110000;"),
    *(b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x ?>", b'"', b"' a='1", b"<Vm/>", b"</Vm>", b"<a:b/>", b'xmlns=""'),
    *(b"-1", b"9" * 19, b"1e400", b"NaN", b"true", b"urn:vcloud:vm:", b"http://elsewhere.example/api/", b"/../"),
    *(b"{}", b"<html>", b"<x>" * 300, b"a" * 5000, b"\r\n\r\n", "\u202e\u2028".encode(), DOCTYPE),
]


@st.composite
def mutations(draw: st.DrawFn, good: bytes) -> bytes:
    """Return the good answer with some pieces cut out, doubled, overwritten or put in."""
    body = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(body)))
        until = min(len(body), at + draw(st.sampled_from([0, 1, 1, 4, 40, 4000])))
        piece = bytes(body[at:until])
        body[at:until] = draw(st.sampled_from([b"", piece * 2, *FRAGMENTS]) | st.binary(max_size=8))
    return bytes(body)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from(sorted(CALLS)))
    good = CALLS[name][3].encode()
    return name, draw(mutations(good) | st.binary(max_size=200))


def answer(mock: responses.RequestsMock, name: str, body: bytes) -> Client:
    """Return a client of a server that is good but for one answer."""
    vcd = Vcd(mock, "39.1")
    _, broken, status, _ = CALLS[name]
    address = re.compile(f"{HOST}.*{re.escape(broken)}[^/]*$")
    said = {"X-VMWARE-VCLOUD-ACCESS-TOKEN": "t"} if name == "login" else {}
    for _ in range(4):  # several answers to one request are given one after the other; we try three times
        for method in METHODS.get(name, ["GET"]):
            mock.add(method, address, body, status=status, headers=said)
    mock.add("POST", re.compile(f"{API}/vApp/.*/action/reconfigureVm"), fixture("task-running-36"))
    mock.add("PUT", re.compile(f"{API}/vApp/.*/networkConfigSection/"), fixture("task-running-36"))
    mock.add("POST", re.compile(f"{API}/vdc/.*/action/instantiateVAppTemplate"), fixture("vapp-created-5.5"))
    vcd.open()
    vcd.answer("GET", f"/task/{TASK.rpartition(':')[2]}", fixture("task-running-36"))
    vcd.answer("GET", "/query", records(TEMPLATE_ROW), query={"type": "vAppTemplate"})
    vcd.answer("GET", "/query", records())
    vcd.answer("GET", "/vAppTemplate/vappTemplate-33333333-0000-4000-8000-000000000001", fixture("template-36"))
    mock.add("GET", re.compile(f"{API}/vAppTemplate/.*/metadata"), fixture("metadata-36"))
    return vcd.client()


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(calls())
def test_whatever_comes_is_a_value_or_a_typed_error(call: tuple[str, bytes]) -> None:
    name, body = call
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock, answer(mock, name, body) as client:
        said = ""
        try:
            CALLS[name][0](client)
        except VcloudError as error:
            said = str(error)
        assert said.isprintable()
        assert len(said) < 3000
        assert all(str(sent.request.url).startswith(HOST) for sent in mock.calls)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["vm", "vapp", "vdc", "rows", "task", "versions"]), st.data())
def test_what_was_cut_short_is_no_answer(name: str, data: st.DataObject) -> None:
    good = CALLS[name][3].encode().rstrip()
    body = good[: data.draw(st.integers(0, len(good) - 1))]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        client = answer(mock, name, body)
        with client, pytest.raises(Unavailable):
            CALLS[name][0](client)


def test_each_good_answer_is_read_so_that_the_mutations_start_from_something() -> None:
    for name, (ask, _, status, good) in CALLS.items():
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            if status < 400:
                with answer(mock, name, good.encode()) as client:
                    assert ask(client) is not None, name


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[str, float, float]]:
    """What became of each hostile body in a process of its own: class of the error, peak of memory in MB, seconds."""
    with serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "tests.vcloud.hostile", url],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return {name: tuple(figures) for name, figures in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", BODIES)
def test_a_bomb_costs_little_and_is_no_answer(measured: dict[str, tuple[str, float, float]], name: str) -> None:
    outcome, peak_mb, took_s = measured[name]
    assert outcome == "Unavailable"
    assert peak_mb < 200
    assert took_s < 15
