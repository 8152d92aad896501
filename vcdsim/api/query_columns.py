"""What a query type is made of: rows, and attributes with the API version that brought them.

A getter of a plain attribute gives a value; one of a reference gives the bare id, which becomes
an href (`records`) or a urn (`idrecords`). Values are made when asked for, an attribute of many
rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from vcdsim.api.query_filter import Value
from vcdsim.api.version import Version
from vcdsim.people import User
from vcdsim.world import World


@dataclass(frozen=True)
class Column:
    """One attribute: `get` is called with (world, row); `kind` makes it a reference."""

    get: Callable[[World, Any], Value]
    since: Version = (1, 5)
    kind: str | Callable[[Any], str] | None = None
    #: Reads the row alone, where that is enough: it is several times as fast.
    own: Callable[[Any], Value] | None = None

    def values(self, world: World, rows: list[Any]) -> list[Value]:
        """The attribute of each row."""
        if self.own is not None:
            return list(map(self.own, rows))
        return [self.get(world, row) for row in rows]


@dataclass(frozen=True)
class QueryType:
    """One value of `?type=`. `element` is the record's name without the ending `Record`."""

    element: str
    rows: Callable[[World, User], Iterable[Any]]
    kind: str | Callable[[Any], str]
    columns: dict[str, Column]
    row_id: Callable[[Any], str] = attrgetter("id")
    #: The schema knows no references of administrators' records.
    has_references: bool = True
    #: The last version that knows the type.
    until: Version = (1000, 0)


def own(get: Callable[[Any], Value], since: Version = (1, 5), kind: str | None = None) -> Column:
    """A column that needs nothing but the row."""
    return Column(lambda _, row: get(row), since, kind, get)


def plain(field: str, since: Version = (1, 5), kind: str | None = None) -> Column:
    """A column that is a field of the row."""
    return own(attrgetter(field), since, kind)


def date(field: str, since: Version = (1, 5)) -> Column:
    """A column that is a field with a moment in it, or None."""
    seconds = attrgetter(field)
    return own(lambda row: milliseconds(seconds(row)), since)


def milliseconds(seconds: float | None) -> Value:
    """A moment as exact as answers show it, so that a client finds again what it read."""
    return None if seconds is None else round(seconds * 1e6) // 1000 / 1000


def owner_name(world: World, row: Any) -> str:
    """Name of the user who owns the row."""
    return world.users[row.owner_id].name


def constant(value: Value) -> Callable[[World, Any], Value]:
    """A column that is the same for every row."""
    return lambda _world, _row: value
