"""Leases in words."""

from flask_babel import gettext

from app.blueprints import filters
from app.cloud.leases import Lease


def say(lease: Lease) -> str:
    """What the lease does to a vApp, to be said behind its name; then only the provider can help."""
    time = filters.precise(lease.ends_at)
    if lease.is_runtime and lease.is_over:
        return gettext("is stopped at any moment: its lease ended on %(time)s.", time=time)
    if lease.is_runtime:
        return gettext("is stopped by its lease on %(time)s.", time=time)
    if lease.is_over:
        return gettext("does not work any more and may be deleted: its storage lease ended on %(time)s.", time=time)
    return gettext("is locked or deleted by its storage lease on %(time)s if it is off then.", time=time)
