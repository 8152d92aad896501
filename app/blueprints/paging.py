"""Lists in pages; the number of the page and how many rows it has are in the address."""

from dataclasses import dataclass

from flask import request

SIZE = 50
SIZES = (25, SIZE, 100)
"""How many rows a page may have, where the reader can choose."""


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Where a list stands: page `number` of `last`, in a list of `total` rows."""

    number: int
    total: int
    size: int = SIZE

    @property
    def last(self) -> int:
        """The number of the last page, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """How many rows stand before this page."""
        return (self.number - 1) * self.size

    @property
    def first_row(self) -> int:
        """The number of the first row on this page, counted from 1."""
        return self.offset + 1

    @property
    def last_row(self) -> int:
        """The number of the last row on this page."""
        return min(self.total, self.offset + self.size)


def paging(total: int, sizes: tuple[int, ...] = (SIZE,)) -> Paging:
    """The page that the address asks for; beyond the last one it is the last one."""
    size = request.args.get("rows", SIZE, type=int)
    whole = Paging(number=1, total=total, size=size if size in sizes else SIZE)
    wanted = request.args.get("page", 1, type=int)
    return Paging(number=min(max(1, wanted), whole.last), total=total, size=whole.size)
