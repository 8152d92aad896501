"""How a thing of the API is declared, and the door before it: token, scope, role, key, arguments, body.

`endpoint()` makes a function an address and notes it in `ENDPOINTS`, from which the OpenAPI document is written. So
what is documented is what is checked.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, g, json, request

from app.accounts import tokens
from app.accounts.rules import Permission, TokenScope, can
from app.blueprints import web
from app.blueprints.api.schema import read, read_query, written
from app.errors import AppError

bp = Blueprint("api", __name__, url_prefix="/api/v1")
KEY_HEADER = "Idempotency-Key"
KEY_MOST = 255
View = Callable[..., Any]
V = TypeVar("V", bound=View)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one address."""

    name: str
    method: str
    path: str  # as Flask writes it, below /api/v1
    tag: str
    view: View
    permission: Permission
    answer: type
    status: int
    query: type | None
    body: type | None
    location: str  # of a 202: the kind of thing that was asked for
    is_asked: bool  # makes an operation: needs a key, answers 202 and where the operation is
    refusals: frozenset[int]  # statuses beside those that every endpoint can answer

    @property
    def summary(self) -> str:
        """The first line of the view's docstring."""
        return (self.view.__doc__ or "").strip().splitlines()[0]

    @property
    def changes(self) -> bool:
        """Whether it needs a token that may change things."""
        return self.method == "POST"

    @property
    def errors(self) -> list[int]:
        """Every status with which it can refuse."""
        of_commands = {409, 413, 415} if self.changes else set()
        of_objects = {404} if "<" in self.path else set()
        return sorted({400, 401, 403, 429, 500, 503} | of_commands | of_objects | self.refusals)


ENDPOINTS: list[Endpoint] = []


@dataclass(frozen=True)
class XmlText:
    """An answer that is XML, for programs that want it; all others are JSON."""

    text: str


def endpoint(  # noqa: PLR0913  what there is to declare
    method: str,
    path: str,
    *,
    tag: str,
    answer: type,
    permission: Permission = Permission.VM_SEE,
    name: str | None = None,
    status: int = 200,
    query: type | None = None,
    body: type | None = None,
    location: str = "operations",
    is_asked: bool = False,
    refusals: frozenset[int] = frozenset(),
) -> Callable[[V], V]:
    """Declare an endpoint.

    The view gets the parts of the path, `query` and `body` as instances of those classes where given, and `form_token`
    where it `is_asked`; it answers an instance of `answer`, a dataclass or `XmlText`.
    """

    def declare(view: V) -> V:
        one = Endpoint(
            name=name or view.__name__,
            method=method,
            path=path,
            tag=tag,
            view=view,
            permission=permission,
            answer=answer,
            status=status,
            query=query,
            body=body,
            location=location,
            is_asked=is_asked,
            refusals=refusals,
        )
        ENDPOINTS.append(one)
        guarded = partial(_serve, one)
        guarded.permission = permission  # type: ignore[attr-defined]  # the table of routes is a test
        bp.add_url_rule(path, one.name, guarded, methods=[method], provide_automatic_options=False)
        return view

    return declare


def _serve(one: Endpoint, **arguments: Any) -> Response:
    _let_in(one)
    if one.query is not None:
        arguments["query"] = read_query(one.query, request.args.to_dict(flat=False))
    elif request.args:
        raise AppError("value_unknown", 400, field=next(iter(request.args))[:60], names="-")
    if one.is_asked:
        arguments["form_token"] = _form_token()
    if one.changes:
        body = read(one.body, _sent()) if one.body is not None else _sent_nothing()
        arguments |= {"body": body} if one.body is not None else {}
    document = _answer_of(one, arguments)
    if isinstance(document, XmlText):
        return Response(document.text, content_type="application/xml")
    response = Response(json.dumps(written(document)), status=one.status, content_type="application/json")
    if one.status == 202:
        response.headers["Location"] = f"/api/v1/{one.location}/{document.id}"
    if hasattr(document, "page"):
        response.headers["Link"] = _links(document.page, document.pages)
    return response


def _answer_of(one: Endpoint, arguments: dict[str, Any]) -> Any:
    try:
        return one.view(**arguments)
    except AppError as error:
        if error.code == "form_reused":  # a program has no page to open anew
            raise AppError("key_reused", field=KEY_HEADER) from None
        raise


# ---- who -----------------------------------------------------------------------------------------------------------


def _let_in(one: Endpoint) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AppError("api_token_missing", 401)
    g.bearer = tokens.check(token.strip(), address=request.remote_addr or "")
    if not can(web.actor(), one.permission):
        raise AppError("not_permitted", 403)
    if one.changes and g.bearer.scope is not TokenScope.CHANGE:
        raise AppError("token_only_reads", 403)


def _form_token() -> str:
    """The key of the person, so that nobody meets the operation of another one by a key that both have chosen."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        raise AppError("key_missing", 400, field=KEY_HEADER)
    if len(key) > KEY_MOST or not key.isascii() or not key.isprintable():
        raise AppError("key_bad", 400, field=KEY_HEADER, most=KEY_MOST)
    return hashlib.sha256(f"{web.actor().user_id} {key}".encode()).hexdigest()


# ---- what was sent -------------------------------------------------------------------------------------------------


def _sent() -> Any:
    """The body as JSON; nothing at all is an empty object."""
    data = request.get_data()
    if not data:
        return {}
    if request.mimetype != "application/json":
        raise AppError("body_not_json", 415)
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise AppError("json_bad", 400) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """No properties: the address says everything."""


def _sent_nothing() -> Nothing:
    nothing: Nothing = read(Nothing, _sent())
    return nothing


# ---- where to go on ------------------------------------------------------------------------------------------------


def _links(page: int, last: int) -> str:
    """Where the neighbouring pages are (RFC 8288)."""
    wanted = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    arguments = request.args.to_dict()
    return ", ".join(
        f'<{request.path}?{urlencode({**arguments, "page": number})}>; rel="{relation}"'
        for relation, number in wanted.items()
        if 1 <= number <= last
    )
