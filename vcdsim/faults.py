"""Faults as data: what goes wrong, at which operation, how often.

Operations carry the names of the routes in `vcdsim.api` ("login", "query", "instantiate",
"deploy", "powerOn", "reconfigure", "task" ...); "*" means any.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypedDict, Unpack

from vcdsim.entities import TaskError


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
    drop_request: bool
    drop_answer: bool
    stuck_task: bool
    task_error: FaultError | None


@dataclass
class Fault:
    """One fault and how many requests it will still hit (`times` None: all).

    `http_status` answers an HTML page, as a load balancer does. `drop_request` cuts the
    connection before the request is carried out, `drop_answer` after it. `latency_s` are
    real seconds. `stuck_task` and `task_error` concern the task that the request starts.
    """

    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    latency_s: float = 0.0
    error: FaultError | None = None
    http_status: int | None = None
    drop_request: bool = False
    drop_answer: bool = False
    stuck_task: bool = False
    task_error: FaultError | None = None

    def as_task_error(self) -> TaskError | None:
        """The error the task will end with."""
        if self.task_error is None:
            return None
        return TaskError(self.task_error.minor_code, self.task_error.message, self.task_error.status)


class Faults:
    """The faults now in force; each request takes those that fit it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, operation: str = "*", **what: Unpack[FaultOptions]) -> Fault:
        """Put a fault in force: `times` fitting requests (1) after `skip` good ones (0), see `Fault`."""
        fault = Fault(operation, **what)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._faults.clear()

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
