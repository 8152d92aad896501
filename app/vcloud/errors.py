# ruff: noqa: N818 -- the classes are named for what the caller does about them, not for being errors
"""What can go wrong between us and vCloud Director, in five classes.

The class is decided by vCloud's own `minorErrorCode` and words first and by the HTTP status last, because the status
misleads: a busy entity is answered with 400, an object that is gone with 403.
"""

import re
from dataclasses import dataclass

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BUSY_CODES = frozenset({"BUSY_ENTITY", "OPERATION_LIMITS_EXCEEDED"})
_BUSY_WORDS = "is busy completing an operation"
_BUSY_TASK = re.compile(rf"com\.vmware\.vcloud\.entity\.task:({UUID})")
_REQUEST_ID = re.compile(rf"\[ ({UUID}) \]")
_MESSAGE_LIMIT = 2000


class VcloudError(Exception):
    """Root of everything this package raises on account of vCloud or the line to it.

    `minor_code` and `message` are vCloud's words (hostile input: escape before showing), `request_id` is what its
    support asks for, and `sent` says whether a command may have been accepted in spite of the error.
    """

    def __init__(
        self, message: str, *, minor_code: str | None = None, request_id: str | None = None, sent: bool = False
    ) -> None:
        found = _REQUEST_ID.search(message)
        self.message = message[:_MESSAGE_LIMIT]
        super().__init__(self.message)
        self.minor_code = minor_code
        self.request_id = request_id or (found.group(1) if found else None)
        self.sent = sent

    def redact(self, secret: str) -> None:
        """Take a secret of the request out of what vCloud says about it, for it may quote what it refuses."""
        self.message = self.message.replace(secret, "…")
        self.args = (self.message,)

    def __str__(self) -> str:
        """Return message, code and request id as one line for logs."""
        details = [part for part in (self.minor_code, self.request_id and f"request {self.request_id}") if part]
        said = f"{self.message} ({', '.join(details)})" if details else self.message
        return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())


class Unavailable(VcloudError):
    """No usable answer: no connection, time-out, 429, 5xx, cut, empty, not XML, an incomplete listing. Try later.

    `retry_after_s` is what the server asked for, if it did.
    """

    retry_after_s: float | None = None


class Busy(VcloudError):
    """The entity, its vApp or our quota of parallel operations is taken. Nothing was done; the same again soon."""

    @property
    def task_id(self) -> str | None:
        """Return the urn of the task that is in the way, if vCloud named it."""
        found = _BUSY_TASK.search(self.message)
        return f"urn:vcloud:task:{found.group(1).lower()}" if found else None


class Refused(VcloudError):
    """vCloud understood and said no; the same request will be refused again."""


class NotFound(VcloudError):
    """The object is gone, or our rights to it are: vCloud answers 403 to both."""


class SessionExpired(VcloudError):
    """Our session is not accepted and logging in anew did not help."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer, reduced to what decides its class."""

    status: int
    minor_code: str | None
    message: str
    request_id: str | None = None


def error_from(problem: Problem, *, command: bool, names_object: bool) -> VcloudError:
    """Return the exception for an answer that carries vCloud's error document.

    `command`: the request could change something. `names_object`: its path holds an id that vCloud once gave us.
    """
    kind = _class_of(problem, names_object=names_object)
    doubtful = command and kind is Unavailable and problem.status != 429
    return kind(problem.message, minor_code=problem.minor_code, request_id=problem.request_id, sent=doubtful)


def _class_of(problem: Problem, *, names_object: bool) -> type[VcloudError]:
    code = problem.minor_code or ""
    if code in _BUSY_CODES or _BUSY_WORDS in problem.message:
        return Busy
    if problem.status == 401:
        return SessionExpired
    if problem.status == 404 or code == "RESOURCE_NOT_FOUND":
        return NotFound
    if code == "ACCESS_TO_RESOURCE_IS_FORBIDDEN" and names_object:
        return NotFound
    if code == "DUPLICATE_NAME":
        return Refused
    if problem.status == 429 or problem.status >= 500:
        return Unavailable
    return Refused
