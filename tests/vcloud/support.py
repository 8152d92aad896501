"""A scripted vCloud Director for tests of the client: each answer is written down, nothing is simulated."""

from pathlib import Path
from typing import Any

import responses
from responses import matchers

from app.vcloud import ApiToken, Client, Login, Timer, VappTemplate

FIXTURES = Path(__file__).parents[1] / "fixtures" / "vcloud"
HOST = "https://vcd.example"
API = f"{HOST}/api"
NAMESPACE = "http://www.vmware.com/vcloud/v1.5"
HASTY = Timer(sleep=lambda _: None)  # really waits for answers, and for nothing else
PASSWORD = "not-For-Logs-1"
TOKEN = "opaque-token-of-32-characters-00"
REQUEST_ID = "5bb40eb1-0000-4000-8000-000000000042"

VM = "urn:vcloud:vm:11111111-0000-4000-8000-000000000001"
VM_36 = "urn:vcloud:vm:22222222-0000-4000-8000-000000000001"
VAPP = "urn:vcloud:vapp:22222222-0000-4000-8000-0000000000aa"
VDC = "urn:vcloud:vdc:22222222-0000-4000-8000-0000000000dc"
TASK = "urn:vcloud:task:22222222-0000-4000-8000-0000000000ee"
TEMPLATE = "urn:vcloud:vapptemplate:33333333-0000-4000-8000-000000000001"
TEMPLATE_VM = "urn:vcloud:vm:33333333-0000-4000-8000-000000000002"
NETWORK = "urn:vcloud:network:22222222-0000-4000-8000-0000000000bb"


def fixture(name: str) -> str:
    """Return a hand-written answer in the shape of a real one."""
    return (FIXTURES / f"{name}.xml").read_text()


def error_body(minor_code: str, message: str, major_code: int = 400) -> str:
    """Return vCloud's error document."""
    return (
        f'<Error xmlns="{NAMESPACE}" minorErrorCode="{minor_code}" message="{message}" majorErrorCode="{major_code}"/>'
    )


def records(*rows: str, total: int | None = None, page: int = 1, page_size: int = 128, name: str = "vm") -> str:
    """Return one page of a listing; `total` as the rows, unless it shall differ."""
    stated = len(rows) if total is None else total
    return (
        f'<QueryResultRecords xmlns="{NAMESPACE}" name="{name}" page="{page}" pageSize="{page_size}" total="{stated}">'
        f'<Link rel="nextPage" href="https://elsewhere.example/api/query?page=1"/>{"".join(rows)}</QueryResultRecords>'
    )


def vm_row(number: int, **attributes: str) -> str:
    """Return a VMRecord as recorded from 5.x servers, with the attributes they do not document."""
    said = {
        "name": f"vm-{number}",
        "href": f"{API}/vApp/vm-00000000-0000-4000-8000-{number:012d}",
        "container": f"{API}/vApp/vapp-00000000-0000-4000-9000-{number:012d}",
        "containerName": f"vapp-{number}",
        "vdc": f"{API}/vdc/22222222-0000-4000-8000-0000000000dc",
        "guestOs": "CentOS 4/5/6/7 (64-bit)",
        "isBusy": "false",
        "isDeployed": "true",
        "isVAppTemplate": "false",
        "memoryMB": "2048",
        "numberOfCpus": "2",
        "status": "POWERED_ON",
        "storageProfileName": "Gold",
        "task": f"{API}/task/00000000-0000-4000-a000-{number:012d}",
        "taskStatusName": "vappDeploy",
        "vmToolsVersion": "2147483647",
    } | attributes
    return "<VMRecord " + " ".join(f'{name}="{value}"' for name, value in said.items()) + "/>"


def templates(client: Client) -> list[VappTemplate]:
    """Return every template, whole."""
    return [found for record in client.template_records() if (found := client.template(record))]


class Vcd:
    """Registers answers with `responses`; time passes only while the client sleeps."""

    def __init__(self, mock: responses.RequestsMock, version: str = "5.5") -> None:
        self.mock = mock
        self.slept_s: list[float] = []
        self.now_s = 0.0
        self.version = version

    def open(self) -> None:
        """Answer versions and login, any number of times."""
        self.answer(
            "GET", "/versions", fixture(f"versions-{self.version.split('.')[0]}{'.5' * (self.version == '5.5')}")
        )
        if self.version == "39.1":
            token = {"X-VMWARE-VCLOUD-ACCESS-TOKEN": TOKEN, "X-VMWARE-VCLOUD-TOKEN-TYPE": "Bearer"}
            self.mock.add("POST", f"{HOST}/cloudapi/1.0.0/sessions", json={"id": "urn:vcloud:session:1"}, headers=token)
        else:
            body = f'<Session xmlns="{NAMESPACE}" org="acme" user="acme-admin" href="{API}/session"/>'
            self.answer("POST", "/sessions", body, headers={"x-vcloud-authorization": TOKEN})

    def answer(
        self,
        method: str,
        path: str,
        body: str | bytes | Exception = "",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> None:
        """Answer a request; several for one request are given one after the other, the last one for ever."""
        match = [] if query is None else [matchers.query_param_matcher(query, strict_match=False)]
        said = {"X-VMWARE-VCLOUD-REQUEST-ID": REQUEST_ID, "Content-Type": "application/vnd.vmware.vcloud.x+xml"}
        self.mock.add(method, API + path, body, status=status, headers=said | (headers or {}), match=match)

    def client(self, **settings: Any) -> Client:
        """Return a client that never really sleeps."""
        login: Login | ApiToken = settings.pop("login", Login("acme", "acme-admin", PASSWORD))
        return Client(API, login, timer=Timer(self.sleep, lambda: self.now_s), **settings)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept_s.append(seconds)
        self.now_s += seconds

    @property
    def calls(self) -> list[str]:
        """Method and path of what was sent, without versions and login."""
        sent = [f"{call.request.method} {(call.request.url or '').removeprefix(API)}" for call in self.mock.calls]
        return [line for line in sent if "/versions" not in line and "/sessions" not in line]

    @property
    def last(self) -> Any:
        """The last request."""
        return self.mock.calls[-1].request
