"""Faults as data: what goes wrong, at which operation, how often.

Operations carry the names of the routes in `vcdsim.api` ("login", "query", "instantiate",
"deploy", "powerOn", "reconfigure", "task" ...); "*" means any. Faults come from `Faults.add`, from
a file of JSON or TOML, or over the control endpoint, always with the fields of `Fault`.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from vcdsim.entities import TaskError

#: The operation of a connection to the console.
CONSOLE_SOCKET = "consoleSocket"
#: Those that may be sent.
CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})


@dataclass(frozen=True)
class FaultError:
    """An error body: vCloud's minor code, its words, the HTTP status."""

    minor_code: str
    message: str
    status: int = 400


def error(minor_code: str, message: str, status: int = 400) -> FaultError:
    """Shorthand for `faults.add(..., error=error("BUSY_ENTITY", "..."))`."""
    return FaultError(minor_code, message, status)


class FaultOptions(TypedDict, total=False):
    """The options of `Faults.add`, with the meanings and defaults of `Fault`."""

    times: int | None
    skip: int
    latency_s: float
    error: FaultError | None
    http_status: int | None
    retry_after_s: int | None
    redirect_to: str | None
    content_type: str | None
    drop_request: bool
    drop_answer: bool
    truncate_to: int | None
    cut_after: int | None
    drip_bytes_s: int | None
    garble_after: int | None
    close_code: int | None
    expire_session: bool
    withdrawn: list[str]
    most_rows: int | None
    stuck_task: bool
    blocked_task: bool
    abort_task: bool
    task_error: FaultError | None


@dataclass
class Fault:
    """One fault and how many requests it will still hit (`times` None: all), after `skip` good ones."""

    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    #: Real seconds before the answer.
    latency_s: float = 0.0
    error: FaultError | None = None
    #: An HTML page with this status, as a load balancer or a login portal sends it.
    http_status: int | None = None
    retry_after_s: int | None = None
    #: 302 to this address.
    redirect_to: str | None = None
    #: The good answer under another Content-Type.
    content_type: str | None = None
    #: The connection is cut before the request is carried out, or after.
    drop_request: bool = False
    drop_answer: bool = False
    #: Bytes of the body that are sent; as if that were all, or with the line cut after them.
    truncate_to: int | None = None
    cut_after: int | None = None
    #: The body comes this slowly.
    drip_bytes_s: int | None = None
    #: Of the console's socket (`consoleSocket`) alone: after so many bytes noise comes instead of what should; and the
    #: code with which it is closed where `cut_after` would cut the line. With `truncate_to` it falls silent.
    garble_after: int | None = None
    close_code: int | None = None
    #: The session of the request is over before the request is looked at.
    expire_session: bool = False
    #: API versions that are no longer there, as "36.0".
    withdrawn: list[str] = dataclasses.field(default_factory=list)
    #: Lists of addresses end after this many rows, without a word.
    most_rows: int | None = None
    #: What happens to the task that the request starts: it hangs at 1 percent, waits for an
    #: approval (`preRunning`), ends as `aborted`, or ends with an error.
    stuck_task: bool = False
    blocked_task: bool = False
    abort_task: bool = False
    task_error: FaultError | None = None

    def as_task_error(self) -> TaskError | None:
        """The error the task will end with."""
        if self.task_error is None:
            return None
        return TaskError(self.task_error.minor_code, self.task_error.message, self.task_error.status)

    @property
    def strikes_task(self) -> bool:
        """True if it concerns the task that the request starts."""
        return self.stuck_task or self.blocked_task or self.abort_task or self.task_error is not None


class Faults:
    """The faults now in force; each request takes those that fit it."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, operation: str = "*", **what: Unpack[FaultOptions]) -> Fault:
        """Put a fault in force: `times` fitting requests (1) after `skip` good ones (0), see `Fault`."""
        fault = Fault(operation, **what)
        self.put(fault)
        return fault

    def put(self, *faults: Fault) -> None:
        """Put ready faults in force; ValueError, and none of them, when one could never hit."""
        for fault in faults:
            self._check(fault)
        with self._lock:
            self._faults += faults

    def put_file(self, path: Path) -> None:
        """Put the faults of a file in force; a ValueError names the file."""
        try:
            self.put(*load(path))
        except ValueError as wrong:
            raise ValueError(f"{path}: {wrong}") from None

    def _check(self, fault: Fault) -> None:
        if fault.operation not in ("*", *self._operations):
            raise ValueError(f"unknown operation {fault.operation!r}: *, {', '.join(sorted(self._operations))}")
        if fault.http_status is not None and not 200 <= fault.http_status <= 599:
            raise ValueError(f"http_status {fault.http_status} is not between 200 and 599")
        if fault.retry_after_s is not None and fault.http_status is None:
            raise ValueError("retry_after_s goes with the page that http_status asks for")
        is_of_socket = fault.garble_after is not None or fault.close_code is not None
        if is_of_socket and fault.operation != CONSOLE_SOCKET:
            raise ValueError(f"garble_after and close_code are for {CONSOLE_SOCKET}")
        if fault.close_code is not None and (fault.cut_after is None or fault.close_code not in CLOSE_CODES):
            raise ValueError("close_code goes with cut_after, and is from 3000 to 4999 or one of RFC 6455")

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._faults.clear()

    def all(self) -> list[Fault]:
        """The faults still in force."""
        with self._lock:
            return list(self._faults)

    def take(self, operation: str) -> list[Fault]:
        """The faults that hit this request; their counts go down."""
        hits = []
        with self._lock:
            for fault in self._faults:
                if fault.operation not in ("*", operation):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                hits.append(fault)
            self._faults = [one for one in self._faults if one.times is None or one.times > 0]
        return hits


def from_data(data: Any) -> Fault:
    """A fault from a JSON or TOML table with the fields of `Fault`; ValueError when it is not one."""
    if not isinstance(data, Mapping):
        raise ValueError(f"a fault is a table of fields, not {data!r}")  # noqa: TRY004  it is about the text of a file
    kinds = {field.name: type(field.default) for field in dataclasses.fields(Fault)}
    if unknown := set(data) - set(kinds):
        raise ValueError(f"unknown field of a fault: {min(unknown)}")
    values = dict(data)
    for name in ("error", "task_error"):
        if values.get(name) is not None:
            values[name] = _error_from(values[name])
    for name, value in values.items():
        if not _fits(name, value):
            raise ValueError(f"{value!r} is not a value for {name!r} of a fault")
    return Fault(**values)


def load(path: Path) -> list[Fault]:
    """The faults of a file: a list in JSON, or `[[fault]]` tables in TOML; else ValueError."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        tables = tomllib.loads(text)
        if set(tables) - {"fault"}:
            raise ValueError(f"a fault is a [[fault]] table, and there is {min(set(tables) - {'fault'})!r}")
        data: Any = tables.get("fault")
    else:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as wrong:
            raise ValueError(f"not JSON, and TOML is only read from a .toml file: {wrong}") from None
    if not isinstance(data, list):
        raise ValueError("a file of faults holds a list of them")  # noqa: TRY004  it is about the text of a file
    return [from_data(one) for one in data]


def to_data(fault: Fault) -> dict[str, Any]:
    """What `from_data` reads, without what is as always."""
    plain = dataclasses.asdict(Fault())
    return {
        name: value for name, value in dataclasses.asdict(fault).items() if name == "operation" or value != plain[name]
    }


_TEXTS = ("operation", "redirect_to", "content_type")
_FLAGS = ("drop_request", "drop_answer", "expire_session", "stuck_task", "blocked_task", "abort_task")


def _fits(name: str, value: Any) -> bool:
    if name in _FLAGS:
        return isinstance(value, bool)
    if name in ("error", "task_error"):
        return value is None or isinstance(value, FaultError)
    if name == "withdrawn":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name in _TEXTS:
        return isinstance(value, str) or (value is None and name != "operation")
    if value is None:
        return name not in ("skip", "latency_s")
    kinds = (int, float) if name == "latency_s" else int
    return isinstance(value, kinds) and not isinstance(value, bool) and 0 <= value < 10**9


def _error_from(data: Any) -> FaultError:
    if not isinstance(data, Mapping) or not {"minor_code", "message"} <= set(data) <= {
        "minor_code",
        "message",
        "status",
    }:
        raise ValueError("an error has a minor_code, a message and perhaps a status")
    status = data.get("status", 400)
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise ValueError(f"{status!r} is not an HTTP status")
    return FaultError(str(data["minor_code"]), str(data["message"]), status)
