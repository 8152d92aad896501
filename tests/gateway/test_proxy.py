"""Where a handler has a proxy, its consoles go through it, and it sees nothing of them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.cloud.models import Handler
from app.db import db, transaction
from tests.gateway.conftest import Person
from tests.support.console import Booth, Cell
from tests.vcloud.sockets import Server, say
from tests.vcloud.test_proxy import pass_on

pytestmark = pytest.mark.one_database


@pytest.fixture
def proxy(cell: Cell) -> Iterator[Server]:
    """A proxy that leads to the cell."""
    server = Server(lambda connection, _: pass_on(connection, "127.0.0.1", cell.port))
    yield server
    server.close()


def test_a_console_goes_through_the_proxy_which_sees_no_ticket(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str, proxy: Server
) -> None:
    _set(proxy.url.removesuffix("/api"))
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send("hello")
        assert browser.recv(5) == "hello"
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{cell.port} ".encode())
    assert b"cst-secret" not in b"".join(proxy.requests)


def test_a_proxy_that_refuses_is_told_as_a_cell_that_does_not_answer(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    refusing = Server(say(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
    try:
        _set(refusing.url.removesuffix("/api"))
        assert gate.ending(one_time_id, owner.cookie)[0] == 4502
    finally:
        refusing.close()
    assert cell.requests == []


def test_a_proxy_of_the_environment_is_not_used(
    gate: Booth, owner: Person, one_time_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "wss_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send("hello")
        assert browser.recv(5) == "hello"


def _set(proxy: str) -> None:
    with transaction():
        db.session.scalars(select(Handler)).one().proxy = proxy
