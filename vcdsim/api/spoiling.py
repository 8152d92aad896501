"""What faults do to a good answer and to the task behind it."""

from __future__ import annotations

from vcdsim.api.context import Answer
from vcdsim.faults import Fault
from vcdsim.world import TaskFault


def spoil(answer: Answer, faults: list[Fault]) -> None:
    """Spoil the answer on its way out: the request has been carried out."""
    for fault in faults:
        answer.is_cut = answer.is_cut or fault.drop_answer
        if fault.content_type is not None:
            answer.headers["Content-Type"] = fault.content_type
        if fault.truncate_to is not None:
            answer.body = answer.body[: fault.truncate_to]
        if fault.cut_after is not None:
            answer.cut_after = fault.cut_after
        if fault.drip_bytes_s is not None:
            answer.drip_bytes_s = fault.drip_bytes_s


def task_fault(faults: list[Fault]) -> TaskFault | None:
    """What happens to the task that the request starts."""
    for fault in faults:
        if fault.strikes_task:
            return TaskFault(fault.stuck_task, fault.as_task_error(), fault.blocked_task, fault.abort_task)
    return None
