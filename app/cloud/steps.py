"""The words in which a kind of operation is written: its steps, what a step may see, what it may answer."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import vcloud
from app.cloud.operation_models import Operation


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The step is not done. `task_urn` is the vCloud task to poll next, `delay_s` overrides the usual rhythm."""

    task_urn: str | None = None
    progress: int | None = None
    delay_s: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Next:
    """The step is done. `apply` runs inside the transaction that writes this down, for mirror rows and the like."""

    task_urn: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    apply: Callable[[Operation], None] | None = None
    text: str = ""
    skipped: bool = False  # the step was not needed this time, and is not told of


@dataclass(frozen=True, kw_only=True)
class Again:
    """One part of the step is done for good, and the step begins anew with the next part; `facts` say which."""

    task_urn: None = None
    facts: dict[str, Any] = field(default_factory=dict)
    text: str = ""


Outcome = Wait | Again | Next


class FailedError(Exception):
    """A step's verdict that the wish cannot be fulfilled; `code` and `params` become the explanation."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a step may use: values of the row as they were claimed, and the client of the service."""

    operation_id: uuid.UUID
    claim_no: int
    claimed_at: datetime
    kind: str
    step: str
    vdc_urn: str
    vm_urn: str | None
    params: dict[str, Any]
    facts: dict[str, Any]
    password: str | None = field(repr=False)
    task_urn: str | None
    sent_at: datetime | None
    service_id: uuid.UUID
    deadline_at: datetime
    step_started_at: datetime
    cancel_asked: bool
    is_failing: bool
    is_in_queue: bool
    client: vcloud.Client = field(repr=False, default=None)  # type: ignore[assignment]  # set when the turn begins

    @property
    def machine(self) -> str:
        """The urn of the machine that the operation is about; LookupError for a kind that has none."""
        if self.vm_urn is None:
            raise LookupError("this operation is about no machine")
        return self.vm_urn


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a kind.

    `look` answers the outcome when the wish is already true (or cannot be), None when something must be done.
    `send` sends the one command of the step; a step without it only waits until `look` is satisfied.
    """

    name: str
    look: Callable[[Turn], Outcome | None]
    send: Callable[[Turn], Outcome] | None = None
    deadline_min: int | None = None  # how long it may take by itself; None: as long as the operation
    deadline_verdict: str | None = None  # the failure that too long means here; None: nobody knows, staff must look
    failures: Mapping[str, str] = field(default_factory=dict)  # what vCloud says (a pattern) -> the failure it is here
    may_cancel: bool = False  # whether the operation can be given up here
    undoes: bool = False  # takes back what the operation has made, so that it cannot go on from a failed step
    shares_vapp: bool = False  # its task waits for a guest: neighbours in the vApp need not wait for it


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of operation: its steps in order, its deadline, and the steps that tidy up after a failure."""

    name: str
    deadline_min: int
    steps: tuple[Step, ...]
    clean_up: tuple[Step, ...] = ()
    has_secret: bool = False  # it needs a password, which is erased when it fails

    def step(self, name: str) -> Step:
        """The step of that name, of either sequence."""
        return next(step for step in (*self.steps, *self.clean_up) if step.name == name)

    def is_clean_up(self, name: str) -> bool:
        """Whether the step of that name tidies up after a failure."""
        return all(step.name != name for step in self.steps)

    def after(self, name: str) -> Step | None:
        """The step that follows in the same sequence, or None at its end."""
        sequence = self.steps if any(step.name == name for step in self.steps) else self.clean_up
        names = [step.name for step in sequence]
        position = names.index(name) + 1
        return sequence[position] if position < len(sequence) else None


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known to the engine."""
    KINDS[kind.name] = kind
    return kind
