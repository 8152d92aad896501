"""What can be made to go wrong with the console, and what can be asked about it."""

import http.client
import io
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.vcdsim.talk import Talk
from tests.vcdsim.viewer import TIGHT_PNG, Viewer, ticket_for, upgraded, viewing
from vcdsim import Simulator, error


@pytest.fixture
def console(sim: Simulator) -> Iterator[Simulator]:
    """The demo world with its console on a free port."""
    with sim.console.serve(tls=False):
        yield sim


def id_of(talk: Talk, name: str) -> str:
    return talk.vm(name).rpartition("vm-")[2]


def test_a_ticket_can_be_refused(console: Simulator, talk: Talk) -> None:
    console.faults.add("console", error=error("BUSY_ENTITY", "busy"))
    reply = talk.send("POST", f"{talk.vm('wiki')}/screen/action/acquireMksTicket")
    assert (reply.status, reply.error[0]) == (400, "BUSY_ENTITY")


@pytest.mark.parametrize("status", [403, 503, 599])
def test_the_upgrade_can_be_refused_and_the_ticket_is_still_good(console: Simulator, talk: Talk, status: int) -> None:
    console.faults.add("consoleSocket", http_status=status)
    ticket = ticket_for(talk, "wiki")
    with pytest.raises(InvalidStatus, match=str(status)), upgraded(console, ticket):
        pass
    with upgraded(console, ticket):
        pass


def test_the_upgrade_can_be_slow(console: Simulator, talk: Talk) -> None:
    console.faults.add("consoleSocket", latency_s=0.05)
    ticket, began = ticket_for(talk, "wiki"), time.monotonic()
    with upgraded(console, ticket):
        assert time.monotonic() - began >= 0.05


def test_the_line_can_be_cut_at_the_upgrade(console: Simulator, talk: Talk) -> None:
    console.faults.add("consoleSocket", drop_request=True)
    with pytest.raises((InvalidMessage, EOFError, ConnectionError)), upgraded(console, ticket_for(talk, "wiki")):
        pass


def test_nobody_listens_where_the_tickets_of_a_dead_cell_lead(sim: Simulator, talk: Talk) -> None:
    with sim.console.serve(tls=False):
        pass
    with pytest.raises(ConnectionRefusedError), upgraded(sim, ticket_for(talk, "wiki")):
        pass


@pytest.mark.parametrize(("code", "seen"), [(None, 1006), (1011, 1011)])
def test_the_cell_can_go_away_in_the_middle(console: Simulator, talk: Talk, code: int | None, seen: int) -> None:
    console.faults.add("consoleSocket", cut_after=100, close_code=code)
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        viewer = Viewer(socket)
        viewer.shake_hands("")
        viewer.accept((TIGHT_PNG,))
        viewer.ask(is_full=True)
        assert viewer.closed()[0] == seen


def test_the_cell_can_close_with_a_code_at_once(console: Simulator, talk: Talk) -> None:
    console.faults.add("consoleSocket", cut_after=0, close_code=1008)
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        assert Viewer(socket).closed()[0] == 1008


def test_the_cell_can_fall_silent(console: Simulator, talk: Talk) -> None:
    console.faults.add("consoleSocket", truncate_to=12)
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        assert socket.recv(10) == b"RFB 003.008\n"
        silent = Viewer(socket)
        silent.send(b"RFB 003.008\n\1\1")
        silent.type("a")
        with viewing(talk, "wiki") as other:
            other.until("login: a")
        console.console.close(id_of(talk, "wiki"))
        with pytest.raises(ConnectionClosed):
            socket.recv(10)


def test_the_cell_can_talk_nonsense(console: Simulator, talk: Talk) -> None:
    console.faults.add("consoleSocket", garble_after=4)
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        got = socket.recv(10)
    assert len(got) == 12
    assert got[:4] == b"RFB "
    assert got != b"RFB 003.008\n"


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "vm", "garble_after": 1},
        {"operation": "consoleSocket", "close_code": 1000},
        {"operation": "consoleSocket", "close_code": 1006, "cut_after": 0},
        {"operation": "consoleSocket", "close_code": 5000, "cut_after": 0},
    ],
)
def test_a_fault_of_the_console_that_could_never_hit_is_refused(sim: Simulator, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="close_code"):
        sim.faults.add(**fault)


def test_the_connections_to_a_vm_can_be_closed(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer, viewing(talk, "shop-db") as other:
        console.console.close(id_of(talk, "wiki"), 1001, "the cell stops")
        assert viewer.closed() == (1001, "the cell stops")
        other.until("shop-db login:")
    first = console.console.connections[0]
    assert (first.vm_id, first.subprotocol, first.state) == (id_of(talk, "wiki"), "binary", "closed")
    assert (first.close_code, first.close_reason) == (1001, "the cell stops")


def test_a_movie_comes_as_fast_and_as_big_as_ordered(console: Simulator, talk: Talk) -> None:
    console.console.options.change({"movie_updates_s": 50, "movie_bytes": 20_000})
    sizes, began = [], time.monotonic()
    with viewing(talk, "wiki", (TIGHT_PNG,)) as viewer:
        for _ in range(10):
            header = viewer.take(4 + 12 + 1)
            assert struct.unpack(">BBHHHHHi", header[:16]) == (0, 1, 1, 0, 0, 81, 81, TIGHT_PNG)
            sizes.append(viewer.compact_length())
            file = viewer.take(sizes[-1])
            with Image.open(io.BytesIO(file)) as picture:
                picture.load()
                assert began * 1e9 < int(picture.info["sent"]) <= time.monotonic_ns()
            viewer.ask()
    assert all(19_000 < size < 21_000 for size in sizes)
    assert time.monotonic() - began > 0.15


@pytest.mark.parametrize(
    "data",
    [{"generation": "old"}, {"caps": -1}, {"caps": True}, {"movie_bytes": 10**9}, {"is_rfb_spoken": 1}, {"x": 1}, []],
)
def test_options_that_mean_nothing_are_refused(sim: Simulator, data: Any) -> None:
    with pytest.raises(ValueError, match="console"):
        sim.console.options.change(data)
    assert sim.console.options == Simulator("demo").console.options


def test_the_console_can_be_watched_and_changed_from_outside(console: Simulator, talk: Talk) -> None:
    wiki = id_of(talk, "wiki")
    with console.serve(control=True) as url:
        line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)

        def ask(method: str, path: str, data: object = None) -> Any:
            line.request(method, f"/vcdsim/{path}", json.dumps(data) if data is not None else None)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())

        assert ask("PUT", "console", {"generation": "legacy", "caps": 2})[0] == 200
        with viewing(talk, "wiki") as viewer:
            viewer.until("wiki login:")
            assert viewer.caps == 2
            viewer.type("Hi")
            viewer.until("login: Hi")
            status, found = ask("GET", f"console/{wiki}")
            assert (status, found["received"], found["events"][0]) == (200, "Hi", ["key", "scan 42 down"])
            assert ask("GET", "console")[1]["connections"][0]["subprotocol"] == "uint8utf8"
            assert ask("POST", f"console/{wiki}", {"close_code": 1006})[0] == 400
            assert ask("POST", f"console/{wiki}", {"close_code": 1012})[0] == 200
            assert viewer.closed()[0] == 1012
        assert ask("GET", "console/none")[1] == {"received": "", "events": []}
        line.close()
