"""Whole listings of the query service: all pages or an error, never a part."""

from collections import deque
from collections.abc import Callable, Collection
from contextlib import closing
from functools import partial
from typing import Any, Generic, TypeVar

from app.vcloud import ahead, query
from app.vcloud.errors import Unavailable, VcloudError
from app.vcloud.query import AnyOf, Condition, Conditions, Page
from app.vcloud.transport import Limits, Timer
from app.vcloud.wire import Early, Path, Wire
from app.vcloud.xml import Element

# The provider sees all organizations under other names.
_OF_THE_PROVIDER = {
    "orgVdc": "adminOrgVdc",
    "orgVdcStorageProfile": "adminOrgVdcStorageProfile",
    "task": "adminTask",
    "vApp": "adminVApp",
    "vAppTemplate": "adminVAppTemplate",
    "vm": "adminVM",
}

T = TypeVar("T")
_Turn = tuple["Listing[Any]", Path]


class Listing(Generic[T]):
    """One listing: its name for errors, the path of each page, how a page is got, and what has come of it.

    `key` tells rows apart. Whole means: all pages state the same total, and as many different rows came.
    """

    def __init__(
        self,
        what: str,
        path: Callable[[int], Path],
        get: Callable[[Path, Early | None], Page[T]],
        key: Callable[[T], str],
    ) -> None:
        self.what, self.path, self.get = what, path, get
        self.error: VcloudError | None = None
        self._key = key
        self.begin()

    def begin(self) -> None:
        """Forget what came."""
        self._found: dict[str, T] = {}
        self._total: int | None = None
        self._has_moved = False

    def add(self, page: Page[T]) -> list[Path]:
        """Take in a page in its turn; the first one tells the paths of those that follow."""
        is_first, self._total = self._total is None, page.total if self._total is None else self._total
        fresh = {self._key(row): row for row in page.rows}
        is_short = len(fresh) < len(page.rows) or (self._total > 0 and not fresh)
        if page.total != self._total or is_short or fresh.keys() & self._found.keys():
            self._has_moved = True
            return []
        self._found |= fresh
        return [self.path(number) for number in range(2, query.page_count(page) + 1)] if is_first else []

    @property
    def is_whole(self) -> bool:
        """Whether every row came."""
        return not self._has_moved and len(self._found) == self._total

    @property
    def is_over(self) -> bool:
        """Whether no other page is of use."""
        return self._has_moved or self.error is not None

    @property
    def rows(self) -> list[T]:
        """The rows; raises what kept them from coming."""
        if self.error is not None:
            raise self.error
        return list(self._found.values())


class Listings:
    """Reads listings with the rights of a customer or, under other names, with those of the provider."""

    def __init__(self, wire: Wire, *, is_provider: bool, limits: Limits, timer: Timer) -> None:
        self._wire = wire
        self._is_provider = is_provider
        self._limits = limits
        self._clock = timer.clock

    def of(
        self, kind: str, to_value: Callable[[Element], T], key: Callable[[T], str], *conditions: Condition | AnyOf
    ) -> Listing[T]:
        """Return the listing of every row of this kind that meets the conditions; `key` tells rows apart."""
        return self.of_later(kind, to_value, key, lambda: conditions)

    def of_later(
        self, kind: str, to_value: Callable[[Element], T], key: Callable[[T], str], conditions: Callable[[], Conditions]
    ) -> Listing[T]:
        """Return one as `of` does, whose conditions are asked for when its first page is."""
        name = _OF_THE_PROVIDER.get(kind, kind) if self._is_provider else kind
        read = partial(query.page, to_value=to_value)
        return Listing(
            f"the listing of {name}",
            lambda number: lambda version: query.path(name, number, conditions(), version),
            lambda path, early: self._wire.get(path, "QueryResultRecords", read, early),
            key,
        )

    def rows(
        self, kind: str, to_value: Callable[[Element], T], key: Callable[[T], str], *conditions: Condition
    ) -> list[T]:
        """Return every row of this kind that meets the conditions."""
        return self.whole(self.of(kind, to_value, key, *conditions))

    def whole(self, listing: Listing[T]) -> list[T]:
        """Return the rows of all pages of one listing; see `read`."""
        self.read(listing)
        return listing.rows

    def read(self, *listings: Listing[Any], optional: Collection[Listing[Any]] = ()) -> None:
        """Read all pages of several listings together, and those once more that moved meanwhile; the first leads.

        One that moves again raises that by its `rows`, and an optional one whatever keeps it from coming; other errors
        are raised at once. Unavailable also when all takes longer than `Limits.listing_s`: a server may answer each
        page in time and still never come to an end.
        """
        deadline = self._clock() + self._limits.listing_s
        missing = [*listings, *optional]
        for _ in range(2):
            self._read_once(missing, optional, deadline)
            missing = [one for one in missing if one.error is None and not one.is_whole]
            if not missing:
                return
        for one in missing:
            one.error = Unavailable(f"{one.what} did not stay the same while it was read")

    def _read_once(self, listings: list[Listing[Any]], optional: Collection[Listing[Any]], deadline: float) -> None:
        """Take in the pages of each in their order; on a slow line others are under way meanwhile."""
        for one in listings:
            one.begin()
        queue = deque((one, one.path(1)) for one in listings)
        with closing(ahead.in_turn(self._wire, queue, self._clock)) as turns:
            for one, path, early in turns:
                if one.is_over:
                    continue
                if self._clock() > deadline:
                    raise Unavailable(f"{one.what} took longer than {self._limits.listing_s:.0f} s")
                try:
                    queue.extendleft((one, later) for later in reversed(one.add(one.get(path, early))))
                except VcloudError as error:
                    if one not in optional:
                        raise
                    one.error = error
                if one.is_over:
                    _drop(one, queue)


def _drop(listing: Listing[Any], queue: deque[_Turn]) -> None:
    left = [turn for turn in queue if turn[0] is not listing]
    queue.clear()
    queue.extend(left)
