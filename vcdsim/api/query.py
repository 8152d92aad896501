"""The query service: list of types, filters, order, pages, three formats."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from lxml import etree

from vcdsim import rights
from vcdsim.administration import denied
from vcdsim.api import hrefs, query_filter
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.metadata import write_metadata
from vcdsim.api.query_columns import Column, QueryType
from vcdsim.api.query_filter import Reader, Value
from vcdsim.api.query_records import kind_of, write_rows
from vcdsim.api.query_types import TYPES
from vcdsim.api.routing import route
from vcdsim.metadata import KINDS, visible, visible_values
from vcdsim.refusals import RefusalError

FORMATS = ("references", "records", "idrecords")
DEFAULT_PAGE, LARGEST_PAGE = 25, 128
_ADMIN_TYPES = {
    "vms": "adminVM",
    "vapps": "adminVApp",
    "vdcs": "adminOrgVdc",
    "orgs": "organization",
    "users": "user",
    "tasks": "adminTask",
    "catalogs": "adminCatalog",
    "disks": "adminDisk",
}
#: `STRING:` and so on, as filters write the kind of a value.
_METADATA_STARTS = {kind: f"{kind.upper()}:" for kind in KINDS}
#: The first version where a filter is encoded once and filterEncoded means nothing.
_SINGLE_ENCODING = (35, 0)


@route("GET", "/api/query", "query")
def query(ctx: Context) -> Answer:
    """The list of types, or one page of one of them."""
    parameters = dict(parse_qsl(ctx.query, keep_blank_values=True))
    if "type" not in parameters:
        return _query_list(ctx)
    return _page(ctx, parameters["type"], parameters)


@route("GET", "/api/vms/query", "query")
@route("GET", "/api/vApps/query", "query")
@route("GET", "/api/vAppTemplates/query", "query")
@route("GET", "/api/catalogs/query", "query")
@route("GET", "/api/disks/query", "query")
@route("GET", "/api/admin/(?P<kind>vms|vapps|vdcs|orgs|users|tasks|catalogs|disks)/query", "query")
def packaged_query(ctx: Context, kind: str = "") -> Answer:
    """The same, with the type in the path."""
    name = _ADMIN_TYPES[kind] if kind else ctx.path.split("/")[2][:-1]
    return _page(ctx, name, dict(parse_qsl(ctx.query, keep_blank_values=True)))


def _query_list(ctx: Context) -> Answer:
    element = ctx.root("QueryList", hrefs.media("query.queryList"), {"href": f"{ctx.base}/api/query"})
    for name, one in TYPES.items():
        if ctx.version > one.until or (rights.is_limited(ctx.user) and _is_for_admins(name)):
            continue
        for form in _formats(one):
            address = f"{ctx.base}/api/query?type={name}&format={form}"
            link(element, "down", address, hrefs.media(f"query.{form}"), name)
    return ctx.xml(element, hrefs.media("query.queryList"))


def _page(ctx: Context, name: str, parameters: dict[str, str]) -> Answer:
    chosen, form = TYPES.get(name), parameters.get("format", "records")
    if chosen is None or ctx.version > chosen.until or form not in _formats(chosen):
        raise RefusalError(f"Bad request: the query type {name!r} with format {form!r} does not exist.")
    if rights.is_limited(ctx.user) and _is_for_admins(name):
        raise denied()
    columns = {key: column for key, column in chosen.columns.items() if ctx.version >= column.since}
    rows = _selected(ctx, chosen, columns, parameters)
    page, size, first = _window(parameters)
    attributes = {"name": name, "page": str(page), "pageSize": str(size), "total": str(len(rows))}
    media_type = hrefs.media(f"query.{form}")
    tag = f"{chosen.element}References" if form == "references" else "QueryResultRecords"
    element = ctx.root(tag, media_type, {**attributes, "href": _address(ctx, page)})
    fields = [one for one in parameters.get("fields", "").split(",") if one]
    known = ("href", "id", *chosen.columns)
    unknown = [one for one in fields if one not in known and not one.startswith("metadata")]
    if unknown:
        raise RefusalError(f"Bad request: the query type {name!r} has no attribute {unknown[0]!r}.")
    _page_links(ctx, element, media_type, page, max(1, -(-len(rows) // size)))
    shown = {key: column for key, column in columns.items() if not fields or key in fields}
    shown_rows = rows[first : first + size]
    records = write_rows(ctx, element, chosen, shown, shown_rows, form)
    keys = [_stored_key(one) for one in fields if one.startswith("metadata")]
    if keys:
        _write_metadata(ctx, chosen, shown_rows, records, keys)
    return ctx.xml(element, media_type)


def _write_metadata(
    ctx: Context, chosen: QueryType, rows: list[Any], records: list[etree._Element], keys: list[str]
) -> None:
    for row, record in zip(rows, records, strict=True):
        carried = visible(ctx.world, ctx.user, row) if hasattr(row, "metadata") else {}
        entries = {key: entry for key, entry in carried.items() if key in keys}
        write_metadata(ctx, record, ctx.href(kind_of(chosen.kind, row), chosen.row_id(row)), entries)


def _selected(ctx: Context, chosen: QueryType, columns: dict[str, Column], parameters: dict[str, str]) -> list[Any]:
    rows = list(chosen.rows(ctx.world, ctx.user))
    if parameters.get("filter"):
        encoded = parameters.get("filterEncoded", "").lower() == "true" and ctx.version < _SINGLE_ENCODING

        def reader(name: str) -> Reader | None:
            if name in ("href", "id"):
                return lambda rows: [chosen.row_id(row) for row in rows]
            if name.startswith(("metadata:", "metadata@SYSTEM:")):
                return lambda rows: _metadata_values(ctx, rows, name)
            return partial(columns[name].values, ctx.world) if name in columns else None

        rows = query_filter.parse(parameters["filter"], reader, encoded_values=encoded)(rows)
    return _sorted(ctx, rows, columns, parameters)


def _stored_key(name: str) -> str:
    """`metadata:k` and `metadata@SYSTEM:k` to the key an entity keeps the entry under."""
    domain, _, key = name.partition(":")
    return key if domain == "metadata" else f"SYSTEM/{key}"


def _metadata_values(ctx: Context, rows: list[Any], name: str) -> list[Value]:
    """`STRING:v` as filters write it, None when a row has no such entry."""
    if not all(hasattr(row, "metadata") for row in rows[:1]):
        return [None] * len(rows)
    entries = visible_values(ctx.world, ctx.user, rows, _stored_key(name))
    return [None if entry is None else _METADATA_STARTS[entry.kind] + entry.value for entry in entries]


def _sorted(ctx: Context, rows: list[Any], columns: dict[str, Column], parameters: dict[str, str]) -> list[Any]:
    """The rows in order; those without a value come last, and first if the order is reversed."""
    for parameter, descending in (("sortAsc", False), ("sortDesc", True)):
        name = parameters.get(parameter)
        if name is None:
            continue
        if name not in columns:
            raise RefusalError(f"Bad request: the attribute {name!r} cannot be sorted by.")
        values = columns[name].values(ctx.world, rows)
        keys: list[Any] = [one.lower() if isinstance(one, str) else one for one in values]
        known = [number for number, key in enumerate(keys) if key is not None]
        unknown = [] if len(known) == len(keys) else [number for number, key in enumerate(keys) if key is None]
        known.sort(key=keys.__getitem__, reverse=descending)
        rows = [rows[number] for number in (unknown + known if descending else known + unknown)]
    return rows


def _window(parameters: dict[str, str]) -> tuple[int, int, int]:
    """(page, page size, index of the first row); a size above 128 gives 128, without an error."""
    try:
        page, size = int(parameters.get("page", 1)), int(parameters.get("pageSize", DEFAULT_PAGE))
        offset = int(parameters["offset"]) if "offset" in parameters else None
    except ValueError:
        raise RefusalError("Bad request: page, pageSize and offset must be numbers.") from None
    if page < 1 or size < 1 or (offset is not None and offset < 0):
        raise RefusalError("Bad request: page and pageSize must be at least 1.")
    size = min(size, LARGEST_PAGE)
    if offset is None:
        return page, size, (page - 1) * size
    return offset // size + 1, size, offset


def _address(ctx: Context, page: int) -> str:
    """The address of another page: the request's own query, as it was encoded."""
    kept = [part for part in ctx.query.split("&") if part and part.partition("=")[0] not in ("page", "offset")]
    return f"{ctx.base}{ctx.path}?{'&'.join(kept)}&page={page}"


def _page_links(ctx: Context, element: etree._Element, media_type: str, page: int, last: int) -> None:
    for rel, number, is_there in (
        ("firstPage", 1, page > 1),
        ("previousPage", min(page - 1, last), page > 1),
        ("nextPage", page + 1, page < last),
        ("lastPage", last, page < last),
    ):
        if is_there:
            link(element, rel, _address(ctx, number), media_type)


def _is_for_admins(name: str) -> bool:
    """The types that tell of users and roles, or carry it in their name (INF)."""
    return name.startswith("admin") or name in ("user", "group", "role", "right")


def _formats(chosen: QueryType) -> tuple[str, ...]:
    return FORMATS if chosen.has_references else FORMATS[1:]
