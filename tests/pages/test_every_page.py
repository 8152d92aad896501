"""What holds for every page: whom it lets in, that it is whole, that it speaks Russian, that it keeps its headers."""

import re
import uuid
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import update

from app.accounts import members
from app.cloud import vms, wishes
from app.cloud.models import Handler
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain
from tests.support.page import Page, open_page, open_part
from tests.support.wishes import wish
from vcdsim import Simulator

LISTS = ["/", "/vms", "/vms/new", "/networks", "/operations", "/tokens"]
LIVE = ["/live", "/vms/live", "/operations/live"]


@pytest.fixture
def objects(cast: Cast, cloud: Simulator, clock: Clock) -> list[str]:
    """Pages of Acme's things: a machine at rest, one at work, an operation at rest and one at work."""
    done = vms.request_create(cast.owner, wish(), new_token())
    drain(cloud, clock)
    running = wishes.ask(cast.owner, vm_id("terminal"), Action.SHUT_DOWN, new_token())
    machines = [vm_id("sandbox"), vm_id("terminal")]
    pages = [f"/vms/{i}" for i in machines] + [f"/vms/{machines[1]}/power-off"]
    return pages + [f"/operations/{i}" for i in (done, running)]


def test_the_owner_sees_every_page(owner: FlaskClient, objects: list[str]) -> None:
    for path in LISTS + objects:
        open_page(owner, path)


def test_a_stranger_finds_nothing_of_another_account(browser: Browser, cast: Cast, objects: list[str]) -> None:
    stranger = browser(cast.stranger)
    for path in objects + [f"{path}/live" for path in objects if not path.endswith("/power-off")]:
        assert stranger.get(path).status_code == 404, path


def test_a_stranger_cannot_command_a_machine_of_another_account(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    stranger, theirs = browser(cast.stranger), vm_id("sandbox")
    token = open_page(stranger, "/vms").root.cssselect("input[name=csrf_token]")[0].get("value")
    for command in ("start", "shut-down", "power-off"):
        answer = stranger.post(f"/vms/{theirs}/{command}", data={"csrf_token": token})
        assert answer.status_code == 404
    assert not [path for method, path in cloud.requests if method == "POST" and "/power/" in path]


def test_nobody_is_let_in_without_signing_in(client: FlaskClient, objects: list[str]) -> None:
    for path in LISTS + objects:
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.location.startswith("/sign-in")


def test_a_live_part_of_an_ended_session_makes_the_page_reload(client: FlaskClient) -> None:
    answer = client.get("/vms/live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (401, "true")


def test_every_page_speaks_russian(owner: FlaskClient, cast: Cast, objects: list[str]) -> None:
    members.set_locale(cast.owner.user_id, "ru")
    for path in LISTS + objects:
        page = open_page(owner, path)
        assert page.root.get("lang") == "ru"
        navigation = page.texts(".sk-side li a")
        assert [re.sub(r"\d+$", "", line) for line in navigation] == ["Обзор", "Серверы", "Сети", "События"]
        english = set(re.findall(r"\b(the|and|server|of|is)\b", page.text))
        assert not english, f"{path} still says {english}: {page.text}"


def test_live_parts_say_whether_vcloud_answers(owner: FlaskClient, objects: list[str], clock: Clock) -> None:
    for path in LIVE + [f"{path}/live" for path in objects if not path.endswith("/power-off")]:
        assert open_part(owner, path).texts("#health[hx-swap-oob]")[0].startswith("vCloud answers, ")
        assert open_part(owner, path).texts("#silence[hx-swap-oob]") == [""]
        with transaction():
            db.session.execute(update(Handler).values(silent_since=clock.at))
        assert open_part(owner, path).texts("#health")[0].startswith("vCloud does not answer since ")
        assert "Changes wait until it is back." in open_part(owner, path).texts("#silence")[0]
        with transaction():
            db.session.execute(update(Handler).values(silent_since=None))


def test_live_parts_are_the_same_html_as_in_the_page(owner: FlaskClient, objects: list[str]) -> None:
    for path in LIVE + [f"{path}/live" for path in objects if not path.endswith("/power-off")]:
        part = open_part(owner, path)
        assert part.root.cssselect("#bell[hx-swap-oob]"), "the bell comes along"


def test_a_live_part_that_did_not_move_is_a_304(owner: FlaskClient, objects: list[str], clock: Clock) -> None:
    for path in LIVE + [f"{path}/live" for path in objects if not path.endswith("/power-off")]:
        first = owner.get(path)
        again = owner.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code) == (200, 304), path
        assert first.headers["Cache-Control"] == "private, no-cache"


def test_signed_in_pages_are_not_kept_by_the_browser(owner: FlaskClient, cloud: Simulator) -> None:
    assert owner.get("/vms").headers["Cache-Control"] == "no-store"


def test_every_page_says_since_when_vcloud_is_silent(owner: FlaskClient, objects: list[str], clock: Clock) -> None:
    with transaction():
        db.session.execute(update(Handler).values(silent_since=clock.at))
    for path in LISTS + objects:
        assert "vCloud does not answer since" in open_page(owner, path).text, path


UNREADABLE = "before\x00after"


@pytest.mark.parametrize(
    "path", [*LISTS, *LIVE, "/sign-in", "/staff/accounts", "/staff/health", "/no/such/page", "/static/\x00"]
)
def test_control_characters_in_an_address_are_refused_in_words(owner: FlaskClient, cast: Cast, path: str) -> None:
    for name in ("q", "state", "sort", "page", "next", "vdc", "again", UNREADABLE):
        assert open_page(owner, path, query={name: UNREADABLE}, status=400).h1 == "We cannot read this"


def commands(app: Flask) -> list[str]:
    """The address of every view that does something."""
    known: dict[str, Any] = {"locale": "ru", "theme": "dark"}
    every = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("api.")]
    rules = [rule for rule in every if "POST" in (rule.methods or ())]
    with app.test_request_context():
        return [url_for(r.endpoint, **{name: known.get(name, uuid.UUID(int=1)) for name in r.arguments}) for r in rules]


def test_control_characters_in_a_form_are_refused_in_words(app: Flask, owner: FlaskClient, cast: Cast) -> None:
    token = open_page(owner, "/").root.cssselect("input[name=csrf_token]")[0].get("value", "")
    for path in commands(app):
        for name in ("email", "password", "next", "form_token", "vm_name", "vapp_name", "network_id", UNREADABLE):
            page = Page(owner, owner.post(path, data={"csrf_token": token, name: UNREADABLE}))
            assert (page.status, page.h1) == (400, "We cannot read this"), (path, name)


def test_a_file_in_the_place_of_a_text_is_refused_in_words(owner: FlaskClient, cast: Cast) -> None:
    token = open_page(owner, "/").root.cssselect("input[name=csrf_token]")[0].get("value", "")
    sent = {"csrf_token": token, "vm_name": (BytesIO(b"web-03"), "name.txt")}
    page = Page(owner, owner.post("/vms/new", data=sent, content_type="multipart/form-data"))
    assert (page.status, page.h1) == (400, "We cannot read this")


def test_a_demo_says_so_on_every_page(owner: FlaskClient, client: FlaskClient, cloud: Simulator) -> None:
    for browser_of, path in ((owner, "/vms"), (client, "/sign-in")):
        assert "Demo" in open_page(browser_of, path).texts("footer")[0]


def test_a_viewer_is_told_why_he_cannot_act(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    viewer = browser(cast.viewer)
    page = open_page(viewer, f"/vms/{vm_id('sandbox')}")
    assert page.texts(".sk-why") == ["Your role in this account only looks. Ask the owner."]
    assert "Create server" not in open_page(viewer, "/vms").links()
    assert open_page(viewer, "/vms/new", status=403).h1 == "This is not open to you"


def test_the_clock_of_the_account_is_shown(app: Flask, owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    assert "Thursday 12 November 2026, 17:20, Moscow Time" in open_page(owner, "/").text
