"""Accounts and their people: opening an account, adding staff, a person's own preferences."""

import re
import uuid
from zoneinfo import available_timezones

from sqlalchemy import select

from app import clock
from app.accounts.models import Account, Membership, User
from app.accounts.rules import Role, StaffRole
from app.accounts.sign_in import hash_password
from app.db import db, transaction
from app.errors import AppError

THEMES = ("auto", "light", "dark")
PASSWORD_LEAST = 8


def open_account(
    *, name: str, timezone: str, owner_email: str, owner_name: str, password: str, locale: str
) -> uuid.UUID:
    """Open an account with its owner; returns its id.

    An account of that name that already has this owner is returned as it is, so the command may be repeated.
    Raises AppError `account_taken`, `email_taken`, `email_bad`, `password_short` or `timezone_unknown`.
    """
    if timezone not in available_timezones():
        raise AppError("timezone_unknown", 400, timezone=timezone)
    values = _new_user_values(owner_email, owner_name, password, locale)
    with transaction():
        owner = db.session.scalar(select(User).where(User.email == values["email"]))
        account = db.session.scalar(select(Account).where(Account.name == name))
        if account is not None:
            if owner is not None and account.id in {m.account_id for m in owner.memberships}:
                return account.id
            raise AppError("account_taken", name=name)
        if owner is not None:
            raise AppError("email_taken", email=owner_email)
        owner, account = User(**values), Account(name=name, timezone=timezone, created_at=clock.now())
        db.session.add_all([owner, account])
        db.session.flush()
        membership = Membership(user_id=owner.id, account_id=account.id, role=Role.OWNER, created_at=clock.now())
        db.session.add(membership)
        return account.id


def add_staff(*, email: str, name: str, role: StaffRole, password: str, locale: str) -> uuid.UUID:
    """Add a person of the provider; returns the id. Repeating it for the same e-mail changes nothing.

    Raises AppError `email_taken` when a customer has this e-mail, `email_bad` or `password_short`.
    """
    values = _new_user_values(email, name, password, locale)
    with transaction():
        user = db.session.scalar(select(User).where(User.email == values["email"]))
        if user is None:
            user = User(**values, staff_role=role)
            db.session.add(user)
        elif user.staff_role is None:
            raise AppError("email_taken", email=email)
        return user.id


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
    if len(password) < PASSWORD_LEAST:
        raise AppError("password_short", 400, least=PASSWORD_LEAST)
    return {
        "email": email,
        "name": name,
        "password_hash": hash_password(password),
        "locale": locale,
        "created_at": clock.now(),
    }
