"""What fixtures prepare in the database, kept: prepared once in a process and put in place for each other test."""

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, select

from app.db import Base, db, transaction

T = TypeVar("T")
Rows = list[tuple[Table, list[dict[str, Any]]]]
"""The rows of each table; tables that others refer to come first."""


def all_rows() -> Rows:
    """Everything that is in the database."""
    found = [(table, _rows_of(table)) for table in Base.metadata.sorted_tables]
    db.session.rollback()
    return found


def insert(rows: Rows) -> None:
    """Write these rows, inside the caller's transaction."""
    for table, its_rows in rows:
        if its_rows:
            db.session.execute(table.insert(), its_rows)


def delete_all() -> None:
    """Empty the database, inside the caller's transaction."""
    for table in reversed(Base.metadata.sorted_tables):
        db.session.execute(table.delete())


class Kept(Generic[T]):
    """What was prepared, under a name that says all that it depends on."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[T, Rows]] = {}

    def again(self, name: Hashable, prepare: Callable[[], T]) -> T:
        """Prepare it, or put in place what an earlier test has prepared; returns what `prepare` returned then.

        It must only add rows, and find the same ones there each time.
        """
        if name in self._kept:
            value, rows = self._kept[name]
            with transaction():
                insert(rows)
            return value
        before = all_rows()
        value = prepare()
        self._kept[name] = value, _added(before, all_rows())
        return value


def _rows_of(table: Table) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if column.computed is None]  # the database makes those by itself
    return [dict(row._mapping) for row in db.session.execute(select(*columns))]


def _added(before: Rows, after: Rows) -> Rows:
    added = []
    for (table, old), (_, new) in zip(before, after, strict=True):
        assert all(row in new for row in old), f"a row of {table.name} was changed"
        added.append((table, [row for row in new if row not in old]))
    return added
