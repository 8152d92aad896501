"""What vCloud's refusals mean: the rule book in `explanations.toml`."""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

BOOK = Path(__file__).parent / "explanations.toml"
LANGUAGES = ("en", "ru")


class Helper(StrEnum):
    """Who can help."""

    WAIT = "wait"
    YOU = "you"
    PROVIDER = "provider"


class BookError(ValueError):
    """The rule book is not as it must be; says which rule and why."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A refusal in plain words, in one language."""

    cause: str
    next_step: str
    helper: Helper


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One entry of the book. A code must be equal, a pattern must be found; where both are given, both."""

    code: str | None
    pattern: re.Pattern[str] | None
    helper: Helper
    words: dict[str, dict[str, str]]  # language -> "cause", "next"

    def match(self, minor_code: str | None, message: str) -> dict[str, str] | None:
        """The named parts of the message if the rule fits, else None."""
        if self.code is not None and self.code != minor_code:
            return None
        if self.pattern is None:
            return {}
        found = self.pattern.search(message)
        return found.groupdict(default="") if found else None


@lru_cache(maxsize=1024)  # the same few refusals stand on page after page
def explain(minor_code: str | None, message: str, *, language: str) -> Explanation | None:
    """What a refusal means, None if no rule knows it. `language` is one of `LANGUAGES`."""
    for rule in book():
        parts = rule.match(minor_code, message)
        if parts is not None:
            words = rule.words[language]
            return Explanation(
                cause=words["cause"].format_map(parts), next_step=words["next"].format_map(parts), helper=rule.helper
            )
    return None


@cache
def book() -> tuple[Rule, ...]:
    """The rules in their order, read once. Raises BookError for a rule that could not explain anything."""
    with BOOK.open("rb") as source:
        entries = tomllib.load(source)["rule"]
    return tuple(_rule(number, entry) for number, entry in enumerate(entries, start=1))


def _rule(number: int, entry: dict[str, Any]) -> Rule:
    if unknown := set(entry) - {"code", "text", "who", *LANGUAGES}:
        raise BookError(f"explanations.toml, rule {number}: unknown: {', '.join(sorted(unknown))}")
    if not entry.keys() & {"code", "text"}:
        raise BookError(f"explanations.toml, rule {number}: neither code nor text")
    try:
        pattern = re.compile(entry["text"], re.IGNORECASE | re.DOTALL) if "text" in entry else None
        words = {language: {part: entry[language][part] for part in ("cause", "next")} for language in LANGUAGES}
        for sentence in (sentence for parts in words.values() for sentence in parts.values()):
            sentence.format_map(dict.fromkeys(pattern.groupindex if pattern else (), ""))
        return Rule(code=entry.get("code"), pattern=pattern, helper=Helper(entry["who"]), words=words)
    except (KeyError, ValueError, re.error) as error:
        raise BookError(f"explanations.toml, rule {number}: {error}") from error
