"""Records to JSON values and back, by their type hints.

Covers what `entities` uses: dataclasses, `list`, `dict`, `X | None`, plain values. Unknown keys
are ignored and missing ones take their default, so an older file loads into a newer program.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from typing import Any

_PLAIN: dict[Any, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def fields(record: Any) -> dict[str, Any]:
    """The fields of a record as they are."""
    cls: Any = type(record)
    return {name: getattr(record, name) for name in _hints(cls)}


def encode(value: Any) -> Any:
    """A JSON value for `value`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: encode(item) for name, item in fields(value).items()}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(hint: Any, value: Any) -> Any:
    """The object of type `hint` that `encode` turned into `value`; ValueError for a value of another type."""
    if hint in _PLAIN:
        return _plain(hint, value)
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return None if value is None else decode(inner[0], value)
    if origin is list:
        (item_hint,) = typing.get_args(hint)
        return [decode(item_hint, item) for item in _of(list, value)]
    if origin is dict:
        _, item_hint = typing.get_args(hint)
        return {key: decode_at(key, item_hint, item) for key, item in _of(dict, value).items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint, _of(dict, value))
    return value


def _record(cls: Any, value: dict[str, Any]) -> Any:
    hints = _hints(cls)
    known = {key: decode_at(key, hints[key], item) for key, item in value.items() if key in hints}
    try:
        return cls(**known)
    except TypeError as missing:
        raise ValueError(str(missing).replace("__init__()", "record")) from None


def decode_at(key: str, hint: Any, value: Any) -> Any:
    """`decode`, with the place in the words of the ValueError."""
    try:
        return decode(hint, value)
    except ValueError as wrong:
        raise ValueError(f"{key}: {wrong}") from None


def _plain(hint: type[Any], value: Any) -> Any:
    """A number without a fraction will do for a float, nothing else for something else."""
    kind = int if hint is float and type(value) is int else hint
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{value!r} is not {_PLAIN[hint]}")
    return value


def _of(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is not a {kind.__name__}")  # noqa: TRY004  it is about the text of a file
    return value


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: hint for key, hint in typing.get_type_hints(cls).items() if key in names}
