"""Lists in pages."""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import Select

from app.blueprints.api.schema import Note
from app.blueprints.paging import SIZE

MOST_PAGES, MOST_ROWS = 1_000_000, 200


@dataclass(frozen=True, kw_only=True)
class PageQuery:
    """Which page of a list. One beyond the last is empty."""

    page: Annotated[int, Note(least=1, most=MOST_PAGES)] = 1
    per_page: Annotated[int, Note(least=1, most=MOST_ROWS)] = SIZE

    def cut(self, rows: Select[Any]) -> Select[Any]:
        """Those of this page alone."""
        return rows.offset((self.page - 1) * self.per_page).limit(self.per_page)

    def last(self, total: int) -> int:
        """The number of the last page, at least 1."""
        return max(1, -(-total // self.per_page))
