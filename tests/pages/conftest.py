"""What the page tests share: browsers of the cast, and machines and operations to look at."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, g, request_started
from flask.testing import FlaskClient
from jinja2 import StrictUndefined
from sqlalchemy import select

from app.accounts.rules import Actor
from app.cloud.models import Vm
from app.db import db
from tests.support.cast import Cast
from tests.support.page import sign_in


@pytest.fixture(autouse=True)
def no_forgotten_values(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that a view forgot to hand to its template fails the test, instead of showing nothing."""
    monkeypatch.setattr(app.jinja_env, "undefined", StrictUndefined)


@pytest.fixture(autouse=True)
def own_context(app: Flask) -> Iterator[None]:
    """Each request begins with an empty `g` and a fresh database session, as it would in a server.

    The test itself holds an application context, and Flask lets requests share it.
    """

    def forget(_sender: Flask, **_: object) -> None:
        for name in list(g):
            g.pop(name)
        db.session.remove()

    with request_started.connected_to(forget, app):
        yield


Browser = Callable[[Actor], FlaskClient]


@pytest.fixture
def browser(app: Flask, cast: Cast) -> Browser:
    """Makes a browser in which a person of the cast is signed in."""

    def of(actor: Actor) -> FlaskClient:
        client = app.test_client()
        assert sign_in(client, actor).status_code == 303
        return client

    return of


@pytest.fixture
def owner(browser: Browser, cast: Cast) -> FlaskClient:
    """The owner's browser."""
    return browser(cast.owner)


def vm_id(name: str) -> uuid.UUID:
    """The id of the mirrored machine of that name."""
    db.session.rollback()
    return db.session.scalars(select(Vm.id).where(Vm.name == name)).one()
