"""The XML surface of the simulator. Importing it registers every route."""

from vcdsim.api import (
    actions,
    addresses,
    admin_leases,
    admin_orgs,
    admin_vdcs,
    disks,
    media,
    metadata,
    organizations,
    products,
    provider,
    query,
    screens,
    sessions,
    sharing,
    tasks,
    templates,
    vapps,
    vms,
)
from vcdsim.api.application import Api
from vcdsim.api.context import Answer

__all__ = [
    "Answer",
    "Api",
    "actions",
    "addresses",
    "admin_leases",
    "admin_orgs",
    "admin_vdcs",
    "disks",
    "media",
    "metadata",
    "organizations",
    "products",
    "provider",
    "query",
    "screens",
    "sessions",
    "sharing",
    "tasks",
    "templates",
    "vapps",
    "vms",
]
