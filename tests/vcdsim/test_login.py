"""Versions, both styles of login, sessions, the headers of every answer."""

import json

import pytest

from tests.vcdsim.talk import NS, Talk, basic, rels, send
from vcdsim import Simulator

GOOD = basic("acme-admin@acme", "secret")


def test_versions_need_neither_login_nor_accept(sim: Simulator) -> None:
    reply = send(sim, "GET", "/api/versions", {})
    names = [one.text for one in reply.root.iter("{*}Version")]
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/xml"
    assert names[0] == "5.5"
    assert {"5.5", "9.0", "30.0", "36.0", "37.2", "39.0"} <= set(names)


def test_old_versions_are_announced_as_deprecated(sim: Simulator) -> None:
    infos = send(sim, "GET", "/api/versions", {}).root.iter("{*}VersionInfo")
    deprecated = {info.findtext("{*}Version"): info.get("deprecated") for info in infos}
    assert (deprecated["9.0"], deprecated["39.0"]) == ("true", "false")


@pytest.mark.parametrize("version", ["5.5", "9.0", "32.0", "36.0", "37.2"])
def test_the_older_login_answers_a_token_and_a_session(sim: Simulator, version: str) -> None:
    headers = {"Accept": f"application/*+xml;version={version}", "Authorization": GOOD}
    reply = send(sim, "POST", "/api/sessions", headers)
    assert reply.status == 200
    assert len(reply.headers["x-vcloud-authorization"]) == 32
    assert reply.headers["content-type"] == f"application/vnd.vmware.vcloud.session+xml;version={version}"
    assert (reply.root.get("user"), reply.root.get("org")) == ("acme-admin", "acme")


@pytest.mark.parametrize("version", ["30.0", "37.2"])
def test_the_older_login_answers_a_bearer_token_as_well_from_30(sim: Simulator, version: str) -> None:
    headers = {"Accept": f"application/*+xml;version={version}", "Authorization": GOOD}
    reply = send(sim, "POST", "/api/sessions", headers)
    assert reply.headers["x-vmware-vcloud-token-type"] == "Bearer"
    assert len(reply.headers["x-vmware-vcloud-access-token"]) > 32


def test_the_older_login_knows_no_bearer_token_below_30(sim: Simulator) -> None:
    headers = {"Accept": "application/*+xml;version=29.0", "Authorization": GOOD}
    assert "x-vmware-vcloud-access-token" not in send(sim, "POST", "/api/sessions", headers).headers


@pytest.mark.parametrize("ended_by", ["x-vcloud-authorization", "x-vmware-vcloud-access-token"])
def test_both_tokens_of_a_login_serve_until_one_logs_out(sim: Simulator, ended_by: str) -> None:
    accept = {"Accept": "application/*+xml;version=36.0"}
    reply = send(sim, "POST", "/api/sessions", {**accept, "Authorization": GOOD})
    tokens = {name: reply.headers[name] for name in ("x-vcloud-authorization", "x-vmware-vcloud-access-token")}
    for name, token in tokens.items():
        assert send(sim, "GET", "/api/session", {**accept, name: token}).status == 200
    assert send(sim, "DELETE", "/api/session", {**accept, ended_by: tokens[ended_by]}).status == 204
    for name, token in tokens.items():
        assert send(sim, "GET", "/api/session", {**accept, name: token}).status == 401


def test_using_one_token_of_a_login_keeps_the_other_alive(sim: Simulator) -> None:
    accept = {"Accept": "application/*+xml;version=36.0"}
    reply = send(sim, "POST", "/api/sessions", {**accept, "Authorization": GOOD})
    bearer = {**accept, "Authorization": f"Bearer {reply.headers['x-vmware-vcloud-access-token']}"}
    older = {**accept, "x-vcloud-authorization": reply.headers["x-vcloud-authorization"]}
    for headers in (older, older, bearer):
        sim.advance(20 * 60)
        assert send(sim, "GET", "/api/session", headers).status == 200


def test_the_older_login_is_gone_from_38(sim: Simulator) -> None:
    headers = {"Accept": "application/*+xml;version=38.0", "Authorization": GOOD}
    assert send(sim, "POST", "/api/sessions", headers).status == 404


def test_the_newer_login_answers_a_bearer_token_longer_than_32(sim: Simulator) -> None:
    headers = {"Accept": "application/json;version=39.1", "Authorization": GOOD}
    reply = send(sim, "POST", "/cloudapi/1.0.0/sessions", headers)
    assert reply.status == 200
    assert reply.headers["x-vmware-vcloud-token-type"] == "Bearer"
    assert len(reply.headers["x-vmware-vcloud-access-token"]) > 32
    assert json.loads(reply.body)["org"]["name"] == "acme"


def test_the_newer_login_does_not_exist_below_33(sim: Simulator) -> None:
    headers = {"Accept": "application/json;version=32.0", "Authorization": GOOD}
    assert send(sim, "POST", "/cloudapi/1.0.0/sessions", headers).status == 406


@pytest.mark.parametrize(
    ("path", "login", "status"),
    [
        ("/cloudapi/1.0.0/sessions", "acme-admin@acme", 200),
        ("/cloudapi/1.0.0/sessions", "administrator@System", 401),
        ("/cloudapi/1.0.0/sessions/provider", "administrator@System", 200),
        ("/cloudapi/1.0.0/sessions/provider", "acme-admin@acme", 401),
    ],
)
def test_tenants_and_the_provider_have_their_own_door(sim: Simulator, path: str, login: str, status: int) -> None:
    headers = {"Accept": "application/json;version=36.0", "Authorization": basic(login, "secret")}
    assert send(sim, "POST", path, headers).status == status


@pytest.mark.parametrize(
    "authorization",
    [
        basic("acme-admin@acme", "wrong"),
        basic("nobody@acme", "secret"),
        basic("acme-admin@none", "secret"),
        "Basic !",
        "",
    ],
)
def test_a_wrong_login_gets_401_with_an_empty_body(sim: Simulator, authorization: str) -> None:
    headers = {"Accept": "application/*+xml;version=36.0", "Authorization": authorization}
    reply = send(sim, "POST", "/api/sessions", headers)
    assert (reply.status, reply.body) == (401, b"")
    assert reply.headers["www-authenticate"] == 'BASIC realm="vCloud"'


def test_names_of_users_and_orgs_have_no_case(sim: Simulator) -> None:
    headers = {"Accept": "application/*+xml;version=36.0", "Authorization": basic("ACME-Admin@Acme", "secret")}
    assert send(sim, "POST", "/api/sessions", headers).status == 200


@pytest.mark.parametrize("accept", ["", "application/*+xml", "application/*+xml;version=4.0", "*/*"])
def test_a_request_without_a_known_version_gets_406_with_the_list(sim: Simulator, accept: str) -> None:
    reply = send(sim, "GET", "/api/session", {"Accept": accept})
    code, message = reply.error
    assert (reply.status, code) == (406, "NOT_ACCEPTABLE")
    assert "9.0[D]" in message
    assert "39.1]" in message


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/*+json;version=36.0", 406),
        ("application/*+json;version=36.0, application/json", 406),
        ("application/*+json;version=36.0, application/*+xml;version=36.0", 200),
        ("*/*;version=36.0", 200),
    ],
)
def test_only_json_is_not_to_be_had_and_the_refusal_names_what_is(talk: Talk, accept: str, status: int) -> None:
    reply = send(talk.sim, "GET", "/api/org", {**talk.headers, "Accept": accept})
    assert reply.status == status
    if status == 406:
        assert reply.error[0] == "NOT_ACCEPTABLE"
        assert "application/*+xml" in reply.error[1]
        assert (
            send(talk.sim, "GET", "/cloudapi/1.0.0/sessions/current", {**talk.headers, "Accept": accept}).status == 200
        )


def test_the_version_may_stand_anywhere_in_a_list(sim: Simulator) -> None:
    headers = {"Accept": "text/html, application/*+xml; version=9.0", "Authorization": GOOD}
    assert send(sim, "POST", "/api/sessions", headers).status == 200


def test_one_session_may_speak_several_versions(talk: Talk) -> None:
    talk.headers["Accept"] = "application/*+xml;version=9.0"
    reply = talk.send("GET", "/api/session")
    assert reply.headers["content-type"].endswith("version=9.0")


@pytest.mark.parametrize("name", ["x-vcloud-authorization", "X-VCLOUD-AUTHORIZATION", "X-Vmware-Vcloud-Access-Token"])
def test_a_token_is_taken_from_any_of_its_headers(talk: Talk, name: str) -> None:
    token = talk.headers.pop("x-vcloud-authorization")
    talk.headers[name] = token
    assert talk.send("GET", "/api/session").status == 200


def test_a_bearer_token_opens_the_xml_session(sim: Simulator) -> None:
    talk = Talk(sim, version="39.1")
    talk.headers["Authorization"] = talk.headers["Authorization"].replace("Bearer", "bearer")
    session = talk.get("/api/session")
    types = {link.get("type") for link in session.findall("v:Link", NS)}
    assert "application/vnd.vmware.vcloud.query.queryList+xml" in types
    assert "openapi" in rels(session)


def test_without_a_token_the_answer_is_401_and_empty(sim: Simulator) -> None:
    reply = send(sim, "GET", "/api/session", {"Accept": "application/*+xml;version=36.0"})
    assert (reply.status, reply.body) == (401, b"")


@pytest.mark.parametrize(
    "path", ["/api/session", "/api/sessions", "/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/current"]
)
def test_logging_out_ends_the_session_wherever_it_is_sent(talk: Talk, path: str) -> None:
    assert talk.send("DELETE", path).status == 204
    assert talk.send("GET", "/api/session").status == 401


def test_a_session_left_idle_for_half_an_hour_ends(sim: Simulator, talk: Talk) -> None:
    sim.advance(1700)
    assert talk.send("GET", "/api/session").status == 200
    sim.advance(1700)
    assert talk.send("GET", "/api/session").status == 200
    sim.advance(1801)
    assert talk.send("GET", "/api/session").status == 401


def test_a_bearer_token_ends_after_a_day_however_much_it_is_used(sim: Simulator) -> None:
    talk = Talk(sim, version="39.1")
    for _ in range(49):
        sim.advance(1700)
        talk.send("GET", "/api/session")
    sim.advance(1700 * 2)
    assert talk.send("GET", "/api/session").status == 401


def test_all_sessions_can_be_made_to_expire(sim: Simulator, talk: Talk) -> None:
    sim.expire_sessions()
    assert talk.send("GET", "/api/session").status == 401


def test_every_answer_carries_a_request_id(talk: Talk) -> None:
    replies = [talk.send("GET", path) for path in ("/api/session", "/api/vdc/none", "/api/nowhere")]
    ids = {reply.headers["x-vmware-vcloud-request-id"] for reply in replies}
    assert len(ids) == 3
    assert all(len(one) == 36 for one in ids)


def test_an_answer_of_the_older_login_repeats_the_token(talk: Talk) -> None:
    reply = talk.send("GET", "/api/session")
    assert reply.headers["x-vcloud-authorization"] == talk.headers["x-vcloud-authorization"]


def test_a_trailing_slash_changes_nothing(talk: Talk) -> None:
    assert talk.send("GET", "/api/org/").body == talk.send("GET", "/api/org").body


def test_a_path_that_does_not_exist_is_404_and_a_wrong_method_405(talk: Talk) -> None:
    assert talk.send("GET", "/api/nowhere").status == 404
    assert talk.send("PUT", "/api/session").status == 405


def test_hrefs_lead_back_to_the_host_that_was_asked(talk: Talk) -> None:
    talk.headers["Host"] = "cloud.example:8081"
    assert (talk.get("/api/session").get("href") or "").startswith("http://cloud.example:8081/api/")
