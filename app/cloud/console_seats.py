"""Who sits at which console: taking what was granted, once, and asking later who may no longer stay."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import delete, select

from app import clock, vcloud
from app.accounts.models import Membership, User, UserSession
from app.accounts.rules import Actor, Permission, Role, can
from app.cloud.console_models import ConsoleGrant, hash_of
from app.cloud.models import Service, Vdc, Vm, VmGuard
from app.db import db, transaction


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Who sits at which console."""

    session_id: uuid.UUID
    user_id: uuid.UUID
    account_id: uuid.UUID
    vm_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """The way to a cell for one console. `ca_file` None trusts any certificate: a setting for laboratories."""

    seat: Seat
    address: str = field(repr=False)
    ca_file: str | None
    proxy: str | None


class ConsoleEnd(StrEnum):
    """Why a console is not opened, or does not stay open."""

    UNKNOWN_ID = "unknown_id"  # never given, used, too old, or somebody else's: one answer for all
    SESSION_OVER = "session_over"  # signed out, or kept out
    NOT_PERMITTED = "not_permitted"  # no member of the account any more, or one who may only look
    VM_GONE = "vm_gone"  # deleted, or another account's now


class ConsoleEndedError(Exception):
    """A one-time id was not accepted; `end` says why."""

    def __init__(self, end: ConsoleEnd) -> None:
        super().__init__(end.value)
        self.end = end


def take(one_time_id: str, session_id: uuid.UUID) -> Upstream:
    """The way to the cell that was granted under this id to the person of this session; it can be taken once.

    Raises ConsoleEndedError. An id that somebody else shows is worth nothing afterwards, to anybody.
    """
    with transaction():
        taken = (
            delete(ConsoleGrant)
            .where(ConsoleGrant.id_hash == hash_of(one_time_id))
            .returning(ConsoleGrant)
            .execution_options(synchronize_session=False)
        )
        row = db.session.scalar(taken)
        found = row and (row.session_id, row.user_id, row.account_id, row.vm_id, row.expires_at, row.address)
    if not found or found[0] != session_id or found[4] <= clock.now():
        raise ConsoleEndedError(ConsoleEnd.UNKNOWN_ID)
    seat = Seat(session_id=found[0], user_id=found[1], account_id=found[2], vm_id=found[3])
    if end := ended([seat]).get(seat):
        raise ConsoleEndedError(end)
    handler = db.session.get_one(Vm, seat.vm_id).vdc.service.handler
    ca_file = handler.ca_file or (vcloud.KNOWN_AUTHORITIES if handler.verify_tls else None)
    return Upstream(seat=seat, address=found[5] or "", ca_file=ca_file, proxy=handler.proxy)


def ended(seats: Collection[Seat]) -> dict[Seat, ConsoleEnd]:
    """Which of these people may not sit there any more, and why. Three statements, however many there are.

    That a session idles ends no console: who watches a long installation makes no clicks. Its other limits do.
    """
    people = _sessions(seats)
    roles = _roles(seats)
    owners = _owners(seats)
    return {seat: end for seat in seats if (end := _end(seat, people, roles, owners)) is not None}


def _end(
    seat: Seat,
    people: set[uuid.UUID],
    roles: dict[tuple[uuid.UUID, uuid.UUID], Role],
    owners: dict[uuid.UUID, uuid.UUID],
) -> ConsoleEnd | None:
    if seat.session_id not in people:
        return ConsoleEnd.SESSION_OVER
    role = roles.get((seat.user_id, seat.account_id))
    if not can(Actor(user_id=seat.user_id, account_id=seat.account_id, role=role), Permission.VM_CHANGE):
        return ConsoleEnd.NOT_PERMITTED
    return None if owners.get(seat.vm_id) == seat.account_id else ConsoleEnd.VM_GONE


def _sessions(seats: Collection[Seat]) -> set[uuid.UUID]:
    """Those that are not over."""
    live = (
        select(UserSession.id)
        .join(UserSession.user)
        .where(
            UserSession.id.in_({seat.session_id for seat in seats}),
            UserSession.ended_at.is_(None),
            UserSession.ends_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )
    return set(db.session.scalars(live))


def _roles(seats: Collection[Seat]) -> dict[tuple[uuid.UUID, uuid.UUID], Role]:
    """What each person is in each account."""
    rows = db.session.execute(
        select(Membership.user_id, Membership.account_id, Membership.role).where(
            Membership.user_id.in_({seat.user_id for seat in seats})
        )
    )
    return {(user_id, account_id): Role(role) for user_id, account_id, role in rows}


def _owners(seats: Collection[Seat]) -> dict[uuid.UUID, uuid.UUID]:
    """The account of each machine that is there."""
    rows = db.session.execute(
        select(Vm.id, Service.account_id)
        .join(Vm.vdc)
        .join(Vdc.service)
        .outerjoin(VmGuard, VmGuard.vm_id == Vm.id)
        .where(
            Vm.id.in_({seat.vm_id for seat in seats}),
            Vm.gone_at.is_(None),
            VmGuard.recycled_at.is_(None),
        )
    )
    return {row.id: row.account_id for row in rows}


def forget_expired() -> None:
    """Delete the tickets that nobody came for; vCloud does not take them any more."""
    too_old = ConsoleGrant.expires_at <= clock.now()
    is_there = db.session.scalar(select(ConsoleGrant.id).where(too_old).limit(1)) is not None
    db.session.rollback()
    if is_there:
        with transaction():
            db.session.execute(delete(ConsoleGrant).where(too_old))
