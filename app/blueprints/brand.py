"""What a provider sets (colour, mark, name), and what a person chooses about the look: language and theme."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.accounts import members
from app.blueprints import web
from app.texts import LANGUAGES

bp = Blueprint("brand", __name__)
OUR_ACCENT = "#0e5f6b"


@dataclass(frozen=True, kw_only=True)
class Brand:
    """The provider's face, from the settings."""

    name: str
    legal: str
    support_email: str
    demo: bool
    has_logo: bool
    css_url: str


def brand() -> Brand:
    """The values of `base.html`."""
    config = web.config()
    return Brand(
        name=config.brand_name,
        legal=config.brand_legal,
        support_email=config.support_email,
        demo=config.demo,
        has_logo=config.brand_logo is not None,
        css_url=url_for("brand.css", v=hashlib.sha256(_css().encode()).hexdigest()[:12]),
    )


def _css() -> str:
    config = web.config()
    return f":root{{--skiff-accent:{config.brand_accent};--skiff-on-accent:{config.brand_on_accent}}}\n"


@bp.get("/brand.css")
@web.public
def css() -> Response:
    """The colours; the address changes with them, so it may be kept for ever."""
    response = Response(_css(), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@bp.get("/mark.svg")
@web.public
def mark() -> Response:
    """The provider's logo, or our mark in his colour."""
    config = web.config()
    ours = Path(current_app.static_folder or "") / "mark.svg"
    svg = _read(config.brand_logo) if config.brand_logo else _read(ours).replace(OUR_ACCENT, config.brand_accent)
    response = Response(svg, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@cache
def _read(path: Path) -> str:
    return path.read_text("utf-8")


@bp.post("/language/<locale>")
@web.public
def choose_language(locale: str) -> AnyResponse:
    """Remember the language, with the person or, before signing in, in the cookie."""
    if locale not in dict(LANGUAGES):
        abort(404)
    person = web.visitor()
    if person is not None:
        members.set_locale(person.actor.user_id, locale)
    else:
        session["locale"] = locale
    return redirect(web.own_path(request.form.get("next")))


@bp.post("/theme/<theme>")
@web.signed_in
def choose_theme(theme: str) -> web.Answer:
    """Remember the theme of a signed-in person; others see that of their system."""
    members.set_theme(web.actor().user_id, theme)
    return redirect(web.own_path(request.form.get("next")))
