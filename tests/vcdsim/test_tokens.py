"""API tokens: made by their owner, changed for a bearer token, and what they may not do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.vcdsim.talk import Reply, Talk, basic, send
from vcdsim import Simulator

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask(sim: Simulator, where: str, **form: str) -> Reply:
    return send(sim, "POST", f"/oauth/{where}/token", {"Accept": "application/json"}, urlencode(form))


def refresh(sim: Simulator, where: str, token: str) -> Reply:
    return ask(sim, where, grant_type="refresh_token", refresh_token=token)


def loaded(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def session_with(sim: Simulator, access_token: str) -> int:
    headers = {"Accept": "application/*+xml;version=36.1", "Authorization": f"Bearer {access_token}"}
    return send(sim, "GET", "/api/session", headers).status


@pytest.mark.parametrize(
    ("where", "token"),
    [("tenant/acme", "acme-acme-admin-token"), ("provider", "System-administrator-token")],
)
def test_a_known_token_gives_a_bearer_token(sim: Simulator, where: str, token: str) -> None:
    answer = loaded(refresh(sim, where, token))
    assert (answer["token_type"], answer["refresh_token"], answer["expires_in"] > 0) == ("Bearer", None, True)
    assert session_with(sim, answer["access_token"]) == 200


@pytest.mark.parametrize(
    ("where", "token"),
    [("tenant/globex", "acme-acme-admin-token"), ("tenant/acme", "wrong"), ("provider", "acme-acme-admin-token")],
)
def test_a_token_of_nobody_or_of_elsewhere_is_refused(sim: Simulator, where: str, token: str) -> None:
    reply = refresh(sim, where, token)
    assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_grant")


def bearer(sim: Simulator) -> str:
    headers = {"Accept": "application/json;version=37.0", "Authorization": basic("acme-admin@acme", "secret")}
    reply = send(sim, "POST", "/cloudapi/1.0.0/sessions", headers)
    return reply.headers["x-vmware-vcloud-access-token"]


def register(sim: Simulator, token: str) -> Reply:
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
    return send(sim, "POST", "/oauth/tenant/acme/register", headers, '{"client_name": "panel"}')


def test_a_user_makes_a_token_and_logs_in_with_it(sim: Simulator) -> None:
    jwt = bearer(sim)
    client_id = loaded(register(sim, jwt))["client_id"]
    made = loaded(ask(sim, "tenant/acme", grant_type=JWT_BEARER, assertion=jwt, client_id=client_id))
    access = loaded(refresh(sim, "tenant/acme", made["refresh_token"]))["access_token"]
    assert session_with(sim, access) == 200


def test_a_token_is_shown_only_once(sim: Simulator) -> None:
    jwt = bearer(sim)
    client_id = loaded(register(sim, jwt))["client_id"]
    loaded(ask(sim, "tenant/acme", grant_type=JWT_BEARER, assertion=jwt, client_id=client_id))
    assert ask(sim, "tenant/acme", grant_type=JWT_BEARER, assertion=jwt, client_id=client_id).status == 400


def test_a_session_of_a_token_makes_no_tokens(sim: Simulator) -> None:
    access = loaded(refresh(sim, "tenant/acme", "acme-acme-admin-token"))["access_token"]
    assert register(sim, access).status == 400
    assert register(sim, "nobody").status == 401


def test_a_token_is_no_longer_good_when_its_user_is_disabled(sim: Simulator) -> None:
    user = next(one for one in sim.world.users.values() if one.name == "acme-admin")
    user.is_enabled = False
    assert refresh(sim, "tenant/acme", "acme-acme-admin-token").status == 400
    with pytest.raises(AssertionError, match="401"):
        Talk(sim)


def test_another_grant_is_not_known(sim: Simulator) -> None:
    assert ask(sim, "tenant/acme", grant_type="password").status == 400
    assert send(sim, "POST", "/oauth/nonsense", {}).status == 404
