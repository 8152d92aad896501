"""A gateway, a cell whose consoles it may open, and the owner at his browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask, g
from sqlalchemy import select

from app.accounts.models import UserSession
from app.accounts.rules import Actor
from app.cloud.console_seats import Seat
from app.cloud.models import Handler
from app.db import db, transaction
from config import Config
from tests.support.cast import Cast
from tests.support.console import Booth, Cell, Loop, booth, granted
from tests.support.machines import vm_named
from tests.support.page import sign_in
from vcdsim import Simulator
from vcdsim.console import certificate

VM = "wiki"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is signed in: his seat at the console of one machine, and his cookie."""

    seat: Seat
    cookie: str


SignIn = Callable[[Actor], Person]


@pytest.fixture(scope="session")
def cell_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What cells show; a second call makes another one."""
    file = tmp_path_factory.mktemp("cell") / "cell.pem"
    certificate.make(file, file.with_name("cell.pem.key"), "")
    return file


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Where gateway and cell run."""
    with Loop() as running:
        yield running


@pytest.fixture
def cell(cloud: Simulator, loop: Loop, cell_certificate: Path) -> Iterator[Cell]:
    """A cell whose certificate the handler trusts."""
    with transaction():
        db.session.scalars(select(Handler)).one().ca_file = str(cell_certificate)
    with loop.hold(Cell(cell_certificate).serving()) as serving:
        yield serving


@pytest.fixture
def gate(app: Flask, config: Config, loop: Loop, cell: Cell) -> Iterator[Booth]:
    """The gateway."""
    with booth(app, config, loop) as running:
        yield running


@pytest.fixture
def signed_in(app: Flask, cell: Cell) -> SignIn:
    """Signs a person of the cast in."""

    def sign(actor: Actor) -> Person:
        known = set(db.session.scalars(select(UserSession.id)))
        client = app.test_client()
        assert sign_in(client, actor).status_code == 303
        cookie = client.get_cookie("skiff")
        assert cookie is not None
        db.session.remove()
        for name in list(g):  # the requests shared the context of the test, and the next one is somebody else's
            g.pop(name)
        session = db.session.scalars(select(UserSession).where(UserSession.user_id == actor.user_id))
        session_id = next(one.id for one in session if one.id not in known)
        assert actor.account_id is not None
        seat = Seat(session_id=session_id, user_id=actor.user_id, account_id=actor.account_id, vm_id=vm_named(VM).id)
        db.session.rollback()
        return Person(seat=seat, cookie=f"skiff={cookie.value}")

    return sign


@pytest.fixture
def owner(signed_in: SignIn, cast: Cast) -> Person:
    """The owner of the machine's account."""
    return signed_in(cast.owner)


@pytest.fixture
def one_time_id(owner: Person, cell: Cell) -> str:
    """What the owner's page got."""
    return granted(owner.seat, address_of(cell))


def address_of(cell: Cell, ticket: str = "cst-secret//ticket+/=--tp-AB:CD--") -> str:
    """Where the cell answers to this ticket."""
    return f"wss://127.0.0.1:{cell.port}/902;{ticket}"
