"""The window of a console: the five values of a screen, or why there is none and what to press."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.blueprints.console import CHORDS
from app.cloud.console_rules import ConsoleMode
from app.cloud.models import Handler
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.console_gateway.closing import Closing
from app.db import db, transaction
from app.texts.console import CLOSED
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast
from tests.support.machines import ask
from tests.support.page import Page
from tools.setup import ROOT
from vcdsim import Simulator

pytestmark = pytest.mark.database
VALUES = ("data-vm-name", "data-vmx", "data-scheme", "data-host", "data-port")


@pytest.fixture
def direct(cloud: Simulator) -> Simulator:
    """Consoles are opened at the cells, so no gateway is needed to see what a page gets."""
    with transaction():
        handler = db.session.scalars(select(Handler)).one()
        handler.console_mode, handler.console_hosts = ConsoleMode.DIRECT, ["127.0.0.1"]
    return cloud


@pytest.fixture
def without_gateway(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where it should be."""
    monkeypatch.setitem(app.extensions, "skiff_config", replace(app.extensions["skiff_config"], console_port=1))


def window(client: FlaskClient, name: str, **values: str) -> Page:
    """What the window shows when its script, or a person without one, has asked for the screen."""
    address = f"/vms/{vm_id(name)}/console"
    form = Page(client, client.get(address)).form(address)
    return Page(client, client.post(address, data={**dict(form.form_values()), **values}))


def test_the_window_asks_nobody_before_its_form_is_sent(direct: Simulator, owner: FlaskClient) -> None:
    direct.requests.clear()
    page = Page(owner, owner.get(f"/vms/{vm_id('wiki')}/console"))
    assert page.root.cssselect("main[data-auto]:not([data-ticket])")
    assert direct.requests == []


def test_the_five_values_of_a_screen_stand_on_the_page(direct: Simulator, owner: FlaskClient) -> None:
    direct.console.options.generation = "legacy"
    main = window(owner, "wiki").root.cssselect("main")[0]
    assert [main.get(name) for name in VALUES][::2] == ["wiki", "wss", "902"]
    assert main.get("data-host") == "127.0.0.1"
    assert main.get("data-vmx", "").endswith("/wiki.vmx")
    assert main.get("data-ticket", "").startswith("cst-")


def test_the_page_may_open_a_socket_there_and_nowhere_else(direct: Simulator, owner: FlaskClient) -> None:
    address = f"/vms/{vm_id('wiki')}/console"
    for response in (owner.get(address), window(owner, "wiki").response):
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        assert "wss://127.0.0.1" in policy["connect-src"].split()
        assert set(policy["connect-src"].split()) & {"wss:", "*", "ws:"} == set()
        assert policy["script-src"] == "'self'"
        assert "'unsafe-inline'" not in policy["style-src"] + policy["style-src-attr"]
        assert response.headers["Cache-Control"] == "no-store"


def test_who_may_only_look_opens_no_console(browser: Browser, cast: Cast, direct: Simulator) -> None:
    address = f"/vms/{vm_id('wiki')}/console"
    viewer = browser(cast.viewer)
    assert (viewer.get(address).status_code, viewer.get(f"/vms/{vm_id('wiki')}").status_code) == (403, 200)
    assert address not in viewer.get(f"/vms/{vm_id('wiki')}").text


def test_a_server_that_is_off_is_started_from_there(direct: Simulator, owner: FlaskClient) -> None:
    page = window(owner, "sandbox")
    assert "sandbox is off" in page.text
    page = Page(owner, page.send(f"/vms/{vm_id('sandbox')}/console", start="once"))
    assert "sandbox is starting" in page.text
    assert page.root.cssselect("main[data-again-s='2']")
    page = window(owner, "sandbox", start="once")
    assert "sandbox is starting" in page.text
    assert db.session.scalars(select(Operation.kind)).all() == ["start"]


def test_a_gateway_that_is_away_is_said_and_asked_again(
    cloud: Simulator, without_gateway: None, owner: FlaskClient
) -> None:
    page = window(owner, "wiki")
    assert "The console does not answer" in page.text
    assert page.root.cssselect("main[data-again-s] form button")


def test_a_missing_program_is_said_before_vcloud_is_asked(
    app: Flask, direct: Simulator, owner: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    direct.requests.clear()
    assert "The console is not installed" in window(owner, "wiki").text
    assert direct.requests == []


def test_a_program_that_the_operator_put_there_is_used_with_what_it_needs(
    app: Flask, direct: Simulator, owner: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wmks").mkdir()
    for name in ("wmks.js", "wmks.min.js", "jquery.min.js", "jquery-ui.min.js"):
        (tmp_path / "wmks" / name).touch()
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    files = window(owner, "wiki").root.cssselect("main")[0].get("data-files", "").split()
    assert [file.rpartition("/")[2] for file in files] == ["jquery.min.js", "jquery-ui.min.js", "wmks.min.js"]


@pytest.mark.parametrize("code", sorted(CLOSED))
def test_how_a_screen_ended_is_explained_with_a_button(direct: Simulator, owner: FlaskClient, code: int) -> None:
    page = window(owner, "wiki", closed=str(code))
    assert str(CLOSED[code].title) in page.text
    assert page.root.cssselect("main:not([data-ticket]) form button")


def test_what_is_in_the_way_now_says_more_than_how_the_screen_ended(
    direct: Simulator, cast: Cast, owner: FlaskClient
) -> None:
    ask(cast, "wiki", Action.POWER_OFF)
    assert "wiki is going off" in window(owner, "wiki", closed="1000").text


def test_a_screen_that_vcloud_closed_is_asked_about_again_and_not_opened(direct: Simulator, owner: FlaskClient) -> None:
    direct.requests.clear()
    assert window(owner, "wiki", closed="1000").root.cssselect("main[data-again-s][data-closed='1000']")
    assert direct.requests == []


def test_every_ending_of_the_gateway_has_an_explanation() -> None:
    said_elsewhere = {Closing.SESSION_OVER, Closing.NOT_PERMITTED, Closing.VM_GONE, Closing.RESTART}
    assert {one.code for one in Closing if one not in said_elsewhere} == set(CLOSED) - {1006}


def test_the_script_knows_every_key_of_the_menu() -> None:
    known = (ROOT / "app/static/js/console/keys.js").read_text()
    for chord, _ in CHORDS:
        assert all(f"{key}: [" in known or len(key) == 1 for key in chord.split())
