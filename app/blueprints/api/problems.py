"""Errors of the API: problem details (RFC 9457) in the language of the reader, never a page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, TypeVar

from flask import Response, current_app, json
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.blueprints import web
from app.blueprints.api.schema import Note, written
from app.errors import AppError, NotFoundError
from app.texts.errors import error_text
from app.texts.labels import PROBLEM_TITLES

MEDIA_TYPE = "application/problem+json"
A = TypeVar("A")
E = TypeVar("E", bound=Exception)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a request was refused. Programs read `code`, people read `detail`."""

    type: str
    title: Annotated[str, Note(about="The status in words.")]
    status: int
    detail: Annotated[str, Note(about="What happened and what to do, in the language of Accept-Language.")]
    code: Annotated[str, Note(about="The name of the reason; it does not change.")]
    field: Annotated[str | None, Note(about="Where in the body, the query or the headers the fault is.")]
    reason: Annotated[str | None, Note(about="With the code action_blocked: why the action is blocked.")]
    request_id: Annotated[str, Note(about="For support.")]


def answer(error: AppError) -> Response:
    """The answer that tells of an error."""
    reason = error.params.get("reason")
    problem = Problem(
        type="about:blank",
        title=str(PROBLEM_TITLES[error.status]),
        status=error.status,
        detail=error_text(error),
        code=error.code,
        field=error.field,
        reason=reason if isinstance(reason, str) else None,
        request_id=web.request_id(),
    )
    response = Response(json.dumps(written(problem)), status=error.status, content_type=MEDIA_TYPE)
    if error.status == 401:
        is_wrong = error.code == "api_token_refused"
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"' + (', error="invalid_token"' if is_wrong else "")
    if "wait_s" in error.params:
        response.headers["Retry-After"] = str(error.params["wait_s"])
    return response


def unless_api(page: Callable[[E], A]) -> Callable[[E], A | web.Answer]:
    """Make a handler of errors draw its page only for people."""

    @wraps(page)
    def page_or_problem(error: E) -> A | web.Answer:
        return _of(error) if web.is_api() else page(error)

    return page_or_problem


def _of(error: Exception) -> web.Answer:
    if isinstance(error, AppError):
        return answer(error)
    if isinstance(error, HTTPException):
        response = answer(_http_error(error.code or 500))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response
    if isinstance(error, OperationalError):
        current_app.logger.error("the database does not answer: %s", type(error).__name__)
        return answer(AppError("database_away", 503))
    current_app.logger.error("unexpected error", exc_info=error)
    return answer(AppError("our_mistake", 500))


def _http_error(status: int) -> AppError:
    known = {
        405: AppError("method_not_allowed", 405),
        413: AppError("body_too_large", 413),
        500: AppError("our_mistake", 500),
    }
    # An address that is nearly one of ours would be a redirect for a browser; for a program it is wrong.
    return known.get(status, NotFoundError() if status < 400 or status == 404 else AppError("request_bad", 400))
