"""Signing in and out: password, throttling, sessions on the server.

Throttling happens before the password is hashed, because hashing is the dearest thing a stranger can ask for. It
counts failures of the last quarter of an hour: by person and address together (strict), by address, and by person
over all addresses (generous, so that a stranger can slow a victim down for a minute at most, never lock him out).
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, select, update
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts import audit
from app.accounts.models import LoginAttempt, Membership, User, UserSession
from app.accounts.rules import Actor, Role, StaffRole
from app.db import db, transaction
from app.errors import AppError

WINDOW = timedelta(minutes=15)
WAIT = timedelta(minutes=1)
MOST_BY_BOTH, MOST_BY_ADDRESS, MOST_BY_PERSON = 5, 30, 50
KEEP_ATTEMPTS = timedelta(days=1)
TOUCH_AFTER = timedelta(minutes=1)

WITHOUT_EMAIL = ""
"""Stands in the place of an e-mail's hash where a token of the API was tried. These are counted apart, so that a broken
script with a wrong token does not keep the people behind the same address from signing in."""

_hasher = PasswordHasher()


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """How long a session may idle, in minutes, and last, in hours."""

    idle_min: int
    max_h: int


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The person behind a request, as values."""

    token: str
    session_id: uuid.UUID
    actor: Actor
    email: str
    name: str
    locale: str
    theme: str
    account_name: str | None
    timezone: str | None
    accounts: tuple[tuple[uuid.UUID, str], ...]  # all that the person is a member of, by name


def hash_password(password: str) -> str:
    """The argon2id hash to store (RFC 9106, the library's present parameters)."""
    return _hasher.hash(password)


def sign_in(email: str, password: str, *, address: str, user_agent: str, limits: SessionLimits) -> str:
    """Check the password and open a session; returns the token for the cookie.

    Raises AppError `sign_in_refused` (with `tries_left`, the same for an unknown person and a wrong password) or
    `sign_in_throttled` (with `wait_s`).
    """
    email = email.strip().lower()
    with transaction():
        db.session.execute(delete(LoginAttempt).where(LoginAttempt.at < clock.now() - KEEP_ATTEMPTS))
        failures = require_patience(_limits(email, address))
        attempt = LoginAttempt(email_hash=_hash(email), address=address, at=clock.now(), succeeded=False)
        db.session.add(attempt)
        attempt_id = attempt.id
        user = db.session.scalar(select(User).where(User.email == email, User.disabled_at.is_(None)))
        user_id, stored = (user.id, user.password_hash) if user else (None, _hash_of_nobody())
    matches = _verify(stored, password)  # slow on purpose, hence outside of the transaction
    if user_id is None or not matches:
        raise AppError("sign_in_refused", 401, tries_left=max(0, MOST_BY_BOTH - 1 - failures))
    fresh_hash = hash_password(password) if _hasher.check_needs_rehash(stored) else None
    return _open_session(user_id, attempt_id, fresh_hash, address=address, user_agent=user_agent, limits=limits)


# Every page begins with this, so all that it needs to know of the person comes with one statement, built once.
_KNOWN = (
    select(UserSession)
    .where(UserSession.token_hash == bindparam("token_hash"))
    .options(joinedload(UserSession.user).joinedload(User.memberships).joinedload(Membership.account))
)


def session_of(token: str) -> SignedIn | None:
    """The person whose cookie holds this token, or None when the session is over or unknown."""
    session = db.session.scalars(_KNOWN, {"token_hash": _hash(token)}).unique().one_or_none()
    now = clock.now()
    if session is None or not _is_open(session, now):
        return None
    if now - session.seen_at > TOUCH_AFTER:
        session_id = session.id
        with transaction():
            db.session.execute(update(UserSession).where(UserSession.id == session_id).values(seen_at=now))
        session = db.session.get_one(UserSession, session_id)
    return _describe(session, token)


def sign_out(token: str) -> None:
    """End the session on the server; the cookie is worth nothing afterwards. Safe to repeat."""
    with transaction():
        session = db.session.scalar(
            select(UserSession).where(UserSession.token_hash == _hash(token), UserSession.ended_at.is_(None))
        )
        if session is not None:
            session.ended_at = clock.now()
            audit.record(Actor(user_id=session.user_id, account_id=session.account_id), "sign_out")


def switch_account(actor: Actor, session_id: uuid.UUID, account_id: uuid.UUID) -> None:
    """Show another account of the same person from now on; AppError `not_found` if he is no member there."""
    with transaction():
        member = db.session.scalar(
            select(Membership).where(Membership.user_id == actor.user_id, Membership.account_id == account_id)
        )
        if member is None:
            raise AppError("not_found", 404)
        db.session.get_one(UserSession, session_id).account_id = account_id


def _limits(email: str, address: str) -> list[tuple[int, ColumnElement[bool]]]:
    by_person = LoginAttempt.email_hash == _hash(email)
    by_address = and_(LoginAttempt.address == address, LoginAttempt.email_hash != WITHOUT_EMAIL)
    both = and_(by_person, by_address)
    return [(MOST_BY_PERSON, by_person), (MOST_BY_ADDRESS, by_address), (MOST_BY_BOTH, both)]


def require_patience(limits: Iterable[tuple[int, ColumnElement[bool]]]) -> int:
    """Raise AppError `sign_in_throttled` when of one kind of tries more than its limit failed lately.

    Returns how many failed of the last kind.
    """
    now = clock.now()
    failures = 0
    for most, where in limits:
        failures, last_at = _failures(now - WINDOW, where)
        if failures >= most and last_at is not None and now - last_at < WAIT:
            wait_s = int((last_at + WAIT - now).total_seconds()) + 1
            raise AppError("sign_in_throttled", 429, wait_s=wait_s)
    return failures


def _failures(since: datetime, where: ColumnElement[bool]) -> tuple[int, datetime | None]:
    succeeded_at = db.session.scalar(
        select(func.max(LoginAttempt.at)).where(where, LoginAttempt.succeeded.is_(True), LoginAttempt.at > since)
    )
    row = db.session.execute(
        select(func.count(), func.max(LoginAttempt.at)).where(
            where, LoginAttempt.succeeded.is_(False), LoginAttempt.at > (succeeded_at or since)
        )
    ).one()
    return row[0], row[1]


def _open_session(
    user_id: uuid.UUID,
    attempt_id: uuid.UUID,
    fresh_hash: str | None,
    *,
    address: str,
    user_agent: str,
    limits: SessionLimits,
) -> str:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with transaction():
        user = db.session.get_one(User, user_id)
        if fresh_hash is not None:
            user.password_hash = fresh_hash
        db.session.get_one(LoginAttempt, attempt_id).succeeded = True
        account_id = user.memberships[0].account_id if user.memberships else None
        session = UserSession(
            token_hash=_hash(token),
            user_id=user_id,
            account_id=account_id,
            address=address,
            user_agent=user_agent[:200],
            created_at=now,
            seen_at=now,
            idle_min=limits.idle_min,
            ends_at=now + timedelta(hours=limits.max_h),
        )
        db.session.add(session)
        audit.record(Actor(user_id=user_id, account_id=account_id), "sign_in", address=address)
    return token


def _is_open(session: UserSession, now: datetime) -> bool:
    idle_until = session.seen_at + timedelta(minutes=session.idle_min)
    return session.ended_at is None and now < session.ends_at and now < idle_until and session.user.disabled_at is None


def _describe(session: UserSession, token: str) -> SignedIn:
    user = session.user
    membership = next((m for m in user.memberships if m.account_id == session.account_id), None)
    account = membership.account if membership else None
    actor = Actor(
        user_id=user.id,
        account_id=account.id if account else None,
        role=Role(membership.role) if membership else None,
        staff_role=StaffRole(user.staff_role) if user.staff_role else None,
    )
    return SignedIn(
        token=token,
        session_id=session.id,
        actor=actor,
        email=user.email,
        name=user.name,
        locale=user.locale,
        theme=user.theme,
        account_name=account.name if account else None,
        timezone=account.timezone if account else None,
        accounts=tuple(sorted(((m.account_id, m.account.name) for m in user.memberships), key=lambda one: one[1])),
    )


def _hash(text: str) -> str:
    # Tokens are 256 random bits and e-mails are only counted, so a plain hash is right for both.
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _hash_of_nobody() -> str:
    """A hash that an unknown person's password is checked against, so that both refusals take the same time."""
    return hash_password(secrets.token_urlsafe(16))


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
