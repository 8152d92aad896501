"""The filter language of the query service: text to a predicate over named attributes.

`==` (any case, `*` stands for anything), `!=`, `=lt=`, `=le=`, `=gt=`, `=ge=`; `;` is AND and
binds tighter than `,`, which is OR; parentheses group; a backslash takes the meaning from the
character after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from vcdsim.refusals import Refusal

Value = str | int | bool | None
Predicate = Callable[[Callable[[str], Value]], bool]

_TERM = re.compile(r"\s*([A-Za-z][\w:.]*)\s*(==|!=|=lt=|=le=|=gt=|=ge=)")
_UUID_AT_END = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_ORDERS: dict[str, Callable[[int], bool]] = {
    "=lt=": lambda sign: sign < 0,
    "=le=": lambda sign: sign <= 0,
    "=gt=": lambda sign: sign > 0,
    "=ge=": lambda sign: sign >= 0,
}


def parse(text: str, known: Callable[[str], bool], *, encoded_values: bool) -> Predicate:
    """The predicate for a filter; `known` says which attributes exist.

    `encoded_values` is `filterEncoded=true` below 35.0: each value was url-encoded once more.
    """
    parser = _Parser(text, known, encoded_values)
    predicate = parser.any_of()
    if parser.position != len(text):
        raise parser.error()
    return predicate


class _Parser:
    def __init__(self, text: str, known: Callable[[str], bool], encoded_values: bool) -> None:
        self.text, self.known, self.encoded_values, self.position = text, known, encoded_values, 0

    def error(self) -> Refusal:
        return Refusal(f"Bad request: the filter is not valid at position {self.position}: {self.text!r}")

    def any_of(self) -> Predicate:
        parts = [self.all_of()]
        while self._skip(","):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def all_of(self) -> Predicate:
        parts = [self.term()]
        while self._skip(";"):
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def term(self) -> Predicate:
        if self._skip("("):
            inner = self.any_of()
            if not self._skip(")"):
                raise self.error()
            return inner
        match = _TERM.match(self.text, self.position)
        if match is None:
            raise self.error()
        name, operator = match[1], match[2]
        if not self.known(name):
            raise Refusal(f"Bad request: the attribute {name!r} cannot be used in a filter of this type.")
        self.position = match.end()
        value = self._value()
        return _comparison(name, operator, unquote(value) if self.encoded_values else value)

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


def _comparison(name: str, operator: str, wanted: str) -> Predicate:
    if operator in ("==", "!="):
        matches = _matcher(wanted)
        if operator == "==":
            return lambda row: matches(row(name))
        return lambda row: not matches(row(name))
    decide = _ORDERS[operator]

    def compare(row: Callable[[str], Value]) -> bool:
        sign = _sign(row(name), wanted)
        return sign is not None and decide(sign)

    return compare


def _matcher(wanted: str) -> Callable[[Value], bool]:
    lowered = wanted.lower()
    if "*" in lowered:
        pattern = re.compile(".*".join(re.escape(part) for part in lowered.split("*")), re.DOTALL)
        return lambda value: value is not None and pattern.fullmatch(_text(value)) is not None
    found = _UUID_AT_END.search(lowered)
    if found is not None and lowered != found[0]:
        # An href or a urn: attributes of that kind hold the bare id.
        entity_id = found[0]
        return lambda value: value == entity_id or (value is not None and _text(value) == lowered)
    return lambda value: value is not None and _text(value) == lowered


def _text(value: str | int | bool) -> str:
    return str(value).lower()


def _sign(value: Value, wanted: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _order(_instant(value), _instant(wanted))
        return _order(int(value), float(wanted))
    except ValueError:
        return _order(_text(value), wanted.lower())


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _order(left: Any, right: Any) -> int:
    return (left > right) - (left < right)
