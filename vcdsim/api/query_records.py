"""Writing the rows of a page: records with hrefs or ids, or references.

A page has thousands of attributes, and one call of the XML library for each is what takes longest.
So records are put together as text, attribute by attribute, and parsed as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Context
from vcdsim.api.query_columns import Column, QueryType
from vcdsim.api.query_filter import Value, shown

#: What would not come back from an attribute as it was.
_BREAKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
#: Everything that may have to be written in another way.
_AWKWARD = re.compile(r"[^ !#-%'-;=?-~]")


def write_rows(
    ctx: Context, element: etree._Element, chosen: QueryType, columns: dict[str, Column], rows: list[Any], form: str
) -> list[etree._Element]:
    """Append an element for each row, with these columns."""
    if form == "references":
        return [_reference(ctx, element, chosen, row) for row in rows]
    address = hrefs.urn if form == "idrecords" else ctx.href
    own: list[Value] = [address(kind_of(chosen.kind, row), chosen.row_id(row)) for row in rows]
    cells = [_cells("id" if form == "idrecords" else "href", own)]
    for name, column in columns.items():
        values = column.values(ctx.world, rows)
        if column.kind is not None:
            values = _addresses(address, column.kind, rows, values)
        cells.append(_cells(name, values))
    start = f"<{chosen.element}Record"
    records = "".join(f"{start}{''.join(row)}/>" for row in zip(*cells, strict=True))
    element.extend(list(etree.fromstring(f'<Records xmlns="{xml.VCLOUD}">{records}</Records>')))
    return list(element.iterchildren(xml.tag(f"{chosen.element}Record")))


def kind_of(kind: str | Callable[[Any], str], row: Any) -> str:
    """The kind of entity a row is or points to."""
    return kind if isinstance(kind, str) else kind(row)


def _reference(ctx: Context, element: etree._Element, chosen: QueryType, row: Any) -> etree._Element:
    name = chosen.columns["name"].get(ctx.world, row) if "name" in chosen.columns else ""
    return ctx.reference(
        element, f"{chosen.element}Reference", kind_of(chosen.kind, row), chosen.row_id(row), str(name or "")
    )


def _addresses(
    address: Callable[[str, str], str], kind: str | Callable[[Any], str], rows: list[Any], values: list[Value]
) -> list[Value]:
    return [
        None if value is None else address(kind_of(kind, row), str(value))
        for row, value in zip(rows, values, strict=True)
    ]


def _cells(name: str, values: list[Value]) -> list[str]:
    """` name="value"` for each row, nothing where there is no value; each different value is written once."""
    written = {value: _cell(name, value) for value in set(values)}
    return [written[value] for value in values]


def _cell(name: str, value: Value) -> str:
    if value is None:
        return ""
    text = shown(value)
    quoted = quoteattr(text, _BREAKS) if _AWKWARD.search(text) else f'"{text}"'
    return f" {name}={quoted}"
