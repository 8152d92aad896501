"""What the tests of the API share: programs of the cast that hold a token, and the forgetting between requests."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.accounts import tokens
from app.accounts.rules import Actor, TokenScope
from tests.pages.conftest import own_context as own_context  # noqa: PLC0414  a fixture, for every test here
from tests.support.api import Program
from tests.support.cast import Cast, new_token

MakeProgram = Callable[..., Program]


@pytest.fixture
def program(app: Flask, cast: Cast) -> MakeProgram:
    """Makes a program that acts for a person of the cast."""

    def of(actor: Actor, scope: TokenScope = TokenScope.CHANGE) -> Program:
        return Program(app, tokens.create(actor, name=new_token(), scope=scope, days=30))

    return of


@pytest.fixture
def api(program: MakeProgram, cast: Cast) -> Program:
    """The owner's program."""
    return program(cast.owner)
