"""Accounts and their people: opening an account, adding staff, a person's own preferences."""

import re
import uuid
from dataclasses import dataclass
from zoneinfo import available_timezones

from sqlalchemy import select, update

from app import clock
from app.accounts.models import Account, Membership, User, UserSession
from app.accounts.rules import Actor, Role, StaffRole
from app.accounts.sign_in import hash_password
from app.db import db, transaction
from app.errors import AppError

THEMES = ("auto", "light", "dark")
PASSWORD_LEAST = 8
NAME_MOST = 120


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a repeatable command found or made."""

    id: uuid.UUID
    is_new: bool


def open_account(*, name: str, timezone: str, owner_email: str, owner_name: str, password: str, locale: str) -> Opened:
    """Open an account with its owner.

    An account of that name that already has this owner stays as it is, so the command may be repeated.
    Raises AppError `account_taken`, `email_taken`, `email_bad`, `password_short`, `name_bad` or `timezone_unknown`.
    """
    if timezone not in available_timezones():
        raise AppError("timezone_unknown", 400, timezone=timezone)
    _require_name(name)
    values = _new_user_values(owner_email, owner_name, password, locale)
    with transaction():
        owner = db.session.scalar(select(User).where(User.email == values["email"]))
        account = db.session.scalar(select(Account).where(Account.name == name))
        if account is not None:
            if owner is not None and account.id in {m.account_id for m in owner.memberships}:
                return Opened(id=account.id, is_new=False)
            raise AppError("account_taken", name=name)
        if owner is not None:
            raise AppError("email_taken", email=owner_email)
        owner, account = User(**values), Account(name=name, timezone=timezone, created_at=clock.now())
        db.session.add_all([owner, account])
        db.session.flush()
        membership = Membership(user_id=owner.id, account_id=account.id, role=Role.OWNER, created_at=clock.now())
        db.session.add(membership)
        return Opened(id=account.id, is_new=True)


def add_staff(*, email: str, name: str, role: StaffRole, password: str, locale: str) -> Opened:
    """Add a person of the provider. One who is known already stays as he is, so the command may be repeated.

    Raises AppError `email_taken` when a customer has this e-mail, `email_bad`, `password_short` or `name_bad`.
    """
    values = _new_user_values(email, name, password, locale)
    with transaction():
        user = db.session.scalar(select(User).where(User.email == values["email"]))
        if user is not None and user.staff_role is None:
            raise AppError("email_taken", email=email)
        if user is not None:
            return Opened(id=user.id, is_new=False)
        user = User(**values, staff_role=role)
        db.session.add(user)
        return Opened(id=user.id, is_new=True)


def set_password(email: str, password: str) -> None:
    """Give a person a new password and end his sessions; AppError `user_unknown` or `password_short`."""
    _require_password(password)
    new_hash = hash_password(password)
    with transaction():
        user = _known_user(email)
        user.password_hash = new_hash
        _end_sessions(user)


def set_disabled(email: str, *, is_disabled: bool) -> None:
    """Keep a person out, at once, or let him in again; AppError `user_unknown`."""
    with transaction():
        user = _known_user(email)
        user.disabled_at = clock.now() if is_disabled else None
        _end_sessions(user)


def staff_actor(email: str) -> Actor:
    """The person of the provider who works at the command line; AppError `user_unknown` or `not_staff`."""
    user = _known_user(email)
    if user.staff_role is None or user.disabled_at is not None:
        raise AppError("not_staff", 403, email=email)
    return Actor(user_id=user.id, staff_role=StaffRole(user.staff_role))


def _known_user(email: str) -> User:
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise AppError("user_unknown", 404, email=email)
    return user


def _end_sessions(user: User) -> None:
    open_ones = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    db.session.execute(open_ones.values(ended_at=clock.now()))


def set_locale(user_id: uuid.UUID, locale: str) -> None:
    """Remember the language of a person; the caller has checked that we speak it."""
    with transaction():
        db.session.get_one(User, user_id).locale = locale


def set_theme(user_id: uuid.UUID, theme: str) -> None:
    """Remember light, dark or auto (as the system)."""
    if theme not in THEMES:
        raise AppError("theme_unknown", 400)
    with transaction():
        db.session.get_one(User, user_id).theme = theme


def _new_user_values(email: str, name: str, password: str, locale: str) -> dict[str, object]:
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", email):
        raise AppError("email_bad", 400, email=email)
    _require_password(password)
    _require_name(name)
    return {
        "email": email,
        "name": name,
        "password_hash": hash_password(password),
        "locale": locale,
        "created_at": clock.now(),
    }


def _require_password(password: str) -> None:
    if len(password) < PASSWORD_LEAST:
        raise AppError("password_short", 400, least=PASSWORD_LEAST)


def _require_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > NAME_MOST:
        raise AppError("name_bad", 400, most=NAME_MOST)
