"""The API under /api/v1: the same use cases as the pages, for programs that hold a personal token.

This file is the list of its parts; each declares its endpoints beside the dataclasses that it takes and answers.
"""

from app.blueprints.api import actions, addresses, catalog, drifts, machines, openapi, operations, readings, services
from app.blueprints.api.endpoints import bp

__all__ = [
    "actions",
    "addresses",
    "bp",
    "catalog",
    "drifts",
    "machines",
    "openapi",
    "operations",
    "readings",
    "services",
]
