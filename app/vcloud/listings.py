"""Whole listings of the query service: all pages or an error, never a part."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from app.vcloud import query
from app.vcloud.errors import Unavailable
from app.vcloud.query import Condition, Page
from app.vcloud.transport import Limits, Timer
from app.vcloud.wire import Wire
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


class Listings:
    """Reads listings with the rights of a customer or, under other names, with those of the provider."""

    def __init__(self, wire: Wire, *, is_provider: bool, limits: Limits, timer: Timer) -> None:
        self._wire = wire
        self._is_provider = is_provider
        self._limits = limits
        self._clock = timer.clock

    def rows(
        self, kind: str, to_value: Callable[[Element], T], key: Callable[[T], str], *conditions: Condition
    ) -> list[T]:
        """Return every row of this kind that meets the conditions; `key` tells rows apart."""
        name = _OF_THE_PROVIDER.get(kind, kind) if self._is_provider else kind

        def fetch(number: int) -> Page[T]:
            path = partial(query.path, name, number, conditions)
            return self._wire.get(path, "QueryResultRecords", partial(query.page, to_value=to_value))

        return self.whole(f"the listing of {name}", fetch, key)

    def whole(self, what: str, fetch: Callable[[int], Page[T]], key: Callable[[T], str]) -> list[T]:
        """Return the rows of all pages; reads them again once if they moved, then gives up.

        Unavailable also when it takes longer than `Limits.listing_s`: a server may answer each page in time and still
        never come to an end.
        """
        deadline = self._clock() + self._limits.listing_s

        def in_time(number: int) -> Page[T]:
            if self._clock() > deadline:
                raise Unavailable(f"{what} took longer than {self._limits.listing_s:.0f} s")
            return fetch(number)

        for _ in range(2):
            found = query.read_all(in_time, key)
            if found is not None:
                return found
        raise Unavailable(f"{what} did not stay the same while it was read")
