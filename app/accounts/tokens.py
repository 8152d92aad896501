"""Personal tokens of the API: made and shown once, kept as a hash, checked, revoked."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select, update

from app import clock
from app.accounts import audit
from app.accounts.models import ApiToken, LoginAttempt, Membership, User
from app.accounts.rules import Actor, Role, TokenScope
from app.accounts.sign_in import TOUCH_AFTER, WITHOUT_EMAIL, require_patience
from app.db import db, transaction
from app.errors import AppError

PREFIX = "pat_"
"""What a token begins with, so that a tool that looks for lost secrets can tell it."""
NAME_MOST = 80
DAYS_MOST = 365
LIVE_MOST = 20
MOST_WRONG = 30
"""Unknown tokens that an address may try in a quarter of an hour before it has to wait between two tries."""


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """The person behind a token, as values; `locale` is the language of his pages."""

    token_id: uuid.UUID
    actor: Actor
    scope: TokenScope
    locale: str


def create(actor: Actor, *, name: str, scope: TokenScope, days: int) -> str:
    """Make a token for the actor in his present account and return it: nobody can read it again.

    Raises AppError with its field: `token_name_bad`, `token_name_taken`, `token_days_bad`; `tokens_too_many`, and
    `not_permitted` for people without an account.
    """
    if actor.account_id is None or actor.role is None:
        raise AppError("not_permitted", 403)
    name = name.strip()
    if not name or not name.isprintable() or len(name) > NAME_MOST:
        raise AppError("token_name_bad", 400, field="name", most=NAME_MOST)
    if not 1 <= days <= DAYS_MOST:
        raise AppError("token_days_bad", 400, field="days", most=DAYS_MOST)
    token = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    with transaction():
        _require_room(actor, name)
        row = ApiToken(
            token_hash=_hash(token),
            name=name,
            user_id=actor.user_id,
            account_id=actor.account_id,
            scope=scope,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        db.session.add(row)
        audit.record(actor, "token.create", object_id=row.id, name=name, scope=scope.value, days=days)
    return token


def _require_room(actor: Actor, name: str) -> None:
    """A name is given once among the live ones: a form sent twice does not make a second token that nobody knows of."""
    # One at a time for a person.
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    live = select(ApiToken.name).where(_own(actor), ApiToken.revoked_at.is_(None), ApiToken.expires_at > clock.now())
    names = list(db.session.scalars(live))
    if name in names:
        raise AppError("token_name_taken", field="name", name=name)
    if len(names) >= LIVE_MOST:
        raise AppError("tokens_too_many", most=LIVE_MOST)


def listed(actor: Actor) -> list[ApiToken]:
    """The actor's tokens in his present account that are not revoked, the newest first; expired ones as well."""
    own = select(ApiToken).where(_own(actor), ApiToken.revoked_at.is_(None))
    return list(db.session.scalars(own.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def revoke(actor: Actor, token_id: uuid.UUID) -> None:
    """End a token of the actor's at once. Safe to repeat; AppError `not_found` for somebody else's."""
    with transaction():
        row = db.session.scalar(select(ApiToken).where(_own(actor), ApiToken.id == token_id))
        if row is None:
            raise AppError("not_found", 404)
        if row.revoked_at is None:
            row.revoked_at = clock.now()
            audit.record(actor, "token.revoke", object_id=row.id, name=row.name)


def check(token: str, *, address: str) -> Bearer:
    """The person who holds this token.

    Raises AppError `api_token_refused` (401) for one that is unknown, expired or revoked, or whose person is kept out
    or is no member of its account any more, and `sign_in_throttled` (with `wait_s`) after many unknown ones from
    `address`. A right token is never slowed down: behind one address there may be a whole office.
    """
    now = clock.now()
    # The database looks for the hash, so the time it takes tells nothing about the token.
    row = db.session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(token)))
    if row is None:
        _count_wrong_one(address)
        raise AppError("api_token_refused", 401)
    membership = db.session.scalar(
        select(Membership).where(Membership.user_id == row.user_id, Membership.account_id == row.account_id)
    )
    is_over = row.revoked_at is not None or row.expires_at <= now or row.user.disabled_at is not None
    if is_over or membership is None:
        raise AppError("api_token_refused", 401)
    bearer = Bearer(
        token_id=row.id,
        actor=Actor(user_id=row.user_id, account_id=row.account_id, role=Role(membership.role)),
        scope=TokenScope(row.scope),
        locale=row.user.locale,
    )
    if row.last_used_at is None or now - row.last_used_at > TOUCH_AFTER:
        with transaction():
            db.session.execute(update(ApiToken).where(ApiToken.id == bearer.token_id).values(last_used_at=now))
    return bearer


def _count_wrong_one(address: str) -> None:
    of_address = and_(LoginAttempt.address == address, LoginAttempt.email_hash == WITHOUT_EMAIL)
    with transaction():
        require_patience([(MOST_WRONG, of_address)])
        db.session.add(LoginAttempt(email_hash=WITHOUT_EMAIL, address=address, at=clock.now(), succeeded=False))


def _own(actor: Actor) -> ColumnElement[bool]:
    return and_(ApiToken.user_id == actor.user_id, ApiToken.account_id == actor.account_id)


def _hash(token: str) -> str:
    # 256 random bits: a plain hash is right.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
