"""API tokens: the person's own ones in the account on the screen, a form for a new one, revoking."""

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import StringField

from app import clock
from app.accounts import tokens
from app.accounts.rules import Permission, TokenScope
from app.blueprints import web
from app.errors import AppError
from app.texts.errors import error_text
from app.texts.labels import TOKEN_SCOPES

bp = Blueprint("tokens", __name__)
DAYS = (7, 30, 90, 365)


class TokenForm(FlaskForm):
    """What a new token is called, what it may do and how long it lives."""

    name = StringField(_l("Name"))
    scope = StringField(_l("May"), default=TokenScope.READ.value)
    days = StringField(_l("Works for"), default="90")

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The list on top: (id of the field, sentence)."""
        return [(field.id, f"{field.label.text}: {text}") for field in self for text in field.errors]


@bp.get("/tokens")
@web.requires(Permission.ACCOUNT_SEE)
def index() -> web.Answer:
    """The list and the form."""
    return _page(TokenForm(formdata=None), [])


@bp.post("/tokens")
@web.requires(Permission.ACCOUNT_SEE)
def create() -> web.Answer:
    """Make one and show it, this once; the page is not kept by the browser."""
    form = TokenForm()
    days, name = form.days.data or "", (form.name.data or "").strip()
    try:
        scope = TokenScope(form.scope.data or "")
        token = tokens.create(web.actor(), name=name, scope=scope, days=int(days) if days in map(str, DAYS) else 0)
    except ValueError:
        return _page(form, [error_text(AppError("token_scope_unknown"))]), 422
    except AppError as error:
        if error.field is None:
            return _page(form, [error_text(error)]), 422
        form[error.field].errors = [error_text(error)]
        return _page(form, []), 422
    example = f'curl -H "Authorization: Bearer {token}" {request.url_root}api/v1/vms'
    return render_template("tokens/created.html", name=name, token=token, example=example)


@bp.post("/tokens/<uuid:token_id>/revoke")
@web.requires(Permission.ACCOUNT_SEE)
def revoke(token_id: uuid.UUID) -> web.Answer:
    """It opens nothing from now on."""
    tokens.revoke(web.actor(), token_id)
    return redirect(url_for("tokens.index"), 303)


def _page(form: TokenForm, plain_errors: list[str]) -> str:
    return render_template(
        "tokens/index.html",
        form=form,
        problems=form.problems + [("", text) for text in plain_errors],
        tokens=tokens.listed(web.actor()),
        scopes=[(scope.value, label) for scope, label in TOKEN_SCOPES.items()],
        scope_labels=TOKEN_SCOPES,
        days=[(str(number), ngettext("%(num)d day", "%(num)d days", number)) for number in DAYS],
        now=clock.now(),
    )
