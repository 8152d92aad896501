"""In which language, zone and theme a page is shown."""

from flask import g, request, session

from app.blueprints import web
from app.texts import LANGUAGES


def locale() -> str:
    """The language: the person's own, else the one chosen before signing in, else the browser's wish.

    A program says in each request which one it wants; if it does not, it gets its person's own.
    """
    languages = [code for code, _ in LANGUAGES]
    # Somebody who wants "ru-RU, en" speaks Russian, although only "en" is literally one of ours.
    wishes = (wish.partition("-")[0].lower() for wish, quality in request.accept_languages if quality > 0)
    wish = next((wish for wish in wishes if wish in languages), None)
    if web.is_api():
        return wish or (str(g.bearer.locale) if "bearer" in g else web.config().locale)
    person = web.known_visitor()
    if person is not None:
        return person.locale
    if session.get("locale") in languages:
        return str(session["locale"])
    return wish or web.config().locale


def timezone() -> str:
    """The zone of the account on the screen."""
    if web.is_api():
        return "UTC"
    person = web.known_visitor()
    return (person.timezone if person else None) or web.config().timezone


def theme() -> str:
    """Light, dark or auto."""
    person = web.known_visitor()
    return person.theme if person else "auto"
