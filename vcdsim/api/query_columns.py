"""What a query type is made of: rows, and attributes with the API version that brought them.

A getter of a plain attribute gives a value; one of a reference gives the bare id, which becomes
an href (`records`) or a urn (`idrecords`). Values are made when asked for, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
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
    #: Reads the row alone, where that is enough: 10,000 rows are filtered in a few milliseconds.
    own: Callable[[Any], Value] | None = None

    def bound(self, world: World) -> Callable[[Any], Value]:
        """What reads the attribute of a row of this world."""
        return self.own or partial(self.get, world)


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


def plain(field: str, since: Version = (1, 5), kind: str | None = None) -> Column:
    """A column that is a field of the row."""
    own = attrgetter(field)
    return Column(lambda _, row: own(row), since, kind, own)


def owner_name(world: World, row: Any) -> str:
    """Name of the user who owns the row."""
    return world.users[row.owner_id].name


def constant(value: Value) -> Callable[[World, Any], Value]:
    """A column that is the same for every row."""
    return lambda _world, _row: value
