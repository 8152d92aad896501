"""Leases of vApps: when vCloud stops, deletes or locks one though nobody asked for it.

At the end of its runtime lease a vApp that runs is stopped, at the end of its storage lease one that is stopped is
deleted or locked. Wherever it shows it is named, because else it looks like a fault.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, select

from app.cloud.models import HAS_LEASE, VApp
from app.cloud.rules import VmState
from app.db import db

SOON = timedelta(days=3)
"""So long before its end a lease is a matter for the overview."""
ENDS_AT = case((VApp.is_deployed, VApp.runtime_ends_at), else_=VApp.storage_ends_at)
"""Of a vApp: when the lease ends that counts as it is now."""
_STOPPED = frozenset({VmState.OFF, VmState.PARTLY_OFF, VmState.SUSPENDED})


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The lease that ends next. With `is_runtime` vCloud stops the vApp then, else it deletes or locks it."""

    is_runtime: bool
    ends_at: datetime
    is_over: bool
    is_soon: bool  # or over


def next_end(vapp: VApp, now: datetime) -> Lease | None:
    """The lease of a vApp that has an end; None: it may be as it is for ever."""
    ends_at = vapp.runtime_ends_at if vapp.is_deployed else vapp.storage_ends_at
    if ends_at is None:
        return None
    return Lease(is_runtime=vapp.is_deployed, ends_at=ends_at, is_over=ends_at <= now, is_soon=ends_at - now <= SOON)


def near_end(vdc_ids: Sequence[uuid.UUID], now: datetime, *, most: int) -> list[VApp]:
    """The vApps of these data centers with a lease that ends soon or is over, the next one first."""
    there = ending(now).where(VApp.vdc_id.in_(vdc_ids))
    return list(db.session.scalars(there.order_by(ENDS_AT, VApp.name).limit(most)))


def ending(now: datetime) -> Select[Any]:
    """Every vApp with a lease that ends soon or is over."""
    return select(VApp).where(VApp.gone_at.is_(None), HAS_LEASE, now + SOON >= ENDS_AT)


def stop(found: Iterable[dict[str, Any]], runtime_ends_at: datetime | None, at: datetime) -> list[dict[str, Any]]:
    """What to add to the changes of a machine that nobody here has stopped, if its lease has: at most one change.

    vCloud says of a stop by lease nothing but that it happened, so the end that was known before tells: it is past.
    """
    is_stop = any(
        change["what"] == "state" and change["before"] == VmState.ON and change["after"] in _STOPPED for change in found
    )
    return _by_lease(runtime_ends_at) if is_stop and runtime_ends_at and runtime_ends_at <= at else []


def deletion(found: Iterable[dict[str, Any]], vapp: VApp, at: datetime) -> list[dict[str, Any]]:
    """Likewise, of a machine that is gone from vCloud, and that nobody here has deleted."""
    lease, is_deletion = next_end(vapp, at), any(change["what"] == "existence" for change in found)
    return _by_lease(lease.ends_at) if is_deletion and lease and lease.is_over and not lease.is_runtime else []


def lock(is_locked: bool | None) -> list[dict[str, Any]]:  # noqa: FBT001
    """Likewise, of a machine whose vApp vCloud has locked, or unlocked, since the last listing; None: neither."""
    return [] if is_locked is None else [{"what": "expired", "before": not is_locked, "after": is_locked}]


def _by_lease(ended_at: datetime) -> list[dict[str, Any]]:
    return [{"what": "lease", "before": ended_at.isoformat(), "after": None}]
