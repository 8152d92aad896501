"""Answers that are no success, to one of the five classes of error."""

import json
import re

from app.vcloud import entities, xml
from app.vcloud.errors import NotFound, Problem, Refused, SessionExpired, Unavailable, VcloudError, error_from
from app.vcloud.transport import Answer


def refusal(answer: Answer, *, command: bool, names_object: bool) -> VcloudError:
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


def _seconds(value: str | None) -> float | None:
    return float(value) if value and re.fullmatch(r"[0-9]{1,6}", value) else None
