"""Which handler answers which path.

A handler registers itself with `@route`; its `operation` is the name faults use for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from vcdsim.api.context import Handler
from vcdsim.api.version import Version


@dataclass(frozen=True)
class Route:
    """One method and path pattern; `{name}` stands for one path segment or the rest of one."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler
    since: Version = (0, 0)
    #: The last version that has it.
    until: Version = (1000, 0)


_ROUTES: list[Route] = []


def route(
    method: str, path: str, operation: str, *, since: Version = (0, 0), until: Version = (1000, 0)
) -> Callable[[Handler], Handler]:
    """Register the handler; paths are written without a trailing slash and match with one too."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?$")

    def register(handler: Handler) -> Handler:
        _ROUTES.append(Route(method, pattern, operation, handler, since, until))
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route for the request and the values of its pattern."""
    for one in _ROUTES:
        if one.method == method:
            match = one.pattern.match(path)
            if match:
                return one, match.groupdict()
    return None


def exists(path: str) -> bool:
    """True when another method is served at this path."""
    return any(one.pattern.match(path) for one in _ROUTES)


def operations() -> set[str]:
    """The names of all routes."""
    return {one.operation for one in _ROUTES}
