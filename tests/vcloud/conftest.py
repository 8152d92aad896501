from collections.abc import Callable, Iterator

import pytest
import responses

from app.vcloud import Client, Login
from app.vcloud.query import version_key
from tests.vcloud.sockets import Script, Server
from tests.vcloud.support import Vcd
from vcdsim import Simulator


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    """Refuses every address that no test has named."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


@pytest.fixture
def vcd(mock: responses.RequestsMock) -> Vcd:
    """A 5.5 server that lets us in."""
    found = Vcd(mock)
    found.open()
    return found


@pytest.fixture
def vcd_39(mock: responses.RequestsMock) -> Vcd:
    """A 10.6 server that lets us in."""
    found = Vcd(mock, "39.1")
    found.open()
    return found


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Server]]:
    """Starts servers that do what a script says, and stops them in the end."""
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def sim() -> Simulator:
    """A simulated vCloud whose clock is moved by hand."""
    return Simulator("demo", manual_clock=True)


@pytest.fixture
def url(sim: Simulator) -> Iterator[str]:
    """Where the simulated vCloud answers."""
    with sim.serve() as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """The administrator of acme."""
    with Client(f"{url}/api", Login("acme", "acme-admin", "secret")) as found:
        yield found


@pytest.fixture(params=["5.5", "36.0", "39.1"])
def generation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes the client believe that this is the newest version it was written for, one of each generation."""
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(request.param), 1))
    return str(request.param)
