"""Versions, login in both generations, and sessions that end."""

import base64
import logging

import pytest

from app.vcloud import Client, Login, Refused, Session, SessionExpired, Unavailable
from tests.vcloud.support import API, HOST, PASSWORD, TASK, TOKEN, Vcd, error_body, fixture

PATH = f"/task/{TASK.rpartition(':')[2]}"
ONE_VERSION = (
    '<SupportedVersions xmlns="http://www.vmware.com/vcloud/versions">'
    "<VersionInfo {attributes}><Version>{number}</Version></VersionInfo></SupportedVersions>"
)
SESSIONS = f"{HOST}/cloudapi/1.0.0/sessions"


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()


def test_the_highest_version_both_sides_know_is_used(vcd: Vcd) -> None:
    vcd.mock.upsert("GET", f"{API}/versions", fixture("versions-32"))
    vcd.answer("GET", PATH, fixture("task-running-36"))
    client = vcd.client()
    client.task(TASK)
    assert client.session
    assert client.session.api_version == "32.0"  # not 9.0, which is higher only as text
    assert vcd.last.headers["Accept"] == "application/*+xml;version=32.0"


def test_alpha_versions_are_not_used(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    vcd_39.client().task(TASK)
    assert vcd_39.last.headers["Accept"] == "application/*+xml;version=39.1"


def test_versions_need_no_login_and_say_what_is_deprecated(vcd_39: Vcd) -> None:
    found = {version.number: version.deprecated for version in vcd_39.client().versions()}
    assert found == {"36.3": True, "39.1": False, "39.0": False}
    assert [call.request.method for call in vcd_39.mock.calls] == ["GET"]


def test_a_deprecated_version_in_use_is_warned_of(vcd: Vcd, caplog: pytest.LogCaptureFixture) -> None:
    only = ONE_VERSION.format(attributes='deprecated="true"', number="31.0")
    vcd.mock.upsert("GET", f"{API}/versions", only)
    vcd.answer("GET", PATH, fixture("task-running-36"))
    vcd.client().task(TASK)
    assert "deprecated API version 31.0" in caplog.text


@pytest.mark.parametrize("number", ["1.5", "5.1", "40.0", "41.2"])
def test_a_server_without_a_version_we_know_is_refused(vcd: Vcd, number: str) -> None:
    only = ONE_VERSION.format(attributes="", number=number)
    vcd.mock.upsert("GET", f"{API}/versions", only)
    with pytest.raises(Refused, match="no API version"):
        vcd.client().task(TASK)


def test_an_old_server_is_logged_in_with_the_session_header(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("task-running-36"))
    client = vcd.client()
    client.task(TASK)
    login = vcd.mock.calls[1].request
    assert login.headers["Authorization"] == basic("acme-admin@acme")
    assert login.headers["Accept"] == "application/*+xml;version=5.5"
    assert vcd.last.headers["x-vcloud-authorization"] == TOKEN
    assert "Authorization" not in vcd.last.headers
    assert client.session == Session(TOKEN, "vcloud", "5.5")


def test_a_new_server_is_logged_in_with_a_bearer_token(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    client = vcd_39.client()
    client.task(TASK)
    login = vcd_39.mock.calls[1].request
    assert (login.url, login.headers["Authorization"]) == (SESSIONS, basic("acme-admin@acme"))
    assert login.headers["Accept"] == "application/json;version=39.1"
    assert vcd_39.last.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "x-vcloud-authorization" not in vcd_39.last.headers
    assert client.session == Session(TOKEN, "bearer", "39.1")


def test_the_provider_has_a_door_of_its_own(vcd_39: Vcd) -> None:
    vcd_39.mock.add("POST", f"{SESSIONS}/provider", json={}, headers={"X-VMWARE-VCLOUD-ACCESS-TOKEN": "provider-token"})
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    vcd_39.client(login=Login("System", "administrator", PASSWORD)).task(TASK)
    assert vcd_39.last.headers["Authorization"] == "Bearer provider-token"


@pytest.mark.parametrize("url", ["https://vcd.example/api", "https://vcd.example/api/", "https://vcd.example"])
def test_the_address_may_be_written_in_any_usual_way(vcd: Vcd, url: str) -> None:
    vcd.answer("GET", PATH, fixture("task-running-36"))
    with Client(url, Login("acme", "acme-admin", PASSWORD)) as client:
        assert client.task(TASK).progress == 40


def test_a_session_is_used_again_without_versions_or_login(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("task-running-36"))
    stored = Session(TOKEN, "bearer", "36.3").dump()
    vcd.client(session=Session.load(stored)).task(TASK)
    assert len(vcd.mock.calls) == 1
    assert vcd.last.headers["Authorization"] == f"Bearer {TOKEN}"
    assert vcd.last.headers["Accept"].endswith("version=36.3")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"token": 1}', "not json"])
def test_a_text_that_is_no_session_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Session.load(text)


def test_an_ended_session_is_opened_again_and_the_request_repeated(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, status=401)
    vcd.answer("GET", PATH, fixture("task-running-36"))
    client = vcd.client(session=Session("old-token", "vcloud", "5.5"))
    assert client.task(TASK).progress == 40
    assert client.session == Session(TOKEN, "vcloud", "5.5")


def test_a_command_is_repeated_after_401_for_nobody_looked_at_it(vcd: Vcd) -> None:
    path = "/vApp/vm-11111111-0000-4000-8000-000000000001/power/action/powerOn"
    vcd.answer("POST", path, status=401)
    vcd.answer("POST", path, fixture("task-running-36"), status=202)
    client = vcd.client(session=Session("old-token", "vcloud", "5.5"))
    assert client.power_on("urn:vcloud:vm:11111111-0000-4000-8000-000000000001").id == TASK


def test_a_second_401_is_the_end(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, status=401)
    with pytest.raises(SessionExpired):
        vcd.client(session=Session("old-token", "vcloud", "5.5")).task(TASK)
    assert len(vcd.calls) == 2


def test_a_login_that_is_not_accepted_is_not_tried_again(vcd: Vcd) -> None:
    vcd.mock.upsert("POST", f"{API}/sessions", status=401)
    with pytest.raises(SessionExpired, match="does not accept this login"):
        vcd.client().task(TASK)
    assert [call.request.method for call in vcd.mock.calls] == ["GET", "POST"]


def test_a_refused_login_says_why(vcd_39: Vcd) -> None:
    said = {"minorErrorCode": "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "message": "The user is disabled.", "stackTrace": None}
    vcd_39.mock.upsert("POST", SESSIONS, json=said, status=403)
    with pytest.raises(Refused, match="The user is disabled") as caught:
        vcd_39.client().task(TASK)
    assert caught.value.minor_code == "ACCESS_TO_RESOURCE_IS_FORBIDDEN"


def test_a_login_without_a_token_is_no_login(vcd: Vcd) -> None:
    vcd.mock.upsert("POST", f"{API}/sessions", "<html>welcome</html>")
    with pytest.raises(Unavailable, match="without a token"):
        vcd.client().task(TASK)


def test_a_renewed_token_is_kept(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("task-running-36"), headers={"X-Vcloud-Authorization": "renewed-token"})
    client = vcd.client()
    client.task(TASK)
    assert client.session == Session("renewed-token", "vcloud", "5.5")


def test_a_withdrawn_version_is_negotiated_anew(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", PATH, error_body("NOT_ACCEPTABLE", "supported versions are 39.0, 39.1", 406), status=406)
    vcd_39.answer("GET", PATH, fixture("task-running-36"))
    client = vcd_39.client(session=Session("token", "bearer", "35.2"))
    client.task(TASK)
    assert client.session
    assert client.session.api_version == "39.1"


def test_cookies_are_not_kept(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("task-running-36"), headers={"Set-Cookie": f"vcloud-token={TOKEN}; Path=/"})
    client = vcd.client()
    client.task(TASK)
    client.task(TASK)
    assert "Cookie" not in vcd.last.headers


def test_no_secret_is_logged_or_represented(vcd: Vcd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    vcd.answer("GET", PATH, fixture("task-running-36"))
    client = vcd.client()
    client.task(TASK)
    shown = caplog.text + repr(client.session) + repr(Login("acme", "acme-admin", PASSWORD)) + repr(client)
    for secret in (PASSWORD, TOKEN, basic("acme-admin@acme").removeprefix("Basic ")):
        assert secret not in shown


def test_each_request_is_one_line_with_method_path_status_and_request_id(
    vcd: Vcd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.vcloud.transport")
    vcd.answer("GET", PATH, fixture("task-running-36"))
    vcd.client().task(TASK)
    assert [record.getMessage().split()[:3] for record in caplog.records] == [
        ["GET", "/api/versions", "200"],
        ["POST", "/api/sessions", "200"],
        ["GET", f"/api{PATH}", "200"],
    ]
    assert caplog.messages[-1].endswith("request 5bb40eb1-0000-4000-8000-000000000042")
