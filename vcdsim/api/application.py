"""One request in, one answer out: faults, version, session, route, errors."""

from __future__ import annotations

import json
import re
import traceback
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from lxml import etree

from vcdsim import leases
from vcdsim.api import hrefs, oauth, routing, sessions, xml
from vcdsim.api import version as versions
from vcdsim.api.context import Answer, Context
from vcdsim.api.guarding import guard
from vcdsim.api.routing import exists, find
from vcdsim.api.spoiling import spoil, task_fault
from vcdsim.api.version import Version
from vcdsim.console import Console
from vcdsim.faults import Fault, FaultError, Faults
from vcdsim.people import Session
from vcdsim.refusals import RefusalError, not_found
from vcdsim.world import World

_LOGINS = {
    ("POST", "/api/sessions"): "login",
    ("POST", "/cloudapi/1.0.0/sessions"): "login",
    ("POST", "/cloudapi/1.0.0/sessions/provider"): "login",
    ("GET", "/api/versions"): "versions",
}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")
_HTML = b"<html><head><title>%d</title></head><body><h1>%d Service Unavailable</h1></body></html>\n"


@dataclass(frozen=True)
class Request:
    """A request as it came, its path cleaned and the names of its headers in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    @property
    def base(self) -> str:
        """The address the client used, for the hrefs of the answer."""
        host = self.headers.get("host", "")
        return f"http://{host if _HOST.fullmatch(host) else 'vcdsim.test'}"


class Api:
    """The HTTP surface of one world. Not thread-safe: the caller holds the lock."""

    def __init__(self, world: World, console: Console, faults: Faults) -> None:
        self.world = world
        self.console = console
        self.faults = faults

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; `path` carries the query, header names may have any case."""
        if not path.isprintable():
            return Answer(400)
        address = urlsplit(path)
        clean_path = "/" + address.path.strip("/")
        lowered = {name.lower(): value for name, value in headers.items()}
        request_id = str(uuid.uuid4())
        request = Request(method, clean_path, address.query, lowered, body, request_id)
        try:
            answer = self._with_faults(request)
        except Exception:  # noqa: BLE001  whatever is wrong here, a client gets an answer of vCloud's
            traceback.print_exc()
            answer = _broken(request)
        answer.headers.setdefault("Date", formatdate(self.world.now(), usegmt=True))
        answer.headers["X-VMWARE-VCLOUD-REQUEST-ID"] = request_id
        answer.headers["X-VMWARE-VCLOUD-REQUEST-EXECUTION-TIME"] = str(max(1, int(answer.delay_s * 1000)))
        answer.headers["Vary"] = "Accept-Encoding, User-Agent"
        return answer

    def _with_faults(self, request: Request) -> Answer:
        leases.tick(self.world)
        operation = _LOGINS.get((request.method, request.path)) or self._operation(request.method, request.path)
        faults = self.faults.take(operation)
        answer = self._before(faults, request.request_id)
        if answer is None:
            self.world.task_fault = task_fault(faults)
            try:
                answer = self._answer(request, faults)
            finally:
                self.world.task_fault = None
            spoil(answer, faults)
        answer.delay_s = sum(fault.latency_s for fault in faults)
        return answer

    def _operation(self, method: str, path: str) -> str:
        if path.startswith("/oauth/"):
            return "token"
        found = find(method, path)
        return found[0].operation if found else "unknown"

    def _before(self, faults: list[Fault], request_id: str) -> Answer | None:
        """What a fault answers instead of carrying the request out."""
        for fault in faults:
            if fault.drop_request:
                return Answer(0, is_cut=True)
            if fault.redirect_to is not None:
                return Answer(302, {"Location": fault.redirect_to})
            if fault.http_status is not None:
                status = fault.http_status
                headers = {"Content-Type": "text/html"}
                if fault.retry_after_s is not None:
                    headers["Retry-After"] = str(fault.retry_after_s)
                return Answer(status, headers, _HTML % (status, status))
            if fault.error is not None:
                return _error_answer(fault.error, versions.SUPPORTED[-1], request_id)
        return None

    def _answer(self, request: Request, faults: list[Fault]) -> Answer:
        path, headers = request.path, request.headers
        version = versions.SUPPORTED[-1]
        served = versions.served(one for fault in faults for one in fault.withdrawn)
        try:
            if (request.method, path) == ("GET", "/api/versions"):
                return get_versions(request.base, served)
            if request.method == "POST" and path.startswith("/oauth/"):
                return oauth.answer(self.world, path, headers, request.body)
            version = versions.from_accept(headers.get("accept", ""), served)
            if path.startswith("/api/"):
                versions.refuse_json(headers.get("accept", ""))
            if (request.method, path) in _LOGINS:
                return self._log_in(request, version)
            session = sessions.current(self.world, headers)
            if session is not None and any(fault.expire_session for fault in faults):
                sessions.end(self.world, session)
                session = None
            if session is None:
                return sessions.unauthorized()
            answer = _dispatch(self._context(request, version, session, faults), request.method)
            if session.expires_at is None:
                answer.headers.setdefault("x-vcloud-authorization", session.token)
            return answer
        except RefusalError as refusal:
            return _refused(request, version, FaultError(refusal.minor_code, refusal.message, refusal.status))

    def _context(self, request: Request, version: Version, session: Session, faults: list[Fault]) -> Context:
        return Context(
            self.world,
            self.console,
            request.base,
            version,
            request.path,
            request.query,
            request.headers,
            request.body,
            request.request_id,
            session,
            self.world.users[session.user_id],
            most_rows=next((one.most_rows for one in faults if one.most_rows is not None), None),
        )

    def _log_in(self, request: Request, version: Version) -> Answer:
        if request.path == "/api/sessions":
            return sessions.xml_login(
                self.world, self.console, request.base, version, request.headers, request.request_id
            )
        is_provider = request.path.endswith("/provider")
        return sessions.cloudapi_login(self.world, version, request.headers, provider=is_provider)


def operations() -> set[str]:
    """What a fault can be about."""
    return routing.operations() | set(_LOGINS.values()) | {"token"}


def get_versions(base: str, served: Collection[Version]) -> Answer:
    """The list anyone may read, without a version or a login."""
    element = etree.Element(f"{{{xml.VERSIONS}}}SupportedVersions", nsmap={None: xml.VERSIONS})
    for version in served:
        info = etree.SubElement(element, f"{{{xml.VERSIONS}}}VersionInfo")
        info.set("deprecated", xml.flag(versions.is_deprecated(version)))
        etree.SubElement(info, f"{{{xml.VERSIONS}}}Version").text = versions.text(version)
        path = "/api/sessions" if version <= versions.LAST_WITH_XML_LOGIN else "/cloudapi/1.0.0/sessions"
        etree.SubElement(info, f"{{{xml.VERSIONS}}}LoginUrl").text = base + path
    return Answer(200, {"Content-Type": "text/xml"}, xml.serialise(element, versions.SUPPORTED[-1]))


def _dispatch(ctx: Context, method: str) -> Answer:
    found = find(method, ctx.path)
    if found is None:
        if exists(ctx.path):
            raise RefusalError("The method is not allowed.", minor_code="METHOD_NOT_ALLOWED", status=405)
        raise not_found()
    chosen, values = found
    if not chosen.since <= ctx.version <= chosen.until:
        raise not_found()
    guard(ctx, method, chosen.operation)
    return chosen.handler(ctx, **values)


def _refused(request: Request, version: Version, error: FaultError) -> Answer:
    if request.path.startswith(("/cloudapi", "/oauth")):
        return _json_error(error, version, request.request_id)
    return _error_answer(error, version, request.request_id)


def _broken(request: Request) -> Answer:
    """What vCD says when something in it went wrong that it did not foresee."""
    words = "Unable to perform this action. Contact your cloud administrator."
    try:
        version = versions.from_accept(request.headers.get("accept", ""))
    except RefusalError:
        version = versions.SUPPORTED[-1]
    return _refused(request, version, FaultError("INTERNAL_SERVER_ERROR", words, 500))


def _error_answer(error: FaultError, version: Version, request_id: str) -> Answer:
    media_type = hrefs.media("error")
    message = f"[ {request_id} ] {error.message}" if version >= (9, 0) else error.message
    attributes = {"majorErrorCode": str(error.status), "message": message, "minorErrorCode": error.minor_code}
    element = xml.root("Error", version, attributes)
    headers = {"Content-Type": f"{media_type};version={versions.text(version)}"}
    return Answer(error.status, headers, xml.serialise(element, version))


def _json_error(error: FaultError, version: Version, request_id: str) -> Answer:
    body = {"minorErrorCode": error.minor_code, "message": f"[ {request_id} ] {error.message}", "stackTrace": None}
    headers = {"Content-Type": f"application/json;version={versions.text(version)}"}
    return Answer(error.status, headers, json.dumps(body).encode())
