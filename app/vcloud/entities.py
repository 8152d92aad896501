"""What all entities have in common: status, links, tasks, references."""

from app.vcloud import xml
from app.vcloud.ids import urn_from_href
from app.vcloud.statuses import TaskStatus, VmStatus
from app.vcloud.types import Reference, Task, VcloudErrorInfo
from app.vcloud.xml import Element, child, children, integer, moment, text


def task(element: Element) -> Task:
    """Read a Task, a document of its own or inside its owner's."""
    owner = child(element, "Owner")
    problem = child(element, "Error")
    return Task(
        id=xml.required_urn(element),
        status=TaskStatus(element.get("status", "")),
        operation_name=element.get("operationName", ""),
        operation=element.get("operation", ""),
        progress=integer(text(element, "Progress")),
        error=None if problem is None else error_info(problem),
        owner_id=None if owner is None else xml.urn_of(owner),
        started_at=moment(element.get("startTime")),
        ended_at=moment(element.get("endTime")),
    )


def error_info(element: Element) -> VcloudErrorInfo:
    """Read an Error, which is the body of a refusal or part of a failed task."""
    return VcloudErrorInfo(
        major_code=integer(element.get("majorErrorCode")),
        minor_code=element.get("minorErrorCode"),
        message=element.get("message", ""),
    )


def status(element: Element) -> VmStatus:
    """Return the status; UNKNOWN if there is none."""
    status = integer(element.get("status"))
    return VmStatus.UNKNOWN if status is None else VmStatus(status)


def links(element: Element) -> frozenset[str]:
    """Return the rels of the links: what can be done now."""
    return frozenset(link.get("rel", "") for link in children(element, "Link"))


def up(element: Element, kind: str) -> str | None:
    """Return the urn of what contains this entity, if it is of that kind."""
    urns = (urn_from_href(link.get("href", "")) for link in children(element, "Link") if link.get("rel") == "up")
    return next((urn for urn in urns if urn and urn.startswith(f"urn:vcloud:{kind}:")), None)


def tasks(element: Element) -> tuple[Task, ...]:
    """Return the tasks at work on this entity."""
    return tuple(task(item) for item in children(child(element, "Tasks"), "Task"))


def reference(element: Element | None) -> Reference | None:
    """Return a named pointer; None if it is absent or points to nothing we know."""
    urn = None if element is None else xml.urn_of(element)
    return None if element is None or urn is None else Reference(urn, element.get("name", ""))
