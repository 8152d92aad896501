"""The people of all tests. Acme has an owner, a technician and a viewer; the stranger owns Globex; support is staff."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select

from app import clock
from app.accounts.models import Account, Membership, User
from app.accounts.rules import Actor, Role, StaffRole
from app.db import db, transaction

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Each person as the Actor that the use cases take."""

    owner: Actor
    technician: Actor
    viewer: Actor
    stranger: Actor
    support: Actor

    @classmethod
    def gather(cls, password_hash: str) -> "Cast":
        """Write the people into the database."""
        with transaction():
            acme, globex = (
                Account(name=name, timezone="Europe/Moscow", created_at=clock.now()) for name in ("Acme", "Globex")
            )
            db.session.add_all([acme, globex])
            db.session.flush()
            return cls(
                owner=_member("owner", acme, Role.OWNER, password_hash),
                technician=_member("technician", acme, Role.TECHNICIAN, password_hash),
                viewer=_member("viewer", acme, Role.VIEWER, password_hash),
                stranger=_member("stranger", globex, Role.OWNER, password_hash),
                support=_staff("support", StaffRole.SUPPORT, password_hash),
            )


def email_of(actor: Actor) -> str:
    """The e-mail with which a person of the cast signs in."""
    email = db.session.scalar(select(User.email).where(User.id == actor.user_id))
    assert email is not None
    return email


def _user(name: str, password_hash: str, staff_role: StaffRole | None = None) -> User:
    user = User(
        email=f"{name}@example.com",
        name=f"{name.capitalize()} Berg",
        password_hash=password_hash,
        locale="en",
        staff_role=staff_role,
        created_at=clock.now(),
    )
    db.session.add(user)
    db.session.flush()
    return user


def _member(name: str, account: Account, role: Role, password_hash: str) -> Actor:
    user = _user(name, password_hash)
    db.session.add(Membership(user_id=user.id, account_id=account.id, role=role, created_at=clock.now()))
    return Actor(user_id=user.id, account_id=account.id, role=role)


def _staff(name: str, role: StaffRole, password_hash: str) -> Actor:
    return Actor(user_id=_user(name, password_hash, role).id, staff_role=role)


def new_token() -> str:
    """A form token, as a page would make it."""
    return uuid.uuid4().hex
