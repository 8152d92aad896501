"""Signing in and out, and which of one's accounts is on the screen."""

import uuid

from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import login_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import EmailField, PasswordField

from app.accounts import members
from app.accounts import sign_in as signing
from app.accounts.sign_in import SessionLimits
from app.blueprints import web
from app.blueprints.frame import silent_since
from app.errors import AppError
from app.texts.errors import error_text

bp = Blueprint("auth", __name__)
DEMO_LOGINS = ("owner@acme.example", "owner@globex.example", "support@skiff.example", "admin@skiff.example")
DEMO_PASSWORD = "demo"  # noqa: S105  no secret: it is told to whoever opens a demo


class SignInForm(FlaskForm):
    """E-mail and password; what does not fit is refused in one and the same way."""

    email = EmailField(_l("E-mail"))
    password = PasswordField(_l("Password"))


@bp.get("/sign-in")
@web.public
def sign_in() -> web.Answer:
    """The page; who is signed in already goes on."""
    if web.visitor() is not None:
        return redirect(web.own_path(request.args.get("next")))
    return _page(SignInForm())


@bp.post("/sign-in")
@web.public
def send_sign_in() -> web.Answer:
    """Check and go on, or say why not, the same for an unknown person and a wrong password."""
    form, config = SignInForm(), web.config()
    try:
        token = signing.sign_in(
            form.email.data or "",
            form.password.data or "",
            address=request.remote_addr or "",
            user_agent=request.user_agent.string,
            limits=SessionLimits(idle_min=config.session_idle_min, max_h=config.session_max_h),
        )
    except AppError as error:
        return _page(form, refusal=error_text(error)), error.status
    return _enter(token)


def _page(form: SignInForm, *, refusal: str | None = None) -> str:
    return render_template(
        "auth/sign_in.html",
        form=form,
        refusal=refusal,
        silent_since=silent_since(),
        demo_logins=DEMO_LOGINS if web.config().demo else (),
        demo_password=DEMO_PASSWORD,
    )


def _enter(token: str) -> AnyResponse:
    """Begin a fresh cookie; a language chosen on the sign-in page becomes the person's."""
    chosen = session.get("locale")
    session.clear()
    visitor = web.load_user(token)
    if visitor is None:
        abort(401)
    if chosen is not None:
        members.set_locale(visitor.signed_in.actor.user_id, chosen)
    login_user(visitor)
    return redirect(web.own_path(request.args.get("next")), 303)


@bp.post("/sign-out")
@web.public
def sign_out() -> AnyResponse:
    """End the session on the server and let the browser forget what it saw."""
    person = web.visitor()
    if person is not None:
        signing.sign_out(person.token)
        session.clear()
        session["locale"] = person.locale
    response = make_response(redirect(url_for("auth.sign_in"), 303))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@bp.post("/accounts/<uuid:account_id>/switch")
@web.signed_in
def switch_account(account_id: uuid.UUID) -> web.Answer:
    """Show another account of the same person."""
    signing.switch_account(web.actor(), web.me().session_id, account_id)
    return redirect(url_for("dashboard.overview"), 303)
