"""Lists as CSV files that spreadsheets open."""

import csv
import io
from collections.abc import Iterable

from flask import Response
from flask_babel import get_locale, to_user_timezone

from app import clock

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the beginning of a cell."""


def file(name: str, heads: Iterable[str], lines: Iterable[Iterable[object]]) -> Response:
    """The answer that is a file, with the moment behind its name.

    It is made before it is sent: a file that breaks off half way looks like a whole one.
    """
    text = io.StringIO(newline="")
    # In Russian the comma belongs to numbers, and Excel expects the semicolon.
    writer = csv.writer(text, delimiter=";" if str(get_locale()) == "ru" else ",")
    writer.writerow(heads)
    writer.writerows([_defused(cell) for cell in line] for line in lines)
    full_name = f"{name}-{to_user_timezone(clock.now()):%Y%m%d-%H%M}.csv"
    # The mark in front tells Excel that it is UTF-8.
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{full_name}"'
    return answer


def _defused(cell: object) -> object:
    """A name such as `=HYPERLINK(…)` must stay a name in a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
