"""A session opened with an API token, which vCloud knows since 10.3.1 (version 36.1)."""

import logging
from urllib.parse import parse_qs

import pytest
import responses

from app.vcloud import ApiToken, Refused, Session, SessionExpired, Unavailable
from tests.vcloud.support import API, HOST, TASK, Vcd, error_body, fixture

SECRET = "api-token-Not-For-Logs/+=1"
PATH = f"/task/{TASK.rpartition(':')[2]}"
DOOR = f"{HOST}/oauth/tenant/acme%20%26%20sons/token"
OPENED = {"access_token": "jwt.of.session", "token_type": "Bearer", "expires_in": 2592000, "refresh_token": None}
LOGIN = ApiToken("acme & sons", SECRET)


@pytest.fixture
def vcd_39(vcd_39: Vcd) -> Vcd:
    vcd_39.mock.add("POST", DOOR, json=OPENED)
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    return vcd_39


def test_a_token_is_traded_for_a_session(vcd_39: Vcd) -> None:
    client = vcd_39.client(login=LOGIN)
    client.task(TASK)
    asked = vcd_39.mock.calls[1].request
    assert (asked.method, asked.url, asked.headers["Accept"]) == ("POST", DOOR, "application/json")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in asked.headers
    assert isinstance(asked.body, bytes)
    assert parse_qs(asked.body.decode()) == {"grant_type": ["refresh_token"], "refresh_token": [SECRET]}
    assert vcd_39.last.headers["Authorization"] == "Bearer jwt.of.session"
    assert client.session == Session("jwt.of.session", "bearer", "39.1")


def test_the_provider_trades_it_at_a_door_of_its_own(vcd_39: Vcd) -> None:
    vcd_39.mock.add("POST", f"{HOST}/oauth/provider/token", json=OPENED | {"access_token": "provider"})
    vcd_39.client(login=ApiToken("System", SECRET)).task(TASK)
    assert vcd_39.last.headers["Authorization"] == "Bearer provider"


def test_a_session_that_ends_is_opened_again_with_the_token(vcd_39: Vcd) -> None:
    vcd_39.mock.upsert("GET", API + PATH, status=401)
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    client = vcd_39.client(login=LOGIN, session=Session("old", "bearer", "39.1"))
    assert client.task(TASK).progress == 40
    assert client.session == Session("jwt.of.session", "bearer", "39.1")


def test_a_server_from_before_is_refused_before_the_token_is_shown(vcd: Vcd) -> None:
    with pytest.raises(Refused, match=r"API tokens need version 36\.1"):
        vcd.client(login=LOGIN).task(TASK)
    assert [call.request.method for call in vcd.mock.calls] == ["GET"]


@pytest.mark.parametrize("status", [400, 401])
def test_a_token_that_was_revoked_is_told(vcd_39: Vcd, status: int) -> None:
    vcd_39.mock.replace("POST", DOOR, json={"error": "invalid_grant", "error_description": SECRET}, status=status)
    with pytest.raises(SessionExpired, match="does not accept this API token") as caught:
        vcd_39.client(login=LOGIN).task(TASK)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("", 200, Unavailable),
        ("<html>sign in</html>", 200, Unavailable),
        ('{"access_token": 1}', 200, Unavailable),
        ('{"access_token": "a\\r\\nb: c"}', 200, Unavailable),
        ("[" * 100_000, 200, Unavailable),
        ("", 401, SessionExpired),
        ("<html>502</html>", 502, Unavailable),
        (error_body("NOT_ACCEPTABLE", "no", 406), 406, Refused),
    ],
)
def test_what_is_no_session_is_a_typed_error(vcd_39: Vcd, body: str, status: int, kind: type[Exception]) -> None:
    vcd_39.mock.replace(responses.Response("POST", DOOR, body, status=status))
    with pytest.raises(kind):
        vcd_39.client(login=LOGIN).task(TASK)


def test_a_token_is_neither_logged_nor_represented(vcd_39: Vcd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = vcd_39.client(login=LOGIN)
    client.task(TASK)
    shown = caplog.text + repr(LOGIN) + repr(client.session) + repr(LOGIN.door(HOST, "39.1"))
    for secret in (SECRET, "api-token-Not-For-Logs%2F%2B%3D1", "jwt.of.session"):
        assert secret not in shown
