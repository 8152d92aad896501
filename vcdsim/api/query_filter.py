"""The filter language of the query service: text to a choice among rows.

`==` (any case, `*` stands for anything), `!=`, `=lt=`, `=le=`, `=gt=`, `=ge=`; `;` is AND and
binds tighter than `,`, which is OR; parentheses group; a backslash takes the meaning from the
character after it.

A comparison reads the attribute of all rows at once and judges each different value once: most
attributes have few, so 10,000 rows take about a millisecond.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from urllib.parse import unquote

from vcdsim.api.context import moment
from vcdsim.refusals import RefusalError

#: What an attribute can be; a float is a moment, in seconds since the epoch.
Value = str | int | float | bool | None
#: Reads one attribute of many rows, in their order.
Reader = Callable[[list[Any]], list[Value]]
#: Of many rows those that fit, in their order.
Choice = Callable[[list[Any]], list[Any]]
Test = Callable[[Value], bool]

_TERM = re.compile(r"\s*([A-Za-z][\w:.@-]*)\s*(==|!=|=lt=|=le=|=gt=|=ge=)")
_UUID_AT_END = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=lt=": operator.lt,
    "=le=": operator.le,
    "=gt=": operator.gt,
    "=ge=": operator.ge,
}
_DEEPEST = 20


def parse(text: str, reader: Callable[[str], Reader | None], *, encoded_values: bool) -> Choice:
    """The choice a filter makes; `reader` gives what reads an attribute, None if it is unknown.

    `encoded_values` is `filterEncoded=true` below 35.0: each value was url-encoded once more.
    """
    parser = _Parser(text, reader, encoded_values=encoded_values)
    choice = parser.any_of(0)
    if parser.position != len(text):
        raise parser.error()
    return choice


def shown(value: str | float) -> str:
    """The value as a record shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return moment(value)
    return str(value).lower()


class _Parser:
    def __init__(self, text: str, reader: Callable[[str], Reader | None], *, encoded_values: bool) -> None:
        self.text, self.reader, self.encoded_values, self.position = text, reader, encoded_values, 0

    def error(self) -> RefusalError:
        return RefusalError(f"Bad request: the filter is not valid at position {self.position}: {self.text!r}")

    def any_of(self, depth: int) -> Choice:
        parts = [self.all_of(depth)]
        while self._skip(","):
            parts.append(self.all_of(depth))
        return _either(parts)

    def all_of(self, depth: int) -> Choice:
        parts = [self.term(depth)]
        while self._skip(";"):
            parts.append(self.term(depth))
        if len(parts) == 1:
            return parts[0]
        return lambda rows: reduce(lambda left, part: part(left), parts, rows)

    def term(self, depth: int) -> Choice:
        if depth > _DEEPEST:
            raise self.error()
        if self._skip("("):
            inner = self.any_of(depth + 1)
            if not self._skip(")"):
                raise self.error()
            return inner
        match = _TERM.match(self.text, self.position)
        if match is None:
            raise self.error()
        read = self.reader(match[1])
        if read is None:
            raise RefusalError(f"Bad request: the attribute {match[1]!r} cannot be used in a filter of this type.")
        self.position = match.end()
        value = self._value()
        return _Comparison(match[1], read, _test(match[2], unquote(value) if self.encoded_values else value))

    def _value(self) -> str:
        """Up to the next character with a meaning; brackets within a value need no escape if paired."""
        taken: list[str] = []
        depth = 0
        while self.position < len(self.text):
            letter = self.text[self.position]
            if letter == "\\" and self.position + 1 < len(self.text):
                self.position += 1
                letter = self.text[self.position]
            elif letter in ";," or (letter == ")" and depth == 0):
                break
            else:
                depth += (letter == "(") - (letter == ")")
            taken.append(letter)
            self.position += 1
        return "".join(taken)

    def _skip(self, mark: str) -> bool:
        if self.text[self.position : self.position + 1] == mark:
            self.position += 1
            return True
        return False


@dataclass(frozen=True)
class _Comparison:
    """A choice by one attribute."""

    name: str
    read: Reader
    test: Test

    def __call__(self, rows: list[Any]) -> list[Any]:
        values = self.read(rows)
        good = set(filter(self.test, set(values)))
        return [row for row, value in zip(rows, values, strict=True) if value in good]

    def __or__(self, other: _Comparison) -> _Comparison:
        return _Comparison(self.name, self.read, lambda value: self.test(value) or other.test(value))


def _either(parts: list[Choice]) -> Choice:
    """Comparisons of one attribute become one, `status==A,status==B`: it is read once."""
    comparisons: dict[str, _Comparison] = {}
    others = []
    for part in parts:
        if not isinstance(part, _Comparison):
            others.append(part)
        elif part.name in comparisons:
            comparisons[part.name] |= part
        else:
            comparisons[part.name] = part
    parts = [*comparisons.values(), *others]

    def chosen(rows: list[Any]) -> list[Any]:
        good = {id(row) for part in parts for row in part(rows)}
        return [row for row in rows if id(row) in good]

    return parts[0] if len(parts) == 1 else chosen


def _test(comparison: str, wanted: str) -> Test:
    if comparison in _ORDERS:
        return _order(_ORDERS[comparison], wanted)
    equal = _equality(wanted)
    return equal if comparison == "==" else lambda value: not equal(value)


def _equality(wanted: str) -> Test:
    lowered = wanted.lower()
    if "*" in lowered:
        return _pattern(lowered)
    found = _UUID_AT_END.search(lowered)
    if found is not None and lowered.startswith(("http", "urn:")):
        # References hold the bare id.
        entity_id = found[0]
        return lambda value: value == entity_id
    return lambda value: value is not None and _lowered(value) == lowered


def _pattern(wanted: str) -> Test:
    """Atomic groups take each part where it comes first and never go back: many stars cost no more than few."""
    first, *middle, last = map(re.escape, wanted.split("*"))
    pattern = first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last
    match = re.compile(pattern, re.DOTALL).fullmatch

    def test(value: Value) -> bool:
        if isinstance(value, str):
            return match(value.lower()) is not None
        return value is not None and match(shown(value).lower()) is not None

    return test


def _lowered(value: str | float) -> str:
    return (value if isinstance(value, str) else shown(value)).lower()


def _order(decide: Callable[[Any, Any], bool], wanted: str) -> Test:
    """Moments and numbers compare as what they are if `wanted` is one too, anything else as text."""
    moment_s, number = _read(_instant, wanted), _read(float, wanted)

    def test(value: Value) -> bool:
        if value is None:
            return False
        pair: tuple[float | None, float | None]
        if isinstance(value, float):
            pair = (value, moment_s)
        elif isinstance(value, int):
            pair = (value, number)
        else:
            pair = _typed(value, wanted)
        return decide(*pair) if None not in pair else decide(_lowered(value), wanted.lower())

    return test


def _typed(value: str, wanted: str) -> tuple[float | None, float | None]:
    """Metadata says its kind, `NUMBER:5`; both sides as numbers where they are of one kind that has an order."""
    kind, _, plain = value.partition(":")
    wanted_kind, _, wanted_plain = wanted.partition(":")
    if kind != wanted_kind.upper() or kind not in _TYPED:
        return None, None
    return _read(_TYPED[kind], plain), _read(_TYPED[kind], wanted_plain)


def _read(read: Callable[[str], float], text: str) -> float | None:
    try:
        return read(text)
    except ValueError:
        return None


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


_TYPED: dict[str, Callable[[str], float]] = {"NUMBER": float, "DATETIME": _instant}
