"""What every page shares: who acts, what he may do, the doors to his machines, live parts."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from flask import Response, abort, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_login import UserMixin, current_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from app import clock
from app.accounts import sign_in
from app.accounts.rules import Actor, Permission, can
from app.accounts.sign_in import SignedIn
from app.cloud.models import Service, Vdc, Vm
from app.cloud.operation_models import Operation
from app.db import db
from app.errors import NotFoundError
from config import Config

P = ParamSpec("P")
T = TypeVar("T")
Answer = str | AnyResponse | tuple[str, int]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere. `data:` is for the tick that Bootstrap draws in a checkbox."""

LIVE_STEP_S = 10
"""A live part is sent again after so many seconds even when nothing moved, so that the ages on it stay true."""


@dataclass(frozen=True)
class Visitor(UserMixin):
    """The signed-in person as Flask-Login wants him; the cookie holds the token of his session."""

    signed_in: SignedIn

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie."""
        return self.signed_in.token


def load_user(token: str) -> Visitor | None:
    """The person behind the cookie, or None when his session is over."""
    g.user_unreadable = True  # stays so when the database is away: the error page then asks for nobody
    signed_in = sign_in.session_of(token)
    g.user_unreadable = False
    return Visitor(signed_in) if signed_in else None


def config() -> Config:
    """The settings of this panel."""
    return cast(Config, current_app.extensions["skiff_config"])


def visitor() -> SignedIn | None:
    """The signed-in person, or None."""
    return current_user.signed_in if current_user.is_authenticated else None


def known_visitor() -> SignedIn | None:
    """The signed-in person as far as he can be read: for error pages, which must not fail in their turn."""
    if g.get("user_unreadable"):
        return None
    try:
        return visitor()
    except SQLAlchemyError:
        return None


def is_staff() -> bool:
    """Whether the reader is one of the provider's people, as far as that can be read."""
    person = known_visitor()
    return person is not None and person.actor.staff_role is not None


def me() -> SignedIn:
    """The signed-in person, on pages that require one."""
    person = visitor()
    if person is None:
        abort(401)
    return person


def is_api() -> bool:
    """Whether a program asks, which shows a token: cookies count for nothing then, and no answer is a page."""
    return request.path.startswith("/api/")


def actor() -> Actor:
    """Who acts now; use cases take it."""
    return cast(Actor, g.bearer.actor) if is_api() else me().actor


# ---- Who may come in ----------------------------------------------------------------------------------------------


def requires(permission: Permission, *, else_to: str = "") -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """Let only people with this permission in: strangers are sent to sign in, others get 403 or go to `else_to`.

    A page of the staff is 404 to customers: they need not know that there is one.
    """
    refusal = 404 if permission is Permission.STAFF_SEE else 403

    def guard(view: Callable[P, Answer]) -> Callable[P, Answer]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
            if visitor() is None:
                return sign_in_first()
            if not can(actor(), permission):
                return redirect(url_for(else_to)) if else_to else abort(refusal)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # the table of routes is a test
        return guarded

    return guard


def public(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Mark a view that anybody may see."""
    view.permission = None  # type: ignore[attr-defined]
    return view


def signed_in(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Let every signed-in person in: the view concerns only himself."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        return sign_in_first() if visitor() is None else view(*args, **kwargs)

    guarded.permission = "signed in"  # type: ignore[attr-defined]
    return guarded


def sign_in_first() -> AnyResponse:
    """To the sign-in page and back; a live part makes its whole page go there."""
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Refresh": "true"})
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("auth.sign_in", next=wanted if wanted not in ("", "/") else None))


def own_path(target: str | None, default: str = "/") -> str:
    """`target` if it is a path of this panel, else `default`: nobody is sent elsewhere by a link with `next`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default


CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that nobody types. PostgreSQL takes no NUL, and none of them means anything in a name or a search."""


def refuse_unreadable() -> Answer | None:
    """Answer what no page of ours can have sent, before any view reads it: control characters, and files."""
    if is_api():  # reads by itself what it is sent
        if isinstance(request.routing_exception, RequestRedirect):
            raise NotFoundError  # an address that is nearly one of ours: the way there would be told by a page
        return None
    pairs = [pair for values in (request.args, request.form) for pair in values.items(multi=True)]
    if request.files or any(CONTROLS.search(text) for pair in (*pairs, (request.path,)) for text in pair):
        return render_template("errors/unreadable.html"), 400
    return None


# ---- The doors: found and allowed, or 404 --------------------------------------------------------------------------


def get_vm(vm_id: uuid.UUID) -> Vm:
    """A machine of the account on the screen."""
    own = select(Vm).join(Vm.vdc).join(Vdc.service).where(Vm.id == vm_id, Service.account_id == actor().account_id)
    place = joinedload(Vm.vdc).joinedload(Vdc.service).joinedload(Service.handler)
    vm = db.session.scalar(own.options(joinedload(Vm.vapp), place))
    if vm is None:
        raise NotFoundError
    return vm


def get_operation(operation_id: uuid.UUID) -> Operation:
    """An operation of the account on the screen."""
    own = Operation.account_id == actor().account_id
    operation = db.session.scalar(select(Operation).where(Operation.id == operation_id, own))
    if operation is None:
        raise NotFoundError
    return operation


def once(read: Callable[[], T]) -> Callable[[], T]:
    """Make `read` ask the database at most once in a request; whoever comes later gets the same answer."""
    name = f"once {read.__module__}.{read.__qualname__}"

    @wraps(read)
    def kept() -> T:
        if name not in g:
            setattr(g, name, read())
        return cast(T, g.get(name))

    return kept


# ---- Answers --------------------------------------------------------------------------------------------------------


def fragment(template: str, stamp: object, **values: object) -> AnyResponse:
    """A live part alone; 304 when the browser has it already. `stamp` tells whether something moved."""
    tick = int(clock.now().timestamp()) // LIVE_STEP_S
    etag = hashlib.sha256(repr((str(get_locale()), tick, stamp)).encode()).hexdigest()[:32]
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        response = make_response(render_template(template, is_fragment=True, **values))
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def form_token() -> str:
    """The name of one sending of one form: sent twice, it makes one operation."""
    return secrets.token_urlsafe(24)


def given_token(address: str = "") -> str:
    """The token that came with a form; a form without one is nobody's double.

    A table is one form whose buttons go to many addresses: each of these has its own token, made from the form's.
    """
    token = request.form.get("form_token", "")[:64] or form_token()
    return hashlib.sha256(f"{token} {address}".encode()).hexdigest() if address else token


def here(**changes: object) -> str:
    """The present address with other arguments; None takes one away."""
    arguments: MultiDict[str, object] = MultiDict(request.args)
    for name, value in changes.items():
        arguments.pop(name, None)
        if value is not None:
            arguments[name] = value
    return request.path.removesuffix("/live") + (f"?{urlencode(list(arguments.items()))}" if arguments else "")


def back() -> str:
    """Where to go after choosing a language or theme: this page, or the start if it cannot be asked for by GET."""
    adapter = current_app.create_url_adapter(request)
    return here() if adapter is not None and adapter.test(method="GET") else "/"


def request_id() -> str:
    """The id of this request, for support."""
    return str(g.get("request_id", ""))
