"""Simulated death and loss: lets something happen to a worker at the k-th of its side effects, without any process.

A side effect is a transaction that is committed or a command that is sent to vCloud. A worker that is killed does
nothing more: no write, no request, whatever its `finally` would like. The requests go straight to the simulator, past
the sockets, so that hundreds of lives take seconds.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from app.cloud.operation_models import Operation
from tests.support import straight
from tests.support.straight import path_of
from vcdsim import Simulator, tasks


class Death(BaseException):
    """The process is gone."""


class Fate(StrEnum):
    """What happens, and to which of the side effects it can happen."""

    KILLED_BEFORE = "killed before a write or a command"
    KILLED_AFTER = "killed after a command"
    REQUEST_LOST = "command lost on its way"
    ANSWER_LOST = "answer lost after acceptance"
    FROZEN_BEFORE = "frozen past its claim before a command"
    FROZEN = "frozen past its claim"
    HELD_UP = "command held up past the claim"
    SESSION_EXPIRED = "session expired"
    TASK_FORGOTTEN = "task forgotten"
    PASSED = "passed by somebody else before a command or a poll"


COMMIT, INTENT, COMMAND, POLL, QUESTION = "commit", "intent", "command", "poll", "question"
STRIKES = {
    Fate.KILLED_BEFORE: {COMMIT, COMMAND},
    Fate.KILLED_AFTER: {COMMAND},
    Fate.REQUEST_LOST: {COMMAND},
    Fate.ANSWER_LOST: {COMMAND},
    Fate.FROZEN_BEFORE: {INTENT},  # the command is noted down and has not been sent
    Fate.FROZEN: {COMMAND, POLL},
    Fate.HELD_UP: {COMMAND},
    Fate.SESSION_EXPIRED: {COMMAND, POLL},
    Fate.TASK_FORGOTTEN: {POLL},
    Fate.PASSED: {COMMAND, POLL},
}
AFTERWARDS = {Fate.KILLED_AFTER, Fate.ANSWER_LOST, Fate.FROZEN}
"""These strike when vCloud has accepted the request; the others before it is sent."""
SideEffect = tuple[str, bool]
"""Its sort, and whether it was met when vCloud had accepted it."""


def number_of(fate: Fate, met: Counter[SideEffect]) -> int:
    """How many of those side effects could have had this fate."""
    return sum(met[sort, fate in AFTERWARDS] for sort in STRIKES[fate])


class Doom:
    """Watches the workers of a test; `awaiting` arms it. `meanwhile` is what others do while a worker is frozen."""

    def __init__(self, cloud: Simulator, meanwhile: Callable[[], None]) -> None:
        self.has_struck = False
        self.accepted: list[str] = []  # the commands that vCloud has accepted, in order
        self.met: Counter[SideEffect] = Counter()
        self._cloud = cloud
        self._meanwhile = meanwhile
        self._fate: Fate | None = None
        self._left = 0
        self._task_s: float | None = None
        self._is_dead = False

    def forget(self) -> None:
        """Nothing has been met yet."""
        self.accepted.clear()
        self.met.clear()

    def await_fate(self, fate: Fate, number: int, task_s: float | None = None) -> None:
        """From now on the `number`-th fitting side effect, counted from 1, meets this fate.

        `task_s` is how long the task of a struck command takes, if not as long as any other.
        """
        self._fate, self._left, self._task_s = fate, number, task_s
        self.has_struck = self._is_dead = False

    def rest(self) -> None:
        """Nothing happens any more; the next worker lives."""
        self._fate, self._is_dead = None, False

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Put the hooks in place: below SQLAlchemy's session and below requests."""
        hooks = (("before_commit", self._before_commit), ("after_commit", self._after_commit))
        for name, hook in hooks:
            event.listen(Session, name, hook)
        try:
            with straight.instead_of_sockets(self._send):
                yield
        finally:
            for name, hook in hooks:
                event.remove(Session, name, hook)

    def _before_commit(self, session: Session) -> None:
        if session.in_nested_transaction():
            return
        self.met[COMMIT, False] += 1
        if self._meets(COMMIT) or self._is_dead:
            self._die()
        session.info[INTENT] = any(map(_notes_intent, session.dirty))

    def _after_commit(self, session: Session) -> None:
        if not session.in_nested_transaction() and session.info.pop(INTENT, False):
            self.met[INTENT, False] += 1
            if self._meets(INTENT):
                self._meanwhile()

    def _send(self, adapter: HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        if self._is_dead:
            raise Death
        sort = _sort(request)
        self.met[sort, False] += 1
        if self._fate not in AFTERWARDS and self._meets(sort):
            self._strike_before(request)
        with tasks_take(self._task_s if self._left == 1 else None):
            answer = straight.ask(self._cloud, request)
        if answer.status < 400:
            if sort is COMMAND:
                self.accepted.append(f"{request.method} {path_of(request)}")
            self.met[sort, True] += 1
            if self._fate in AFTERWARDS and self._meets(sort):
                self._strike_after()
        return straight.response(adapter, request, answer)

    def _strike_before(self, request: requests.PreparedRequest) -> None:
        if self._fate is Fate.KILLED_BEFORE:
            self._die()
        if self._fate is Fate.REQUEST_LOST:
            raise requests.ConnectionError("reset before the request")
        if self._fate is Fate.SESSION_EXPIRED:
            self._cloud.expire_sessions()
        if self._fate in (Fate.HELD_UP, Fate.PASSED):
            self._meanwhile()
        if self._fate is Fate.TASK_FORGOTTEN:
            self._cloud.settle()
            self._cloud.world.tasks.pop(path_of(request).rpartition("/")[2])

    def _strike_after(self) -> None:
        if self._fate is Fate.KILLED_AFTER:
            self._die()
        if self._fate is Fate.ANSWER_LOST:
            raise requests.ConnectionError("reset after the request")
        self._meanwhile()

    def _meets(self, sort: str) -> bool:
        """Count this side effect; whether it is the one that the fate waits for."""
        if self._fate is None or self.has_struck or sort not in STRIKES[self._fate]:
            return False
        self._left -= 1
        self.has_struck = self._left == 0
        return self.has_struck

    def _die(self) -> None:
        self._is_dead = True
        raise Death


@contextmanager
def tasks_take(seconds: float | None) -> Iterator[None]:
    """Everything that begins in this block takes vCloud so long; None: as long as before."""
    usual = dict(tasks.DURATIONS_S)
    if seconds is not None:
        tasks.DURATIONS_S.update(dict.fromkeys(usual, seconds))
    try:
        yield
    finally:
        tasks.DURATIONS_S.update(usual)


def _notes_intent(row: object) -> bool:
    """Whether this row is an operation that is about to send a command."""
    return isinstance(row, Operation) and any(inspect(row).attrs.step_sent_at.history.added)


def _sort(request: requests.PreparedRequest) -> str:
    if request.method == "GET":
        return POLL if "/api/task/" in path_of(request) else QUESTION
    return QUESTION if "/session" in path_of(request) else COMMAND
