"""Error pages, and what a provider sets."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, render_template, session
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.blueprints import web
from app.db import db
from app.factory import create_app
from config import Config
from tests.support.cast import Cast
from tests.support.page import open_page


def test_an_unknown_address_is_answered_in_plain_words(owner: FlaskClient, cast: Cast) -> None:
    page = open_page(owner, "/no/such/page", status=404)
    assert page.h1 == "There is nothing here"
    assert page.root.cssselect("[data-copy^=rq-]"), "the id for support can be copied"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
def test_each_error_page_stands_without_user_and_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def away(_token: str) -> None:
        raise OperationalError("select", {}, Exception("the database is away"))

    with app.test_request_context(headers={"Accept-Language": "ru"}):
        monkeypatch.setattr("app.accounts.sign_in.session_of", away)
        session["_user_id"] = "some token"
        assert "Ошибка" in render_template(f"errors/{status}.html")


def test_the_policy_allows_nothing_inline(owner: FlaskClient, cast: Cast) -> None:
    policy = owner.get("/").headers["Content-Security-Policy"]
    assert policy == web.CONTENT_SECURITY_POLICY
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.fixture
def harbour(config: Config) -> Iterator[FlaskClient]:
    """A stranger at the panel of another provider."""
    ours = replace(config, brand_name="Harbour", brand_accent="#5a1a8a", brand_legal="Harbour Cloud LLC")
    panel = create_app(replace(ours, support_email="help@harbour.example", demo=False))
    yield panel.test_client()
    with panel.app_context():
        db.engine.dispose()


def test_a_provider_sets_name_colour_mark_and_legal_line(harbour: FlaskClient, app: Flask) -> None:
    page = open_page(harbour, "/sign-in")
    assert page.title == "Sign in · Harbour"
    assert not page.texts(".sk-banner"), "no demo logins"
    assert page.texts("footer") == ["Harbour Cloud LLC help@harbour.example"]
    css = page.root.cssselect("link[href^='/brand.css']")[0].get("href")
    assert harbour.get(css).text.strip() == ":root{--skiff-accent:#5a1a8a;--skiff-on-accent:#ffffff}"
    assert "immutable" in harbour.get(css).headers["Cache-Control"]
    assert 'fill="#5a1a8a"' in harbour.get("/mark.svg").text


def test_the_address_of_the_colours_changes_with_them(harbour: FlaskClient, client: FlaskClient, cast: Cast) -> None:
    addresses = {
        open_page(browser, "/sign-in").root.cssselect("link[href^='/brand.css']")[0].get("href")
        for browser in (harbour, client)
    }
    assert len(addresses) == 2
