"""The door of the API: tokens, scopes, roles, keys, bodies; and that every refusal is a problem in JSON."""

from typing import Any

import pytest
from flask import Flask, json
from sqlalchemy.exc import OperationalError

from app.accounts import members, tokens
from app.accounts.rules import TokenScope
from app.db import db
from tests.api.conftest import MakeProgram
from tests.support.api import BASE, KEY, Program, problem
from tests.support.cast import Cast, new_token
from tests.support.machines import vm_named
from tests.support.page import sign_in
from vcdsim import Simulator


def start_path(name: str = "sandbox") -> str:
    return f"/vms/{vm_named(name).id}/actions/start"


def test_without_a_token_nothing_is_told(app: Flask, cloud: Simulator) -> None:
    answer = Program(app, None).get("/vms")
    assert problem(answer) == (401, "api_token_missing", None)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic b3duZXI6c2VjcmV0", "pat_x", "Bearer pat_wrong"])
def test_what_is_no_token_of_ours_is_refused(app: Flask, cloud: Simulator, value: str) -> None:
    answer = Program(app, None).send("GET", "/vms", headers={"Authorization": value})
    assert answer.status_code == 401


def test_an_ended_token_is_called_invalid(app: Flask, cloud: Simulator, cast: Cast) -> None:
    token = tokens.create(cast.owner, name="old", scope=TokenScope.READ, days=1)
    tokens.revoke(cast.owner, tokens.listed(cast.owner)[0].id)
    answer = Program(app, token).get("/vms")
    assert problem(answer) == (401, "api_token_refused", None)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_who_guesses_is_told_how_long_to_wait(app: Flask, cloud: Simulator) -> None:
    stranger = Program(app, "pat_wrong")
    for _ in range(tokens.MOST_WRONG):
        assert stranger.get("/vms").status_code == 401
    answer = stranger.get("/vms")
    assert problem(answer) == (429, "sign_in_throttled", None)
    assert 0 < int(answer.headers["Retry-After"]) <= 61


def test_a_cookie_opens_nothing_here(app: Flask, cloud: Simulator, cast: Cast) -> None:
    browser = app.test_client()
    sign_in(browser, cast.owner)
    assert browser.get("/vms").status_code == 200
    assert browser.get(f"{BASE}/vms").status_code == 401
    assert browser.post(BASE + start_path(), json={}, headers={KEY: "1"}).status_code == 401


def test_a_reading_token_does_not_command(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    reader = program(cast.owner, TokenScope.READ)
    assert reader.get("/vms").status_code == 200
    assert problem(reader.post(start_path())) == (403, "token_only_reads", None)


def test_a_viewer_does_not_command_with_any_token(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    viewer = program(cast.viewer)
    assert viewer.get("/vms").status_code == 200
    assert problem(viewer.post(start_path())) == (403, "not_permitted", None)
    actions = viewer.get(f"/vms/{vm_named('sandbox').id}").json["actions"]
    assert {one["reason"] for one in actions} == {"not_permitted"}


# ---- what is sent ----------------------------------------------------------------------------------------------------


def test_a_command_needs_a_key(api: Program, cloud: Simulator) -> None:
    assert problem(api.post(start_path(), key="")) == (400, "key_missing", KEY)
    assert problem(api.post(start_path(), key="x" * 256)) == (400, "key_bad", KEY)
    assert problem(api.post(start_path(), key="ключ".encode().decode("latin-1"))) == (400, "key_bad", KEY)


def test_the_same_key_and_body_answer_the_first_operation(api: Program, cloud: Simulator) -> None:
    path = f"/vms/{vm_named('sandbox').id}/actions/add-disk"
    first, second = (api.post(path, {"size_gb": 5}, key="disk-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] == second.json["id"]
    assert first.headers["Location"] == second.headers["Location"] == f"{BASE}/operations/{first.json['id']}"
    assert api.get(f"/operations/{first.json['id']}").json["kind"] == "add_disk"
    assert problem(api.post(path, {"size_gb": 6}, key="disk-1")) == (409, "key_reused", KEY)


def test_a_refused_wish_uses_no_key_up(api: Program, cloud: Simulator) -> None:
    path = f"/vms/{vm_named('sandbox').id}/actions/add-disk"
    assert api.post(path, {"size_gb": 100_000_000}, key="disk-1").status_code == 400
    assert api.post(path, {"size_gb": 5}, key="disk-1").status_code == 202


def test_two_people_may_choose_one_key(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    first = program(cast.owner).post(start_path("sandbox"), key="1")
    second = program(cast.technician).post(start_path("grafana"), key="1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] != second.json["id"]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "value_missing", "size_gb"),
        ({"size_gb": "5"}, "value_bad", "size_gb"),
        ({"size_gb": True}, "value_bad", "size_gb"),
        ({"size_gb": None}, "value_bad", "size_gb"),
        ({"size_gb": 5.5}, "value_bad", "size_gb"),
        ({"size_gb": 0}, "value_too_small", "size_gb"),
        ({"size_gb": 10**12}, "value_too_large", "size_gb"),
        ({"size_gb": 5, "colour": 1}, "value_unknown", "colour"),
        ({"size_gb": 5, "<script>": 1}, "value_unknown", "?"),
        ([], "value_bad", ""),
        ("x", "value_bad", ""),
    ],
)
def test_a_body_is_what_the_document_says(
    api: Program, cloud: Simulator, body: Any, code: str, field: str | None
) -> None:
    answer = api.post(f"/vms/{vm_named('sandbox').id}/actions/add-disk", body)
    assert problem(answer) == (400, code, field)


def test_a_list_names_the_item_that_is_wrong(api: Program, cloud: Simulator) -> None:
    cards = {"cards": [{"index": 0}, {"index": "one"}]}
    answer = api.post(f"/vms/{vm_named('sandbox').id}/actions/change-network", cards)
    assert problem(answer) == (400, "value_bad", "cards.1.index")


@pytest.mark.parametrize(
    "data",
    [b"{", b"\xff\xfe", b'{"size_gb": NaN}', b'{"size_gb": ' + b"9" * 5000 + b"}", b"[" * 100_000, b"nothing"],
)
def test_malformed_json_is_a_400(api: Program, cloud: Simulator, data: bytes) -> None:
    headers = {KEY: new_token(), "Content-Type": "application/json"}
    path = f"/vms/{vm_named('sandbox').id}/actions/add-disk"
    answer = api.send("POST", path, data=data, headers=headers)
    assert problem(answer)[:2] == (400, "json_bad")


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\x1bb"])
def test_characters_that_no_database_takes_are_refused(api: Program, cloud: Simulator, text: str) -> None:
    headers = {KEY: new_token(), "Content-Type": "application/json"}
    path = f"/vms/{vm_named('sandbox').id}/actions/reset-password"
    answer = api.send("POST", path, data=json.dumps({"password": text}), headers=headers)
    assert problem(answer) == (400, "value_unreadable", "password")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_media_type_is_a_415(api: Program, cloud: Simulator, kind: str) -> None:
    answer = api.send("POST", start_path(), data=b"a=1", headers={KEY: "1", "Content-Type": kind})
    assert problem(answer) == (415, "body_not_json", None)


def test_a_body_beyond_all_measure_is_a_413(api: Program, cloud: Simulator) -> None:
    answer = api.send("POST", start_path(), data=b" " * (1024 * 1024 + 1), headers={KEY: "1"})
    assert problem(answer) == (413, "body_too_large", None)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("page=0", "value_too_small", "page"),
        ("page=one", "value_bad", "page"),
        ("page=1&page=2", "value_twice", "page"),
        ("page=99999999999999", "value_bad", "page"),
        ("sort=colour", "value_not_listed", "sort"),
        ("colour=red", "value_unknown", "colour"),
        ("q=%00", "value_unreadable", "q"),
        ("q=colour:red", "filter_unreadable", "q"),
    ],
)
def test_an_address_is_what_the_document_says(
    api: Program, cloud: Simulator, query: str, code: str, field: str
) -> None:
    assert problem(api.send("GET", f"/vms?{query}")) == (400, code, field)


def test_an_address_without_arguments_takes_none(api: Program, cloud: Simulator) -> None:
    assert problem(api.get("/vdcs", colour="red")) == (400, "value_unknown", "colour")


# ---- what is answered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/vms/", "//vms", "/vms/1", "/vms/x%00y", "/openapi"])
def test_an_address_that_is_none_is_a_404(api: Program, cloud: Simulator, path: str) -> None:
    assert problem(api.get(path)) == (404, "not_found", None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_method_that_is_none_is_a_405(api: Program, cloud: Simulator, method: str) -> None:
    answer = api.send(method, "/vms")
    assert problem(answer) == (405, "method_not_allowed", None)
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}


def test_a_mistake_of_ours_is_a_problem_without_its_reason(
    api: Program, cloud: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_vdc_id: object) -> None:
        raise LookupError("the secret reason")

    monkeypatch.setattr("app.cloud.offers.free_of", broken)
    answer = api.get("/vdcs")
    assert problem(answer) == (500, "our_mistake", None)
    assert "secret reason" not in answer.text
    assert "secret reason" in caplog.text


def test_a_database_that_is_away_is_a_503(api: Program, cloud: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "scalar", away)
    answer = api.get("/vms")
    monkeypatch.undo()
    assert problem(answer) == (503, "database_away", None)


def test_refusals_are_in_the_language_that_is_asked_for(app: Flask, cloud: Simulator, cast: Cast) -> None:
    token = tokens.create(cast.owner, name="words", scope=TokenScope.READ, days=1)
    assert Program(app, token).get("/nothing").json["title"] == "Not found"
    assert Program(app, token, language="ru").get("/vms", page=0).json["title"] == "Не понято"
    assert Program(app, None, language="ru-RU, en;q=0.5").get("/vms").json["title"] == "Вход не выполнен"


def test_without_a_wish_the_language_is_the_persons(app: Flask, cloud: Simulator, cast: Cast) -> None:
    token = tokens.create(cast.owner, name="words", scope=TokenScope.READ, days=1)
    members.set_locale(cast.owner.user_id, "ru")
    machine = f"/vms/{vm_named('sandbox').id}"
    assert Program(app, token).get(machine).json["state_title"] == "Выключен"
    assert Program(app, token, language="en").get(machine).json["state_title"] == "Off"
