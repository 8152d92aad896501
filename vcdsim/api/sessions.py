"""Login of both styles, the session document, logout, and finding the session of a request."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping

from lxml import etree

from vcdsim.administration import ORG_ADMINISTRATOR, SYSTEM_ADMINISTRATOR
from vcdsim.api import hrefs, xml
from vcdsim.api import version as versions
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.routing import route
from vcdsim.api.version import Version
from vcdsim.console import Console
from vcdsim.people import Session, User
from vcdsim.refusals import RefusalError
from vcdsim.world import SYSTEM_ORG, World

IDLE_S = 1800.0
JWT_LIFE_S = 24 * 3600.0
SITE_ID = "5f6a7c1e-0000-4000-8000-76636473696d"


def unauthorized() -> Answer:
    """401 with an empty body, as recorded."""
    return Answer(401, {"WWW-Authenticate": 'BASIC realm="vCloud"', "Content-Type": "text/plain"})


def current(world: World, headers: Mapping[str, str]) -> Session | None:
    """The living session whose token the request carries; use renews an idle-timed one."""
    token = _token(headers)
    session = world.sessions.get(token) if token else None
    if session is None:
        return None
    now = world.now()
    if (session.expires_at or now) < now or now - session.used_at > IDLE_S:
        del world.sessions[session.token]
        return None
    session.used_at = now
    if session.twin is not None:
        session.twin.used_at = now
    return session


def end(world: World, session: Session) -> None:
    """End a login, whichever of its tokens was shown."""
    for one in (session, session.twin):
        if one is not None:
            world.sessions.pop(one.token, None)


def log_in(world: World, headers: Mapping[str, str], *, bearer: bool, provider: bool | None) -> Session | None:
    """A new session for the Basic credentials; `provider` True takes only users of System."""
    user = _basic_user(world, headers.get("authorization", ""))
    if user is None or (provider is not None and provider != world.sees_all(user)):
        return None
    return start(world, user, bearer=bearer)


def start(world: World, user: User, *, bearer: bool) -> Session:
    """A new session; the bearer form has an end, the older one lives by being used."""
    now = world.now()
    session_id = world.new_id()
    token = _jwt(user.name, world.orgs[user.org_id].name, now) if bearer else secrets.token_hex(16)
    session = Session(token, session_id, user.id, user.org_id, now, now + JWT_LIFE_S if bearer else None)
    world.sessions[token] = session
    return session


def xml_login(
    world: World, console: Console, base: str, version: Version, headers: Mapping[str, str], request_id: str
) -> Answer:
    """POST /api/sessions: up to 37.2, answers the older token and a session document; from 30.0 a JWT as well.

    Clients of that time (go-vcloud-director 2.x) take the JWT from this answer.
    """
    if version > versions.LAST_WITH_XML_LOGIN:
        raise RefusalError(
            f"The operation POST /api/sessions is not available in API version {versions.text(version)}.",
            minor_code="RESOURCE_NOT_FOUND",
            status=404,
        )
    session = log_in(world, headers, bearer=False, provider=None)
    if session is None:
        return unauthorized()
    user = world.users[session.user_id]
    ctx = Context(world, console, base, version, "/api/sessions", "", headers, b"", request_id, session, user)
    answer = get_session(ctx)
    answer.headers["x-vcloud-authorization"] = session.token
    answer.headers["Set-Cookie"] = f"vcloud-token={session.token}; Path=/; HttpOnly"
    if version >= versions.FIRST_WITH_BEARER:
        answer.headers.update(_bearer_headers(_twin(world, session, user)))
    return answer


def _twin(world: World, session: Session, user: User) -> Session:
    """The same login under a JWT."""
    twin = start(world, user, bearer=True)
    twin.id, twin.twin, session.twin = session.id, session, twin
    return twin


def _bearer_headers(session: Session) -> dict[str, str]:
    return {"X-VMWARE-VCLOUD-ACCESS-TOKEN": session.token, "X-VMWARE-VCLOUD-TOKEN-TYPE": "Bearer"}


def cloudapi_login(world: World, version: Version, headers: Mapping[str, str], *, provider: bool) -> Answer:
    """POST /cloudapi/1.0.0/sessions[/provider]: from 33.0, answers a bearer token."""
    if version < versions.FIRST_WITH_CLOUDAPI:
        raise RefusalError("OpenAPI sessions need API version 33.0.", minor_code="NOT_ACCEPTABLE", status=406)
    session = log_in(world, headers, bearer=True, provider=provider)
    if session is None:
        return unauthorized()
    return Answer(
        200,
        {"Content-Type": f"application/json;version={versions.text(version)}", **_bearer_headers(session)},
        json.dumps(_as_json(world, session)).encode(),
    )


@route("GET", "/api/session", "session")
def get_session(ctx: Context) -> Answer:
    """Who is logged in, and where to go from here."""
    org = ctx.world.orgs[ctx.user.org_id]
    address = f"{ctx.base}/api/session"
    attributes = {"org": org.name, "user": ctx.user.name, "userId": hrefs.urn("user", ctx.user.id), "href": address}
    if ctx.since(5, 7):
        attributes["roles"] = ctx.user.role
    if ctx.since(30, 0):
        attributes["locationId"] = f"{org.id}@{SITE_ID}"
    element = ctx.root("Session", hrefs.media("session"), attributes)
    link(element, "down", f"{ctx.base}/api/org/", hrefs.media("orgList"))
    link(element, "remove", address)
    link(element, "down", ctx.href("org", org.id), hrefs.MEDIA["org"], org.name)
    link(element, "down", f"{ctx.base}/api/query", hrefs.media("query.queryList"))
    if ctx.user.role in (ORG_ADMINISTRATOR, SYSTEM_ADMINISTRATOR):
        link(element, "down", f"{ctx.base}/api/admin/", hrefs.media("admin.vcloud"))
    if ctx.since(30, 0):
        link(element, "openapi", f"{ctx.base}/cloudapi", "application/json")
    if ctx.since(29, 0):
        _write_location(ctx, xml.sub(element, "AuthorizedLocations"), f"{org.id}@{SITE_ID}", org.name)
    return ctx.xml(element, hrefs.media("session"))


@route("DELETE", "/api/session", "logout")
@route("DELETE", "/api/sessions", "logout")
@route("DELETE", "/cloudapi/1.0.0/sessions", "logout")
@route("DELETE", "/cloudapi/1.0.0/sessions/[^/]+", "logout")
def log_out(ctx: Context) -> Answer:
    """End the session of the request; clients differ in the address they delete."""
    end(ctx.world, ctx.session)
    return Answer(204)


@route("GET", "/cloudapi/1.0.0/sessions/current", "session")
def get_current(ctx: Context) -> Answer:
    """The session as JSON."""
    body = json.dumps(_as_json(ctx.world, ctx.session)).encode()
    return Answer(200, {"Content-Type": f"application/json;version={versions.text(ctx.version)}"}, body)


def _write_location(ctx: Context, parent: etree._Element, location_id: str, org_name: str) -> None:
    box = xml.sub(parent, "Location")
    if not ctx.since(30, 0):
        xml.sub(box, "LocationName", org_name)
    else:
        xml.sub(box, "LocationId", location_id)
        xml.sub(box, "SiteName", "vcdsim")
        xml.sub(box, "OrgName", org_name)
    xml.sub(box, "RestApiEndpoint", ctx.base)
    xml.sub(box, "UIEndpoint", ctx.base)
    if ctx.since(30, 0):
        xml.sub(box, "AuthContext", org_name)


def _as_json(world: World, session: Session) -> dict[str, object]:
    user, org = world.users[session.user_id], world.orgs[session.org_id]
    org_reference = {"name": org.name, "id": hrefs.urn("org", org.id)}
    return {
        "id": hrefs.urn("session", session.id),
        "site": {"name": "vcdsim", "id": f"urn:vcloud:site:{SITE_ID}"},
        "user": {"name": user.name, "id": hrefs.urn("user", user.id)},
        "org": org_reference,
        "operatingOrg": org_reference,
        "location": f"{org.id}@{SITE_ID}",
        "roles": [user.role],
        "sessionIdleTimeoutMinutes": int(IDLE_S // 60),
    }


def _token(headers: Mapping[str, str]) -> str:
    for name in ("x-vcloud-authorization", "x-vmware-vcloud-access-token"):
        if headers.get(name):
            return headers[name].strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "vcloud-token":
            return value
    return ""


def _basic_user(world: World, authorization: str) -> User | None:
    scheme, _, payload = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, _, password = base64.b64decode(payload, validate=True).decode().partition(":")
    except ValueError:
        return None
    name, _, org_name = login.rpartition("@")
    user = world.user_named(org_name or SYSTEM_ORG, name)
    if user is None or not secrets.compare_digest(user.password.encode(), password.encode()):
        return None
    return user if user.is_enabled and world.orgs[user.org_id].is_enabled else None


def _jwt(user_name: str, org_name: str, now: float) -> str:
    """Shaped like vCD's token; the signature is random, for nobody checks it."""
    parts = [
        {"alg": "RS256", "typ": "JWT"},
        {"sub": user_name, "iss": org_name, "exp": int(now + JWT_LIFE_S), "jti": secrets.token_hex(16)},
    ]
    texts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts]
    return ".".join([*texts, secrets.token_urlsafe(32)])
