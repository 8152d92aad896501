"""Operations: what was asked of machines, how far it is, why it failed; giving up, going on, the password it made."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.rules import Permission, can
from app.blueprints import lines, operation_page, web
from app.blueprints.api.endpoints import endpoint
from app.blueprints.api.paging import PageQuery
from app.blueprints.api.schema import Note
from app.blueprints.machines import login
from app.cloud import passwords, rescue
from app.cloud.operation_models import Operation
from app.db import db


class Stage(StrEnum):
    """Where an operation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


class Mark(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NOW = "now"
    FAIL = "fail"
    TODO = "todo"


class Waiting(StrEnum):
    """Why an operation does not move now."""

    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    QUEUE = "queue"


@dataclass(frozen=True, kw_only=True)
class OperationLine:
    """An operation as it stands in the list."""

    id: uuid.UUID
    kind: Annotated[str, Note(about="What was asked: an action, `create` or `create_in_vapp`.")]
    title: str
    state: Stage
    progress: Annotated[int, Note(about="Percent of the whole.", least=0, most=100)]
    waiting_for: Waiting | None
    vdc_id: uuid.UUID
    vm_id: Annotated[uuid.UUID | None, Note(about="The machine; of a creation once it is known.")]
    vm_name: str
    by: Annotated[str, Note(about="Who asked for it.")]
    created_at: datetime
    moved_at: Annotated[datetime, Note(about="The last sign of work.")]
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class StepState:
    """One step."""

    name: str
    title: str
    state: Mark
    note: str
    progress: Annotated[int | None, Note(about="Percent, where vCloud tells one.")]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an operation did not end well."""

    code: str
    what: str
    cause: str
    helper: Annotated[str, Note(about="Who can help.")]
    vcloud_code: str | None
    vcloud_message: str | None
    vcloud_request_id: str | None


@dataclass(frozen=True, kw_only=True)
class OperationState(OperationLine):
    """An operation."""

    usual_s: Annotated[int | None, Note(about="How long this kind takes, in seconds; null while too few are known.")]
    deadline_at: datetime
    steps: tuple[StepState, ...]
    differences: Annotated[tuple[dict[str, Any], ...], Note(about="What came out other than it was asked for.")]
    failure: Failure | None
    can_cancel: bool
    can_retry: bool
    has_password: Annotated[bool, Note(about="Whether you can take a password from it now.")]


@dataclass(frozen=True, kw_only=True)
class Operations:
    """One page of operations, the newest first; the header Link names its neighbours."""

    items: tuple[OperationLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class OperationsQuery(PageQuery):
    """Which operations."""

    vm: Annotated[uuid.UUID | None, Note(about="Only those of this machine.")] = None
    state: Annotated[Stage | None, Note(about="Only those that stand so.")] = None


@dataclass(frozen=True, kw_only=True)
class Password:
    """The password of a machine, shown for a short while after it was first asked for."""

    password: str
    until: datetime
    login: Annotated[str, Note(about="How to sign in to the machine; empty where there is no command for it.")]


# ---- from rows -----------------------------------------------------------------------------------------------------


def operation_line(row: Operation) -> OperationLine:
    """An operation in the list."""
    return OperationLine(**_line(row))


def _line(row: Operation) -> dict[str, Any]:
    plain = ("id", "kind", "vdc_id", "vm_id", "created_at", "moved_at", "finished_at")
    return {
        **{name: getattr(row, name) for name in plain},
        "title": lines.title(row),
        "state": Stage(row.state),
        "progress": 100 if row.state == Stage.SUCCEEDED else lines.progress(row),
        "waiting_for": Waiting(row.waiting_for) if row.waiting_for else None,
        "vm_name": lines.name_of(row),
        "by": row.user.name,
    }


def operation_state(row: Operation) -> OperationState:
    """An operation with all that is known of it."""
    shown = operation_page.page(row, web.actor())
    usual = rescue.usual_time(row.kind)
    return OperationState(
        **_line(row),
        usual_s=int(usual.total_seconds()) if usual else None,
        deadline_at=row.deadline_at,
        steps=tuple(
            StepState(name=step.name, title=step.label, state=Mark(step.mark), note=step.note, progress=step.progress)
            for step in shown.steps
        ),
        differences=tuple(row.facts.get("differences", ())),
        failure=_failure(row, shown.why) if shown.why else None,
        can_cancel=shown.may_cancel,
        can_retry=can(web.actor(), Permission.VM_CHANGE) and rescue.may_retry(row),
        has_password=shown.has_password,
    )


def _failure(row: Operation, why: operation_page.Why) -> Failure:
    return Failure(
        code=row.error_code or "internal",
        what=why.what,
        cause=why.cause,
        helper=why.helper,
        vcloud_code=row.error_params.get("minor_code"),
        vcloud_message=row.error_params.get("message"),
        vcloud_request_id=why.request_id or None,
    )


# ---- the endpoints -------------------------------------------------------------------------------------------------


@endpoint("GET", "/operations", tag="Operations", answer=Operations, query=OperationsQuery)
def list_operations(query: OperationsQuery) -> Operations:
    """What was asked of the machines, the newest first."""
    wanted = [Operation.account_id == web.actor().account_id]
    wanted += [Operation.vm_id == query.vm] if query.vm else []
    wanted += [Operation.state == query.state.value] if query.state else []
    total = db.session.scalar(select(func.count()).select_from(Operation).where(*wanted)) or 0
    newest = select(Operation).where(*wanted).order_by(Operation.created_at.desc(), Operation.id)
    rows = db.session.scalars(query.cut(newest).options(joinedload(Operation.user)))
    items = tuple(operation_line(row) for row in rows)
    return Operations(items=items, total=total, page=query.page, pages=query.last(total))


@endpoint("GET", "/operations/<uuid:operation_id>", tag="Operations", answer=OperationState)
def show_operation(operation_id: uuid.UUID) -> OperationState:
    """An operation: steps, progress, and the explanation of a failure."""
    return operation_state(web.get_operation(operation_id))


@endpoint(
    "POST",
    "/operations/<uuid:operation_id>/cancel",
    tag="Operations",
    answer=OperationState,
    permission=Permission.VM_CHANGE,
    status=202,
)
def cancel_operation(operation_id: uuid.UUID) -> OperationState:
    """Give an operation up, where vCloud can still stop it. Safe to repeat."""
    rescue.cancel(web.actor(), operation_id)
    return operation_state(web.get_operation(operation_id))


@endpoint(
    "POST",
    "/operations/<uuid:operation_id>/retry",
    tag="Operations",
    answer=OperationState,
    permission=Permission.VM_CHANGE,
    status=202,
)
def retry_operation(operation_id: uuid.UUID) -> OperationState:
    """Let an operation that has stopped go on from its failed step. Safe to repeat."""
    rescue.retry(web.actor(), operation_id)
    return operation_state(web.get_operation(operation_id))


@endpoint(
    "POST",
    "/operations/<uuid:operation_id>/password",
    tag="Operations",
    answer=Password,
    permission=Permission.VM_CREATE,
)
def show_password(operation_id: uuid.UUID) -> Password:
    """The password that an operation has set, to whoever asked for the operation; soon after it is erased."""
    password = passwords.take_password(web.actor(), operation_id)
    row = web.get_operation(operation_id)
    until = operation_page.password_until(row)
    return Password(password=password, until=until or clock.now(), login=login(row.vm) if row.vm else "")
