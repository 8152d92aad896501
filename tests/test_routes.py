"""The table of routes: each says who may come in, is named plainly, and does not change anything by GET."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.accounts.rules import Permission
from app.blueprints.web import own_path

PUBLIC = {
    "api.openapi",
    "auth.send_sign_in",
    "auth.sign_in",
    "auth.sign_out",
    "brand.choose_language",
    "brand.css",
    "brand.mark",
}
"""Views that anybody may ask for."""
SIGNED_IN = {"auth.switch_account", "brand.choose_theme"}
"""Views for every signed-in person, whatever his role: they concern only himself."""


def routes(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_each_route_says_whom_it_lets_in(app: Flask) -> None:
    for rule in routes(app):
        view = app.view_functions[rule.endpoint]
        assert hasattr(view, "permission"), f"{rule} needs @web.requires(...), @web.public or @web.signed_in"
        if view.permission is None:
            assert rule.endpoint in PUBLIC, f"{rule} is public and not on the list"
        elif view.permission == "signed in":
            assert rule.endpoint in SIGNED_IN, f"{rule} is open to every role and not on the list"
        else:
            assert isinstance(view.permission, Permission)


def test_the_lists_name_only_what_exists(app: Flask) -> None:
    assert {rule.endpoint for rule in routes(app)} >= PUBLIC | SIGNED_IN


def test_addresses_are_kebab_case_with_typed_parameters(app: Flask) -> None:
    for rule in routes(app):
        plain = re.sub(r"<(uuid:\w+|locale|theme)>", "x", rule.rule)
        assert re.fullmatch(r"(/|(/[a-z0-9.-]+)+)", plain), rule.rule


def test_a_view_either_shows_or_does(app: Flask) -> None:
    for rule in routes(app):
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}), f"{rule} answers {methods}"


def test_commands_need_the_token_of_a_form(app: Flask) -> None:
    client = app.test_client()
    for rule in routes(app):
        # A browser sends no token of the API by itself; tests/api has what is asked for there instead.
        if "POST" in (rule.methods or set()) and not rule.endpoint.startswith("api."):
            with app.test_request_context():
                path = rule.build({name: _value(name) for name in rule.arguments}, append_unknown=False)
            assert path is not None
            assert client.post(path[1]).status_code == 400, rule


def _value(name: str) -> str:
    values = {"locale": "ru", "theme": "dark"}
    return values.get(name, "00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "\t//e"]
)
def test_nobody_is_sent_away_by_a_link_with_next(app: Flask, target: str) -> None:
    assert own_path(target) == "/"
    assert own_path("/vms?q=web") == "/vms?q=web"
