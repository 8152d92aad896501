"""The console: tickets, both generations, what is typed and what is seen."""

from collections.abc import Iterator

import pytest

from tests.vcdsim.talk import Talk
from tests.vcdsim.viewer import viewing
from vcdsim import Simulator


@pytest.fixture
def console(sim: Simulator) -> Iterator[Simulator]:
    """The demo world with its console on a free port, without TLS: that is a test of its own."""
    with sim.console.serve(tls=False):
        yield sim


def received(talk: Talk, name: str) -> str:
    return talk.sim.console.received(talk.vm(name).rpartition("vm-")[2])


@pytest.mark.parametrize("generation", ["legacy", "modern"])
def test_a_login_is_seen_and_what_is_typed_arrives_exactly(console: Simulator, talk: Talk, generation: str) -> None:
    console.console.options.generation = generation
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        viewer.type('Admin_42{~|"}')
        viewer.until('wiki login: Admin_42{~|"}')
        assert viewer.socket.subprotocol == {"legacy": "uint8utf8", "modern": "binary"}[generation]
    assert received(talk, "wiki") == 'Admin_42{~|"}'
