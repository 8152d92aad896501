"""The session with one vCloud Director: versions, login, one new login on 401, retries of reading requests."""

import base64
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from app.vcloud import entities, parse, xml
from app.vcloud.errors import UUID, NotFound, Problem, Refused, SessionExpired, Unavailable, VcloudError, error_from
from app.vcloud.query import version_key
from app.vcloud.transport import Answer, Limits, Transport
from app.vcloud.types import ApiVersion
from app.vcloud.xml import Element

log = logging.getLogger(__name__)

_OLDEST, _TOO_NEW = (5, 5), (40,)  # what this client was written for
_BEARER_SINCE = (33,)
_OLD_TOKEN = "X-VCLOUD-AUTHORIZATION"  # noqa: S105 -- names of headers
_NEW_TOKEN = "X-VMWARE-VCLOUD-ACCESS-TOKEN"  # noqa: S105
_PAUSES_S = (0.5, 1.5)  # before the second and the third attempt
_RETRY_WITHIN_S = 10.0
_RETRY_AFTER_LIMIT_S = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are. An `org` of "System" is the provider."""

    org: str
    user: str
    password: str = field(repr=False)

    @property
    def is_provider(self) -> bool:
        """Whether this is a login of the provider, who sees all organizations."""
        return self.org.lower() == "system"

    def basic(self) -> str:
        """Return the value of the Authorization header that opens a session."""
        return "Basic " + base64.b64encode(f"{self.user}@{self.org}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, to be kept sealed and used by other processes. `scheme`: "vcloud" (old header) or "bearer"."""

    token: str = field(repr=False)
    scheme: str
    api_version: str

    def dump(self) -> str:
        """Return the session as text. It is a secret."""
        return json.dumps({"token": self.token, "scheme": self.scheme, "api_version": self.api_version})

    @classmethod
    def load(cls, text: str) -> "Session":
        """Return the session that `dump` wrote; ValueError for any other text."""
        said = json.loads(text)
        if not isinstance(said, dict) or set(said) != {"token", "scheme", "api_version"}:
            raise ValueError("not a stored session")
        return cls(str(said["token"]), str(said["scheme"]), str(said["api_version"]))

    def header(self) -> dict[str, str]:
        """Return the one header that authorizes a request."""
        return {"Authorization": f"Bearer {self.token}"} if self.scheme == "bearer" else {_OLD_TOKEN: self.token}


class Wire:
    """Requests to the API of one vCloud Director as one user; see `client.Client` for the retry policy."""

    def __init__(
        self,
        api_url: str,
        login: Login,
        *,
        session: Session | None,
        transport: Transport,
        limits: Limits,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = api_url.rstrip("/").removesuffix("/api") + "/api"
        self.session = session
        self._login = login
        self._transport = transport
        self._limits = limits
        self._sleep = sleep
        self._clock = clock
        self._shared_deadline: float | None = None

    def versions(self) -> list[ApiVersion]:
        """Return the API versions the server offers; needs no session."""
        return self._patiently(self._versions)

    def get(self, path: str | Callable[[str], str], tag: str, read: Callable[[Element], T]) -> T:
        """Return what `read` makes of a document whose root is `tag`; retried on Unavailable.

        A path that depends on the API version is a function of it: a new login may find another one.
        """

        def once(deadline: float) -> T:
            answer = self._authorized("GET", path, None, None, deadline)
            return self._read(answer, path, tag, read, command=False)

        return self._patiently(once)

    def command(
        self,
        method: str,
        path: str,
        tag: str,
        read: Callable[[Element], T],
        *,
        body: bytes | Callable[[str], bytes] | None = None,
        media_type: str | None = None,
        secret: str | None = None,
    ) -> T:
        """Send a command once and return what `read` makes of the answer; never repeated but after a 401 or 406.

        A body that depends on the API version is a function of it. `secret` is what it holds and no error may quote.
        """
        try:
            answer = self._authorized(method, path, body, media_type, self._deadline())
            return self._read(answer, path, tag, read, command=True)
        except VcloudError as error:
            if secret:
                error.redact(secret)
            raise

    @contextmanager
    def one_deadline(self) -> Iterator[None]:
        """Let the requests inside share the time of one method."""
        self._shared_deadline = self._deadline()
        try:
            yield
        finally:
            self._shared_deadline = None

    def _deadline(self) -> float:
        return self._shared_deadline or self._clock() + self._limits.call_s

    def _patiently(self, once: Callable[[float], T]) -> T:
        started, deadline = self._clock(), self._deadline()
        for least_s in _PAUSES_S:
            try:
                return once(deadline)
            except Unavailable as error:
                pause_s = max(least_s, _retry_after_s(error))
                if self._clock() - started + pause_s >= _RETRY_WITHIN_S or not _may_pass(error):
                    raise
                self._sleep(pause_s)
        return once(deadline)

    def _authorized(
        self,
        method: str,
        path: str | Callable[[str], str],
        body: bytes | Callable[[str], bytes] | None,
        media_type: str | None,
        deadline: float,
    ) -> Answer:
        """Send with our session. 401 and 406 mean "not even looked at", so once more after a new login is safe."""

        def once(session: Session) -> Answer:
            version = session.api_version
            address = path(version) if callable(path) else path
            content = body(version) if callable(body) else body
            return self._once(method, address, content, media_type, deadline, session)

        answer = once(self.session or self._open(deadline))
        return once(self._open(deadline)) if answer.status in (401, 406) else answer

    def _once(
        self, method: str, path: str, body: bytes | None, media_type: str | None, deadline: float, session: Session
    ) -> Answer:
        headers = {"Accept": f"application/*+xml;version={session.api_version}", **session.header()}
        if media_type:
            headers["Content-Type"] = media_type
        url, command = self.base + path, method != "GET"
        answer = self._transport.send(method, url, headers=headers, body=body, deadline=deadline, command=command)
        renewed = answer.headers.get(_OLD_TOKEN)
        if renewed and session.scheme == "vcloud" and answer.status < 400:
            self.session = Session(renewed, "vcloud", session.api_version)
        return answer

    def _read(
        self,
        answer: Answer,
        path: str | Callable[[str], str],
        tag: str,
        read: Callable[[Element], T],
        *,
        command: bool,
    ) -> T:
        if not 200 <= answer.status < 300:
            names_object = isinstance(path, str) and bool(re.search(UUID, path))
            raise _refusal(answer, command=command, names_object=names_object)
        try:
            return read(xml.parse(answer.body, tag))
        except xml.MalformedError as error:
            raise Unavailable(str(error), request_id=answer.request_id, sent=command) from None

    def _versions(self, deadline: float) -> list[ApiVersion]:
        headers = {"Accept": "*/*"}
        answer = self._transport.send("GET", f"{self.base}/versions", headers=headers, deadline=deadline)
        return self._read(answer, "/versions", f"{{{xml.VERSIONS}}}SupportedVersions", parse.versions, command=False)

    def _open(self, deadline: float) -> Session:
        """Log in with the highest version both sides know, and remember the session."""
        self.session = None
        version = _choose(self._versions(deadline))
        bearer = version_key(version) >= _BEARER_SINCE
        url, accept = f"{self.base}/sessions", f"application/*+xml;version={version}"
        if bearer:
            url = f"{self.base.removesuffix('/api')}/cloudapi/1.0.0/sessions" + "/provider" * self._login.is_provider
            accept = f"application/json;version={version}"
        headers = {"Accept": accept, "Authorization": self._login.basic()}
        answer = self._transport.send("POST", url, headers=headers, deadline=deadline)
        token = answer.headers.get(_NEW_TOKEN if bearer else _OLD_TOKEN)
        if answer.status not in (200, 201) or not token:
            raise self._login_refusal(answer)
        self.session = Session(token, "bearer" if bearer else "vcloud", version)
        return self.session

    def _login_refusal(self, answer: Answer) -> VcloudError:
        if answer.status == 401:
            return SessionExpired("vCloud does not accept this login", request_id=answer.request_id)
        if 200 <= answer.status < 300:
            return Unavailable("vCloud opened a session without a token", request_id=answer.request_id)
        return _refusal(answer, command=False, names_object=False)


def _choose(offered: list[ApiVersion]) -> str:
    known = [item for item in offered if _OLDEST <= version_key(item.number) < _TOO_NEW]
    if not known:
        raise Refused(f"vCloud offers no API version from 5.5 to 39, only {[item.number for item in offered]}"[:300])
    best = max(known, key=lambda item: version_key(item.number))
    if best.deprecated:
        log.warning("vCloud has deprecated API version %s, the newest that this client knows", best.number)
    return best.number


def _refusal(answer: Answer, *, command: bool, names_object: bool) -> VcloudError:
    """Return the exception for an answer with a status that is no success."""
    problem = _problem(answer)
    said = f"vCloud answered {answer.status} without a reason"
    error: VcloudError
    if problem:
        error = error_from(problem, command=command, names_object=names_object)
    elif answer.status == 401:
        error = SessionExpired("vCloud does not accept our session", request_id=answer.request_id)
    elif answer.status == 404 and not answer.body:
        error = NotFound(said, request_id=answer.request_id)
    elif 400 <= answer.status < 500 and answer.status != 429 and not answer.body:
        error = Refused(said, request_id=answer.request_id)
    else:  # a page of a proxy or of a login portal: whatever its status, it is not vCloud that speaks
        error = Unavailable(said, request_id=answer.request_id, sent=command and answer.status != 429)
    if isinstance(error, Unavailable):
        error.retry_after_s = _seconds(answer.headers.get("Retry-After"))
    return error


def _problem(answer: Answer) -> Problem | None:
    """Return vCloud's error document, XML of the API or JSON of its younger sister."""
    if answer.body.lstrip()[:1] == b"{":
        return _json_problem(answer)
    try:
        said = entities.error_info(xml.parse(answer.body, "Error"))
    except xml.MalformedError:
        return None
    return Problem(answer.status, said.minor_code, said.message, answer.request_id)


def _json_problem(answer: Answer) -> Problem | None:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    return Problem(answer.status, str(said.get("minorErrorCode")), said["message"], answer.request_id)


def _may_pass(error: Unavailable) -> bool:
    """Whether seconds may help. vCloud's own "internal server error" stays; it is for the provider to look at."""
    return error.minor_code != "INTERNAL_SERVER_ERROR"


def _retry_after_s(error: Unavailable) -> float:
    return min(error.retry_after_s or 0.0, _RETRY_AFTER_LIMIT_S)


def _seconds(value: str | None) -> float | None:
    return float(value) if value and re.fullmatch(r"[0-9]{1,6}", value) else None
