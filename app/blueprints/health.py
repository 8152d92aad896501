"""Staff: System health, one page that says whether the panel runs by itself, and what to do where it does not."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.accounts.rules import Permission
from app.blueprints import health_parts, web
from app.blueprints.health_parts import Item
from app.blueprints.health_work import work
from app.cloud import health
from app.cloud.health import Facts

bp = Blueprint("health", __name__, url_prefix="/staff/health")


@bp.get("")
@web.requires(Permission.STAFF_SEE)
def index() -> web.Answer:
    """What wants somebody, then every part with its state."""
    return render_template("staff/health.html", items=_asked(), todo=_todo(_asked()))


@bp.get("/live")
@web.requires(Permission.STAFF_SEE)
def live() -> web.Answer:
    """Its moving part, which is all of it."""
    return web.fragment("staff/_health.html", _asked(), items=_asked(), todo=_todo(_asked()))


def count() -> int:
    """How many parts want somebody: on every page what is known, on the page of health what was asked besides."""
    items = _asked() if request.blueprint == "health" else _known()
    return sum(item.wants_somebody for item in items)


@web.once
def _asked() -> list[Item]:
    """Everything, with Redis and the console gateway asked now: at most a second, when both are away."""
    has_redis = health.doorbell_answers()
    return [
        Item(
            name=gettext("Database"), kind="on", state=gettext("Answers"), text=gettext("This page was read from it.")
        ),
        health_parts.redis(has_redis=has_redis),
        *health_parts.own(facts(), has_redis=has_redis),
        *work(facts(), health.explained()),
        health_parts.gateway(facts()),
        health_parts.program(),
    ]


@web.once
def _known() -> list[Item]:
    return [*health_parts.own(facts(), has_redis=True), *work(facts(), (0, 0)), health_parts.program()]


@web.once
def facts() -> Facts:
    """What the database tells, read once for the page and the navigation."""
    return health.facts(timedelta(minutes=web.config().sync_every_min))


def _todo(items: Sequence[Item]) -> list[Item]:
    return sorted((item for item in items if item.wants_somebody), key=lambda item: item.kind != "bad")
