"""The filter language of the query service: text to a predicate over rows.

`==` (any case, `*` stands for anything), `!=`, `=lt=`, `=le=`, `=gt=`, `=ge=`; `;` is AND and
binds tighter than `,`, which is OR; parentheses group; a backslash takes the meaning from the
character after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote

from vcdsim.refusals import RefusalError

Value = str | int | bool | None
Getter = Callable[[Any], Value]
Predicate = Callable[[Any], bool]
Comparable = TypeVar("Comparable", str, float)

_TERM = re.compile(r"\s*([A-Za-z][\w:.@-]*)\s*(==|!=|=lt=|=le=|=gt=|=ge=)")
_UUID_AT_END = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_ORDERS: dict[str, Callable[[int], bool]] = {
    "=lt=": lambda sign: sign < 0,
    "=le=": lambda sign: sign <= 0,
    "=gt=": lambda sign: sign > 0,
    "=ge=": lambda sign: sign >= 0,
}
_DEEPEST = 20


def parse(text: str, getter: Callable[[str], Getter | None], *, encoded_values: bool) -> Predicate:
    """The predicate for a filter; `getter` gives what reads an attribute of a row, None if unknown.

    `encoded_values` is `filterEncoded=true` below 35.0: each value was url-encoded once more.
    """
    parser = _Parser(text, getter, encoded_values=encoded_values)
    predicate = parser.any_of(0)
    if parser.position != len(text):
        raise parser.error()
    return predicate


class _Parser:
    def __init__(self, text: str, getter: Callable[[str], Getter | None], *, encoded_values: bool) -> None:
        self.text, self.getter, self.encoded_values, self.position = text, getter, encoded_values, 0

    def error(self) -> RefusalError:
        return RefusalError(f"Bad request: the filter is not valid at position {self.position}: {self.text!r}")

    def any_of(self, depth: int) -> Predicate:
        parts = [self.all_of(depth)]
        while self._skip(","):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def all_of(self, depth: int) -> Predicate:
        parts = [self.term(depth)]
        while self._skip(";"):
            parts.append(self.term(depth))
        if len(parts) == 2:
            first, second = parts
            return lambda row: first(row) and second(row)
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def term(self, depth: int) -> Predicate:
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
        get = self.getter(match[1])
        if get is None:
            raise RefusalError(f"Bad request: the attribute {match[1]!r} cannot be used in a filter of this type.")
        self.position = match.end()
        value = self._value()
        return _comparison(get, match[2], unquote(value) if self.encoded_values else value)

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


def _comparison(get: Getter, operator: str, wanted: str) -> Predicate:
    if operator == "==":
        return _equality(get, wanted)
    if operator == "!=":
        equal = _equality(get, wanted)
        return lambda row: not equal(row)
    decide = _ORDERS[operator]

    def compare(row: Any) -> bool:
        sign = _sign(get(row), wanted)
        return sign is not None and decide(sign)

    return compare


def _equality(get: Getter, wanted: str) -> Predicate:
    lowered = wanted.lower()
    if "*" in lowered:
        parts = lowered.split("*")
        return lambda row: (value := get(row)) is not None and _fits(_text(value), parts)
    if lowered in ("true", "false"):
        truth = lowered == "true"
        return lambda row: (value := get(row)) is truth or (isinstance(value, str) and value.lower() == lowered)
    found = _UUID_AT_END.search(lowered)
    if found is not None and lowered.startswith(("http", "urn:")):
        # References hold the bare id.
        entity_id = found[0]
        return lambda row: get(row) == entity_id
    return lambda row: (value := get(row)) == wanted or (value is not None and _text(value) == lowered)


def _fits(text: str, parts: list[str]) -> bool:
    """True if the parts stand in the text in their order, the first and last at its ends."""
    first, *middle, last = parts
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _text(value: str | int) -> str:
    return value.lower() if isinstance(value, str) else str(value).lower()


def _sign(value: Value, wanted: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            value, wanted = _untyped(value, wanted)
        if isinstance(value, str):
            return _order(_instant(value), _instant(wanted))
        return _order(float(value), float(wanted))
    except ValueError:
        return _order(_text(value), wanted.lower())


def _untyped(value: str, wanted: str) -> tuple[str | int, str]:
    """Metadata says its kind, `NUMBER:5`; numbers of one kind compare as numbers."""
    kind, colon, plain = value.partition(":")
    wanted_kind, _, wanted_plain = wanted.partition(":")
    if colon and kind.isupper() and kind == wanted_kind.upper():
        return (int(plain), wanted_plain) if kind == "NUMBER" else (plain, wanted_plain)
    return value, wanted


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _order(left: Comparable, right: Comparable) -> int:
    return (left > right) - (left < right)
