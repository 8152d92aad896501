"""What stands around the content of every signed-in page: places, account, running operations, vCloud's health."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import func, select

from app.accounts.rules import Permission, can
from app.blueprints import account_view, health, web
from app.cloud.models import Handler
from app.db import db
from app.texts.labels import ROLES, STAFF_ROLES

_l = lazy_gettext
IN_DOCK = 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """One line of the navigation."""

    endpoint: str
    label: LazyString
    icon: str
    permission: Permission
    count: int = 0
    count_id: str = ""  # of one that moves while the page is open
    only_if_any: bool = False  # else it is no place, but for whoever is there

    @property
    def is_current(self) -> bool:
        """Whether the page is in this place: it or its blueprint."""
        return request.endpoint == self.endpoint or request.blueprint == self.endpoint.split(".")[0]

    @property
    def is_shown(self) -> bool:
        """Whether there is anything in it, where that matters."""
        return not self.only_if_any or self.count > 0 or self.is_current


@dataclass(frozen=True, kw_only=True)
class AccountChoice:
    """An account of the person."""

    id: uuid.UUID
    name: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class News:
    """What changes around the content while a page is open; it comes with every live part."""

    places: list[Place]
    running: int | None  # None: the role does not see machines
    answered_at: datetime | None
    silent_since: datetime | None

    @property
    def docked(self) -> list[Place]:
        """What stands at the foot of a small screen, which has room for five."""
        return self.places if len(self.places) <= IN_DOCK else self.places[: IN_DOCK - 1]

    @property
    def undocked(self) -> list[Place]:
        """What is behind *More* there."""
        return self.places[len(self.docked) :]


@dataclass(frozen=True, kw_only=True)
class Frame(News):
    """The values of `panel.html`."""

    home: str
    account_name: str | None
    accounts: list[AccountChoice]
    user_name: str
    email: str
    role: LazyString

    @property
    def initials(self) -> str:
        """Two letters for the round sign of the person."""
        words = self.user_name.split()
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "?"


THEMES = (
    ("auto", _l("Theme as the system"), "circle-half"),
    ("light", _l("Light theme"), "sun"),
    ("dark", _l("Dark theme"), "moon"),
)


def frame() -> Frame:
    """Collect it for the present request; what it reads is what `account_view` reads once for the whole page."""
    person = web.me()
    actor = person.actor
    latest = news()
    role = ROLES[actor.role] if actor.role else STAFF_ROLES[actor.staff_role] if actor.staff_role else _l("guest")
    return Frame(
        **vars(latest),
        home=latest.places[0].endpoint if latest.places else "dashboard.overview",
        account_name=person.account_name,
        accounts=[AccountChoice(id=i, name=name, is_current=i == actor.account_id) for i, name in person.accounts],
        user_name=person.name,
        email=person.email,
        role=role,
    )


def news() -> News:
    """For the account on the screen."""
    actor, (answered_at, silent) = web.actor(), _health()
    return News(
        places=[place for place in _places() if can(actor, place.permission) and place.is_shown],
        running=len(account_view.active_operations()) if can(actor, Permission.VM_SEE) else None,
        answered_at=answered_at,
        silent_since=silent,
    )


def silent_since() -> datetime | None:
    """Since when the first of the account's vClouds does not answer; on the sign-in page: any vCloud."""
    if web.visitor() is not None:
        return _health()[1]
    return db.session.scalar(select(func.min(Handler.silent_since)))


def _places() -> list[Place]:
    see, staff = Permission.VM_SEE, Permission.STAFF_SEE
    overview, count = Permission.ACCOUNT_SEE, account_view.vm_counts()["all"]
    return [
        Place(endpoint="dashboard.overview", label=_l("Overview"), icon="grid-1x2", permission=overview),
        Place(endpoint="vms.index", label=_l("Servers"), icon="hdd-stack", permission=see, count=count),
        Place(endpoint="networks.index", label=_l("Networks"), icon="diagram-3", permission=see),
        Place(
            endpoint="changes.index",
            label=_l("Changes"),
            icon="intersect",
            permission=see,
            count=account_view.drift_count(),
            only_if_any=True,
        ),
        Place(endpoint="operations.index", label=_l("Activity"), icon="clock-history", permission=see),
        Place(endpoint="staff.accounts", label=_l("Accounts"), icon="people", permission=staff),
        Place(endpoint="staff_operations.index", label=_l("Operations"), icon="clock-history", permission=staff),
        Place(endpoint="staff_sync.index", label=_l("Sync"), icon="arrow-repeat", permission=staff),
        Place(
            endpoint="staff_drift.index",
            label=_l("Drift"),
            icon="intersect",
            permission=staff,
            count=health.facts().drift_alarms if web.is_staff() else 0,
        ),
        Place(
            endpoint="staff_errors.index",
            label=_l("Unexplained errors"),
            icon="question-circle",
            permission=staff,
            count=health.facts().unexplained if web.is_staff() else 0,
        ),
        Place(
            endpoint="health.index",
            label=_l("Health"),
            icon="heart-pulse",
            permission=staff,
            count=health.count() if web.is_staff() else 0,
            count_id="health-count",
        ),
    ]


def _health() -> tuple[datetime | None, datetime | None]:
    """When the account's vClouds answered last (the oldest of them), and since when one of them is silent."""
    vdcs = account_view.vdcs()
    answered = [vdc.answered_at for vdc in vdcs if vdc.answered_at is not None]
    silent = [vdc.silent_since for vdc in vdcs if vdc.silent_since is not None]
    return min(answered, default=None), min(silent, default=None)
