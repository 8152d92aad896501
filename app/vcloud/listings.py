"""Whole listings of the query service: all pages or an error, never a part."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.vcloud import ahead, query
from app.vcloud.errors import Unavailable
from app.vcloud.query import AnyOf, Condition, Page
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


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """One listing: its name for errors, the path of each page, and how a page is got, with or without an early try."""

    what: str
    path: Callable[[int], Path]
    get: Callable[[Path, Early | None], Page[T]]


class Listings:
    """Reads listings with the rights of a customer or, under other names, with those of the provider."""

    def __init__(self, wire: Wire, *, is_provider: bool, limits: Limits, timer: Timer) -> None:
        self._wire = wire
        self._is_provider = is_provider
        self._limits = limits
        self._clock = timer.clock

    def rows(
        self, kind: str, to_value: Callable[[Element], T], key: Callable[[T], str], *conditions: Condition | AnyOf
    ) -> list[T]:
        """Return every row of this kind that meets the conditions; `key` tells rows apart."""
        name = _OF_THE_PROVIDER.get(kind, kind) if self._is_provider else kind
        read = partial(query.page, to_value=to_value)
        source = Source(
            f"the listing of {name}",
            lambda number: partial(query.path, name, number, conditions),
            lambda path, early: self._wire.get(path, "QueryResultRecords", read, early),
        )
        return self.whole(source, key)

    def whole(self, source: Source[T], key: Callable[[T], str]) -> list[T]:
        """Return the rows of all pages; reads them again once if they moved, then gives up.

        Unavailable also when it takes longer than `Limits.listing_s`: a server may answer each page in time and still
        never come to an end.
        """
        deadline = self._clock() + self._limits.listing_s
        for _ in range(2):
            with closing(self._pages(source, deadline)) as pages:
                found = query.read_all(pages, key)
            if found is not None:
                return found
        raise Unavailable(f"{source.what} did not stay the same while it was read")

    def _pages(self, source: Source[T], deadline: float) -> Generator[Page[T], None, None]:
        """Yield the pages in their order; on a slow line others are under way meanwhile."""
        self._wire.version()  # logs in if need be, so that what is timed below is a page and nothing else
        started = self._clock()
        first = source.get(source.path(1), None)
        is_slow = self._clock() - started > ahead.SLOW_S
        yield first
        paths = [source.path(number) for number in range(2, query.page_count(first) + 1)]
        with closing(ahead.in_turn(self._wire, paths, is_slow=is_slow)) as turns:
            for path, early in turns:
                if self._clock() > deadline:
                    raise Unavailable(f"{source.what} took longer than {self._limits.listing_s:.0f} s")
                yield source.get(path, early)
