from collections.abc import Callable, Iterator

import pytest
import responses

from tests.vcloud.sockets import Script, Server
from tests.vcloud.support import Vcd


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
