"""Records to JSON values and back, by their type hints.

Covers what `entities` uses: dataclasses, `list`, `dict`, `X | None`, plain values. Unknown keys
are ignored and missing ones take their default, so an older file loads into a newer program.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any


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
    """The object of type `hint` that `encode` turned into `value`."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return None if value is None else decode(inner[0], value)
    if origin is list:
        (item_hint,) = typing.get_args(hint)
        return [decode(item_hint, item) for item in value]
    if origin is dict:
        _, item_hint = typing.get_args(hint)
        return {key: decode(item_hint, item) for key, item in value.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{key: decode(hints[key], item) for key, item in value.items() if key in hints})
    return value


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: hint for key, hint in typing.get_type_hints(cls).items() if key in names}
