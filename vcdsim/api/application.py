"""One request in, one answer out: faults, version, session, route, errors."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import urlsplit

from lxml import etree

from vcdsim import tasks
from vcdsim.api import hrefs, sessions, xml
from vcdsim.api import version as versions
from vcdsim.api.context import Answer, Context
from vcdsim.api.routing import exists, find
from vcdsim.api.version import Version
from vcdsim.entities import TaskError
from vcdsim.faults import Fault, FaultError, Faults
from vcdsim.refusals import RefusalError, not_found
from vcdsim.world import TaskFault, World

_LOGINS = {
    ("POST", "/api/sessions"): "login",
    ("POST", "/cloudapi/1.0.0/sessions"): "login",
    ("POST", "/cloudapi/1.0.0/sessions/provider"): "login",
    ("GET", "/api/versions"): "versions",
}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")
_HTML = b"<html><head><title>%d</title></head><body><h1>%d Service Unavailable</h1></body></html>\n"


class Api:
    """The HTTP surface of one world. Not thread-safe: the caller holds the lock."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; `path` carries the query, header names may have any case."""
        if not path.isprintable():
            return Answer(400)
        address = urlsplit(path)
        clean_path = "/" + address.path.strip("/")
        lowered = {name.lower(): value for name, value in headers.items()}
        request_id = str(uuid.uuid4())
        tasks.tick(self.world)
        operation = _LOGINS.get((method, clean_path)) or self._operation(method, clean_path)
        faults = self.faults.take(operation)
        answer = self._before(faults, request_id)
        if answer is None:
            self.world.task_fault = _task_fault(faults)
            answer = self._answer(method, clean_path, address.query, lowered, body, request_id)
            self.world.task_fault = None
            answer.is_cut = any(fault.drop_answer for fault in faults)
        answer.delay_s = sum(fault.latency_s for fault in faults)
        answer.headers.setdefault("Date", formatdate(usegmt=True))
        answer.headers["X-VMWARE-VCLOUD-REQUEST-ID"] = request_id
        answer.headers["X-VMWARE-VCLOUD-REQUEST-EXECUTION-TIME"] = str(max(1, int(answer.delay_s * 1000)))
        answer.headers["Vary"] = "Accept-Encoding, User-Agent"
        return answer

    def _operation(self, method: str, path: str) -> str:
        found = find(method, path)
        return found[0].operation if found else "unknown"

    def _before(self, faults: list[Fault], request_id: str) -> Answer | None:
        """What a fault answers instead of carrying the request out."""
        for fault in faults:
            if fault.drop_request:
                return Answer(0, is_cut=True)
            if fault.http_status is not None:
                status = fault.http_status
                return Answer(status, {"Content-Type": "text/html"}, _HTML % (status, status))
            if fault.error is not None:
                return _error_answer(fault.error, versions.SUPPORTED[-1], request_id)
        return None

    def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, request_id: str
    ) -> Answer:
        host = headers.get("host", "")
        base = f"http://{host if _HOST.fullmatch(host) else 'vcdsim.test'}"
        version = versions.SUPPORTED[-1]
        try:
            if (method, path) == ("GET", "/api/versions"):
                return get_versions(base)
            version = versions.from_accept(headers.get("accept", ""))
            if (method, path) in _LOGINS:
                return self._log_in(path, base, version, headers, request_id)
            session = sessions.current(self.world, headers)
            if session is None:
                return sessions.unauthorized()
            user = self.world.users[session.user_id]
            ctx = Context(self.world, base, version, path, query, headers, body, request_id, session, user)
            answer = _dispatch(ctx, method)
            if session.expires_at is None:
                answer.headers.setdefault("x-vcloud-authorization", session.token)
            return answer
        except RefusalError as refusal:
            error = FaultError(refusal.minor_code, refusal.message, refusal.status)
            if path.startswith("/cloudapi"):
                return _json_error(error, version, request_id)
            return _error_answer(error, version, request_id)

    def _log_in(self, path: str, base: str, version: Version, headers: Mapping[str, str], request_id: str) -> Answer:
        if path == "/api/sessions":
            return sessions.xml_login(self.world, base, version, headers, request_id)
        return sessions.cloudapi_login(self.world, version, headers, provider=path.endswith("/provider"))


def get_versions(base: str) -> Answer:
    """The list anyone may read, without a version or a login."""
    element = etree.Element(f"{{{xml.VERSIONS}}}SupportedVersions", nsmap={None: xml.VERSIONS})
    for version in versions.SUPPORTED:
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
    return chosen.handler(ctx, **values)


def _task_fault(faults: list[Fault]) -> TaskFault | None:
    for fault in faults:
        error: TaskError | None = fault.as_task_error()
        if fault.stuck_task or error is not None:
            return TaskFault(fault.stuck_task, error)
    return None


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
