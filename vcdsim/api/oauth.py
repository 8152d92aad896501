"""API tokens: registering one, and changing it for a bearer token. Answers are plain JSON."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from vcdsim.api import sessions
from vcdsim.api.context import Answer
from vcdsim.people import ApiToken, User
from vcdsim.refusals import not_found
from vcdsim.world import SYSTEM_ORG, World

_PATH = re.compile(r"/oauth/(?:tenant/(?P<org>[^/]+)|provider)/(?P<what>register|token)$")
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def answer(world: World, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """POST /oauth/tenant/{org}/register or token, and the same under /oauth/provider."""
    found = _PATH.match(path)
    if found is None:
        raise not_found()
    org_name = unquote(found["org"]) if found["org"] else SYSTEM_ORG
    if found["what"] == "register":
        return _register(world, org_name, headers, body)
    form = parse_qs(body.decode("utf-8", "replace"))
    grant = form.get("grant_type", [""])[0]
    if grant == "refresh_token":
        return _refresh(world, org_name, form.get("refresh_token", [""])[0])
    if grant == _JWT_BEARER:
        return _issue(world, org_name, form.get("assertion", [""])[0], form.get("client_id", [""])[0])
    return _refused("unsupported_grant_type", f"The grant type {grant!r} is not supported.")


def _register(world: World, org_name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    session = sessions.current(world, headers)
    if session is None:
        return sessions.unauthorized()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    name = data.get("client_name") if isinstance(data, dict) else None
    if not isinstance(name, str) or not name:
        return _refused("invalid_client_metadata", "The client_name is missing.")
    user = world.users[session.user_id]
    if not _belongs(world, user, org_name) or session.is_of_token:
        return _refused("invalid_client_metadata", "This session may not create tokens for the organization.")
    token = ApiToken(world.new_id(), name, user.id, world.now())
    world.api_tokens[token.id] = token
    world.changed()
    return _json(200, {"client_id": token.id, "client_name": name, "grant_types": ["refresh_token"]})


def _issue(world: World, org_name: str, assertion: str, client_id: str) -> Answer:
    """The token itself, shown once, for the bearer token of the one who registered it."""
    session = sessions.current(world, {"authorization": f"Bearer {assertion}"})
    token = world.api_tokens.get(client_id)
    if session is None or token is None or token.user_id != session.user_id or token.secret:
        return _refused("invalid_grant", "The assertion or the client is not valid.")
    if not _belongs(world, world.users[token.user_id], org_name):
        return _refused("invalid_grant", "The client is not one of the organization.")
    token.secret = secrets.token_urlsafe(24)
    world.changed()
    return _tokens(world, world.users[token.user_id], token.secret)


def _refresh(world: World, org_name: str, secret: str) -> Answer:
    token = next((one for one in world.api_tokens.values() if one.secret and one.secret == secret), None)
    user = world.users.get(token.user_id) if token is not None else None
    if user is None or not user.is_enabled or not _belongs(world, user, org_name):
        return _refused("invalid_grant", "Invalid refresh token.")
    return _tokens(world, user, None)


def _tokens(world: World, user: User, refresh_token: str | None) -> Answer:
    session = sessions.start(world, user, bearer=True)
    session.is_of_token = True
    return _json(
        200,
        {
            "access_token": session.token,
            "token_type": "Bearer",
            "expires_in": int(sessions.JWT_LIFE_S),
            "refresh_token": refresh_token,
        },
    )


def _belongs(world: World, user: User, org_name: str) -> bool:
    org = world.orgs[user.org_id]
    return org.is_enabled and org.name.lower() == org_name.lower()


def _refused(code: str, why: str) -> Answer:
    return _json(400, {"error": code, "error_description": why})


def _json(status: int, value: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
