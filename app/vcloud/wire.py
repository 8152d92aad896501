"""The session with one vCloud Director: versions, login, one new login on 401, retries of reading requests."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from app.vcloud import parse, xml
from app.vcloud.errors import UUID, Refused, Unavailable, VcloudError
from app.vcloud.query import version_key
from app.vcloud.refusals import refusal
from app.vcloud.sessions import OLD_TOKEN, ApiToken, Login, Session
from app.vcloud.transport import Answer, Limits, Timer, Transport
from app.vcloud.types import ApiVersion
from app.vcloud.xml import Element

log = logging.getLogger(__name__)

_OLDEST, _TOO_NEW = (5, 5), (40,)  # what this client was written for
_PAUSES_S = (0.5, 1.5)  # before the second and the third attempt
_RETRY_WITHIN_S = 10.0
_RETRY_AFTER_LIMIT_S = 5.0

T = TypeVar("T")
Path = str | Callable[[str], str]
"""The path of a request. One that depends on the API version is a function of it: a new login may find another one."""


@dataclass(frozen=True, slots=True)
class Early:
    """A reading request that another thread sends before its turn, as this session: an answer or Unavailable."""

    session: Session
    answer: Future[Answer]


class Wire:
    """Requests to the API of one vCloud Director as one user; see `client.Client` for the retry policy.

    Used by one thread at a time. Others only send what `ask_early` gives them; what comes of it is judged by the one
    that calls `get`, so sessions are renewed and requests repeated in one place and by one thread.
    """

    def __init__(
        self,
        api_url: str,
        login: Login | ApiToken,
        *,
        session: Session | None,
        transport: Transport,
        limits: Limits,
        timer: Timer,
    ) -> None:
        self.base = api_url.rstrip("/").removesuffix("/api") + "/api"
        self.session = session
        self._login = login
        self._transport = transport
        self._limits = limits
        self._timer = timer
        self._shared_deadline: float | None = None

    def versions(self) -> list[ApiVersion]:
        """Return the API versions the server offers; needs no session."""
        return self._patiently(self._versions)

    def get(self, path: Path, tag: str, read: Callable[[Element], T], early: Early | None = None) -> T:
        """Return what `read` makes of a document whose root is `tag`; retried on Unavailable.

        `early` is the first attempt, if that was asked for already.
        """
        return self._get(path, lambda body: read(xml.parse(body, tag)), early)

    def get_json(self, path: Path, read: Callable[[dict[str, object]], T], early: Early | None = None) -> T:
        """Return what `read` makes of an answer of the younger API under `/cloudapi`; retried on Unavailable."""
        return self._get(path, lambda body: read(xml.json_object(body)), early)

    def ask_early(self, path: Path, pool: Executor) -> Early:
        """Let a thread of the pool send a reading request once; the outcome is for `get` or `get_json`."""
        session = self.session or self._open(self._deadline())
        address = path(session.api_version) if callable(path) else path
        answer = pool.submit(lambda: self._send("GET", address, None, None, self._deadline(), session))
        return Early(session, answer)

    def ahead_s(self) -> float:
        """Return how many seconds vCloud's clock is ahead of ours; asks for the versions if nothing was asked yet."""
        if self._transport.ahead_s is None:
            self.versions()
        return self._transport.ahead_s or 0.0

    def by_its_clock(self, moment: datetime) -> str:
        """Return a moment of our clock as a filter takes it, by vCloud's clock."""
        theirs = moment.astimezone(UTC) + timedelta(seconds=self.ahead_s())
        return theirs.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def version(self) -> str:
        """Return the API version in use; logs in if there is no session yet."""
        return self._patiently(lambda deadline: (self.session or self._open(deadline)).api_version)

    def command(
        self,
        method: str,
        path: str,
        tag: str,
        read: Callable[[Element], T],
        *,
        body: bytes | Callable[[str], bytes] | None = None,
        media_type: str | None = None,
        secrets: Sequence[str] = (),
    ) -> T:
        """Send a command once and return what `read` makes of the answer; never repeated but after a 401 or 406.

        A body that depends on the API version is a function of it. `secrets` are what it holds and no error may quote.
        """
        try:
            answer = self._authorized(method, path, body, media_type, self._deadline())
            return self._read(answer, path, tag, read, command=True)
        except VcloudError as error:
            for secret in secrets:
                error.redact(secret)
            raise

    def tell(self, method: str, path: str) -> None:
        """Send a command that is answered without a document; once, like the others."""
        answer = self._authorized(method, path, None, None, self._deadline())
        self._reading(answer, path, lambda _: None, command=True)

    @contextmanager
    def one_deadline(self) -> Iterator[None]:
        """Let the requests inside share the time of one method."""
        self._shared_deadline = self._deadline()
        try:
            yield
        finally:
            self._shared_deadline = None

    def _deadline(self) -> float:
        return self._shared_deadline or self._timer.clock() + self._limits.call_s

    def _patiently(self, once: Callable[[float], T]) -> T:
        started, deadline = self._timer.clock(), self._deadline()
        for least_s in _PAUSES_S:
            try:
                return once(deadline)
            except Unavailable as error:
                pause_s = max(least_s, _retry_after_s(error))
                if self._timer.clock() - started + pause_s >= _RETRY_WITHIN_S or not _may_pass(error):
                    raise
                self._timer.sleep(pause_s)
        return once(deadline)

    def _get(self, path: Path, read: Callable[[bytes], T], early: Early | None) -> T:
        first = iter((early,))

        def once(deadline: float) -> T:
            answer = self._authorized("GET", path, None, None, deadline, next(first, None))
            return self._reading(answer, path, read, command=False)

        return self._patiently(once)

    def _authorized(
        self,
        method: str,
        path: Path,
        body: bytes | Callable[[str], bytes] | None,
        media_type: str | None,
        deadline: float,
        early: Early | None = None,
    ) -> Answer:
        """Send with our session. 401 and 406 mean "not even looked at", so once more after a new login is safe."""

        def once(session: Session) -> Answer:
            version = session.api_version
            address = path(version) if callable(path) else path
            content = body(version) if callable(body) else body
            answer = self._send(method, address, content, media_type, deadline, session)
            self._keep_renewed(answer, session)
            return answer

        if early is None:
            answer = once(self.session or self._open(deadline))
        else:
            answer = early.answer.result()
            self._keep_renewed(answer, early.session)
            if answer.status in (401, 406) and self.session not in (None, early.session):
                answer = once(self.session)  # somebody has logged in since it was sent
        return once(self._open(deadline)) if answer.status in (401, 406) else answer

    def _send(
        self, method: str, path: str, body: bytes | None, media_type: str | None, deadline: float, session: Session
    ) -> Answer:
        """Send one request. The only part that runs in several threads: it changes nothing of ours."""
        young = path.startswith("/cloudapi/")
        accept = "application/json" if young else "application/*+xml"
        headers = {"Accept": f"{accept};version={session.api_version}", **session.header()}
        if media_type:
            headers["Content-Type"] = media_type
        url, command = (self.base.removesuffix("/api") if young else self.base) + path, method != "GET"
        return self._transport.send(method, url, headers=headers, body=body, deadline=deadline, command=command)

    def _keep_renewed(self, answer: Answer, session: Session) -> None:
        """Go on with the token of the answer, unless the session it was asked with is not ours any more."""
        renewed = answer.headers.get(OLD_TOKEN)
        if renewed and session.scheme == "vcloud" and answer.status < 400 and self.session == session:
            self.session = Session(renewed, "vcloud", session.api_version)

    def _read(
        self,
        answer: Answer,
        path: Path,
        tag: str,
        read: Callable[[Element], T],
        *,
        command: bool,
    ) -> T:
        return self._reading(answer, path, lambda body: read(xml.parse(body, tag)), command=command)

    def _reading(self, answer: Answer, path: Path, read: Callable[[bytes], T], *, command: bool) -> T:
        if not 200 <= answer.status < 300:
            names_object = isinstance(path, str) and bool(re.search(UUID, path))
            raise refusal(answer, command=command, names_object=names_object)
        try:
            return read(answer.body)
        except xml.MalformedError as error:
            raise Unavailable(str(error), request_id=answer.request_id, sent=command) from None

    def _versions(self, deadline: float) -> list[ApiVersion]:
        headers = {"Accept": "*/*"}
        answer = self._transport.send("GET", f"{self.base}/versions", headers=headers, deadline=deadline)
        return self._read(answer, "/versions", f"{{{xml.VERSIONS}}}SupportedVersions", parse.versions, command=False)

    def _open(self, deadline: float) -> Session:
        """Log in with the highest version both sides know, and remember the session."""
        self.session = None
        best = best_version(self._versions(deadline))
        if best.deprecated:
            log.warning("vCloud has deprecated API version %s, the newest that this client knows", best.number)
        version = best.number
        door = self._login.door(self.base.removesuffix("/api"), version)
        answer = self._transport.send("POST", door.url, headers=door.headers, body=door.body, deadline=deadline)
        self.session = self._login.session(answer, version)
        return self.session


def best_version(offered: list[ApiVersion]) -> ApiVersion:
    """Return the version a session is opened with, the highest that both sides know. Refused if there is none.

    One that is deprecated works until the provider's next upgrades withdraw it; then only a newer panel helps.
    """
    known = [item for item in offered if _OLDEST <= version_key(item.number) < _TOO_NEW]
    if not known:
        raise Refused(f"vCloud offers no API version from 5.5 to 39, only {[item.number for item in offered]}"[:300])
    return max(known, key=lambda item: version_key(item.number))


def _may_pass(error: Unavailable) -> bool:
    """Whether seconds may help. vCloud's own "internal server error" stays; it is for the provider to look at."""
    return error.minor_code != "INTERNAL_SERVER_ERROR"


def _retry_after_s(error: Unavailable) -> float:
    return min(error.retry_after_s or 0.0, _RETRY_AFTER_LIMIT_S)
