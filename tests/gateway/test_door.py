"""Who is let in to a console, and what the others are told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from websockets.exceptions import InvalidStatus

from app.accounts.models import Membership, User, UserSession
from app.accounts.rules import Role
from app.cloud.console_models import ConsoleGrant
from app.cloud.models import Handler, Vm
from app.db import db, transaction
from config import Config
from tests.gateway.conftest import Person, SignIn, address_of
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.console import Booth, Cell, Loop, booth, granted
from vcdsim.console import certificate

pytestmark = pytest.mark.one_database  # what asks the database is tested on both in tests/cloud/test_console.py


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:8080.evil.example"])
def test_pages_of_others_are_refused_and_spoil_nothing(
    gate: Booth, owner: Person, one_time_id: str, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        gate.connect(one_time_id, owner.cookie, origin=origin)
    assert gate.refused == {"http_403": 1}
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send("still good")
        assert browser.recv(5) == "still good"


@pytest.mark.parametrize("path", ["/", "/console/ws/902;short", "/console/ws/902", "/console/ws//902;{id}", "/{id}"])
def test_other_addresses_lead_nowhere(gate: Booth, owner: Person, one_time_id: str, path: str) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        gate.connect("", owner.cookie, path=path.format(id=one_time_id))


def test_a_browser_that_speaks_only_vvc_is_refused(gate: Booth, owner: Person, one_time_id: str) -> None:
    with pytest.raises(InvalidStatus, match="400"):
        gate.connect(one_time_id, owner.cookie, offers=("vmware-vvc",))


@pytest.mark.parametrize("cookie", [None, "skiff=", "skiff=garbage", "skiff=.e.x", "other=1"])
def test_without_a_session_there_is_no_console(gate: Booth, one_time_id: str, cookie: str | None) -> None:
    assert gate.ending(one_time_id, cookie)[0] == 4401


def test_a_session_that_is_over_opens_nothing(gate: Booth, owner: Person, one_time_id: str, clock: Clock) -> None:
    _change(UserSession, ended_at=clock.at)
    assert gate.ending(one_time_id, owner.cookie)[0] == 4401


def test_an_id_is_good_once(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie):
        assert gate.ending(one_time_id, owner.cookie) == (4404, "unknown, used or too old")
    assert len(cell.requests) == 1


def test_an_id_that_is_too_old_is_refused(gate: Booth, owner: Person, one_time_id: str, clock: Clock) -> None:
    clock.move(25)
    assert gate.ending(one_time_id, owner.cookie)[0] == 4404


@pytest.mark.parametrize("who", ["technician", "stranger"])
def test_an_id_of_somebody_else_is_refused(
    gate: Booth, cell: Cell, cast: Cast, signed_in: SignIn, one_time_id: str, who: str
) -> None:
    assert gate.ending(one_time_id, signed_in(getattr(cast, who)).cookie)[0] == 4404
    assert cell.requests == []


def test_the_same_person_in_another_session_is_refused(
    gate: Booth, cast: Cast, signed_in: SignIn, one_time_id: str
) -> None:
    assert gate.ending(one_time_id, signed_in(cast.owner).cookie)[0] == 4404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda: _change(Membership, role=Role.VIEWER), 4403),
        (lambda: _delete(Membership), 4403),
        (lambda: _change(Vm, gone_at=db.session.scalar(select(UserSession.created_at))), 4410),
        (lambda: _change(User, disabled_at=db.session.scalar(select(UserSession.created_at))), 4401),
    ],
)
def test_who_lost_it_between_page_and_socket_is_told(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str, change: Callable[[], None], code: int
) -> None:
    change()
    assert gate.ending(one_time_id, owner.cookie)[0] == code
    assert cell.requests == []


def test_an_unknown_authority_is_not_trusted(gate: Booth, owner: Person, one_time_id: str, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    certificate.make(other, tmp_path / "other.pem.key", "")
    _change(Handler, ca_file=str(other))
    assert gate.ending(one_time_id, owner.cookie)[0] == 4526


def test_a_certificate_for_another_name_is_not_trusted(gate: Booth, cell: Cell, owner: Person) -> None:
    one_time_id = granted(owner.seat, address_of(cell).replace("127.0.0.1", "127.0.0.2"))
    assert gate.ending(one_time_id, owner.cookie)[0] in (4502, 4526)


def test_a_laboratory_may_trust_anybody(gate: Booth, owner: Person, one_time_id: str) -> None:
    _change(Handler, ca_file=None, verify_tls=False)
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send("hello")
        assert browser.recv(5) == "hello"


def test_a_dead_cell_is_told(gate: Booth, owner: Person) -> None:
    assert gate.ending(granted(owner.seat, "wss://127.0.0.1:1/902;cst"), owner.cookie)[0] == 4502


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_ticket_that_the_cell_does_not_take_is_told(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str, status: int
) -> None:
    cell.status = status
    assert gate.ending(one_time_id, owner.cookie)[0] == 4503


def test_a_redirect_of_the_cell_is_not_followed(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    cell.status, cell.location = 302, "/902;elsewhere"
    assert gate.ending(one_time_id, owner.cookie)[0] == 4503
    assert len(cell.requests) == 1


def test_a_cell_that_speaks_none_of_what_the_browser_speaks_is_told(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    cell.speaks = ()
    assert gate.ending(one_time_id, owner.cookie)[0] == 4503


def test_while_the_database_is_away_nobody_is_let_in(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(gate.gateway._door, "admit", away)
        assert gate.ending(one_time_id, owner.cookie) == (1011, "the panel made a mistake")
    assert cell.requests == []
    assert gate.health()["refused"] == {"broken": 1}


def test_an_account_has_only_so_many_consoles(
    app: Flask, config: Config, loop: Loop, cell: Cell, owner: Person
) -> None:
    with booth(app, replace(config, console_per_account=1), loop) as gate:
        ids = [granted(owner.seat, address_of(cell)) for _ in range(3)]
        with gate.connect(ids[0], owner.cookie):
            assert gate.ending(ids[1], owner.cookie)[0] == 4429
        gate.empties()
        with gate.connect(ids[2], owner.cookie) as browser:
            browser.send("room again")
            assert browser.recv(5) == "room again"


def test_a_gateway_has_only_so_many_consoles(app: Flask, config: Config, loop: Loop, cell: Cell, owner: Person) -> None:
    with booth(app, replace(config, console_total=1), loop) as gate:
        ids = [granted(owner.seat, address_of(cell)) for _ in range(2)]
        with gate.connect(ids[0], owner.cookie):
            assert gate.ending(ids[1], owner.cookie)[0] == 4429
            assert db.session.scalar(select(ConsoleGrant.id)) is not None


def _change(model: type[Handler | Membership | User | UserSession | Vm], **values: object) -> None:
    db.session.rollback()
    with transaction():
        for row in db.session.scalars(select(model)):
            for name, value in values.items():
                setattr(row, name, value)


def _delete(model: type[Membership]) -> None:
    db.session.rollback()
    with transaction():
        for row in db.session.scalars(select(model)):
            db.session.delete(row)
