"""The page of API tokens."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import tokens
from app.accounts.rules import TokenScope
from tests.pages.conftest import Browser
from tests.support.api import Program
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.page import Page, open_page


def make(client: FlaskClient, **values: str) -> Page:
    """Fill the form and send it."""
    return Page(client, open_page(client, "/tokens").send("/tokens", **{"name": "backup", **values}))


def test_a_token_is_shown_once_and_works(app: Flask, owner: FlaskClient, cast: Cast) -> None:
    page = make(owner, scope="change", days="30")
    assert (page.status, page.h1) == (200, "Token backup")
    assert page.response.headers["Cache-Control"] == "no-store"
    token, example = page.texts("code")
    assert example == f'curl -H "Authorization: Bearer {token}" http://localhost/api/v1/vms'
    assert Program(app, token).get("/vms").status_code == 200
    listed = open_page(owner, "/tokens")
    assert token not in listed.response.text
    assert listed.texts("tbody th") == ["backup"]
    assert "read and change" in listed.text


def test_the_list_tells_use_and_end(owner: FlaskClient, cast: Cast, clock: Clock) -> None:
    token = tokens.create(cast.owner, name="backup", scope=TokenScope.READ, days=7)
    assert "never" in open_page(owner, "/tokens").text
    tokens.check(token, address="203.0.113.7")
    assert "never" not in open_page(owner, "/tokens").text


def test_an_expired_token_is_told_so(browser: Browser, cast: Cast, clock: Clock) -> None:
    tokens.create(cast.owner, name="backup", scope=TokenScope.READ, days=7)
    clock.move(timedelta(days=8).total_seconds())
    assert "has expired" in open_page(browser(cast.owner), "/tokens").text


def test_a_token_is_revoked_by_its_person(app: Flask, owner: FlaskClient, cast: Cast) -> None:
    token = tokens.create(cast.owner, name="backup", scope=TokenScope.READ, days=7)
    page = open_page(owner, "/tokens")
    (action,) = (str(form.get("action")) for form in page.root.forms if str(form.get("action")).endswith("/revoke"))
    assert page.send(action).status_code == 303
    assert "No token yet" in open_page(owner, "/tokens").text
    assert Program(app, token).get("/vms").status_code == 401


def test_without_a_token_the_page_says_what_one_is_for(owner: FlaskClient, cast: Cast) -> None:
    page = open_page(owner, "/tokens")
    assert page.texts("h2") == ["No token yet", "New token"]
    assert page.links()["Make a token"] == "#name"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": ""}, "Name: The name must be of 1 to 80 printable characters."),
        ({"days": "100000"}, "Works for: Choose how long it works: 1 to 365 days."),
        ({"days": "soon"}, "Works for: Choose how long it works: 1 to 365 days."),
        ({"scope": "everything"}, "Choose what the token may do."),
    ],
)
def test_what_is_wrong_is_said(owner: FlaskClient, cast: Cast, values: dict[str, str], problem: str) -> None:
    page = Page(owner, owner.post("/tokens", data={**filled(owner), **values}))
    assert page.status == 422
    assert problem in page.texts("[role=alert] li")
    assert tokens.listed(cast.owner) == []


def filled(client: FlaskClient) -> dict[str, str]:
    form = open_page(client, "/tokens").form("/tokens")
    return {str(name): str(value) for name, value in form.form_values()} | {"name": "backup"}


def test_a_form_sent_twice_makes_one_token(owner: FlaskClient, cast: Cast) -> None:
    sent = filled(owner)
    first, second = owner.post("/tokens", data=sent), owner.post("/tokens", data=sent)
    assert (first.status_code, second.status_code) == (200, 422)
    assert len(tokens.listed(cast.owner)) == 1


def test_staff_without_an_account_have_no_such_page(browser: Browser, cast: Cast) -> None:
    open_page(browser(cast.support), "/tokens", status=403)
