"""Lists in pages of 50; the number of the page is in the address."""

from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select, func, select

from app.db import db

SIZE = 50


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


def paging(query: Select[Any]) -> Paging:
    """The page that the address asks for; beyond the last one it is the last one."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    wanted = request.args.get("page", 1, type=int)
    whole = Paging(number=1, total=total)
    return Paging(number=min(max(1, wanted), whole.last), total=total)
