"""Checks request bodies against the order of elements of their API version, as vCD's JAXB does.

The types stand in `schema_types` as lines of particles: `Name`, then `?`, `*`, `+` or nothing
(exactly one), then `@5.6` (since) and `<31.0` (removed in). `A|B` is a choice, `Name=Type` names
the type of an element that is not called like it, `%any` is anything of a namespace that the type
does not use, and a leading `.name` is a required attribute.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from lxml import etree

from vcdsim.api import xml
from vcdsim.api.schema_types import TYPES
from vcdsim.api.version import Version
from vcdsim.refusals import RefusalError

_PARTICLE = re.compile(r"(?P<names>[^?*+@<]+)(?P<card>[?*+]?)(?:@(?P<since>[\d.]+))?(?:<(?P<until>[\d.]+))?$")
_ALWAYS: Version = (0, 0)
_NEVER: Version = (1000, 0)


@dataclass(frozen=True)
class Particle:
    """One place of a sequence: tags (with their types) that may stand there, and how often."""

    types: dict[str, str]
    is_required: bool
    is_repeated: bool
    since: Version
    until: Version
    #: For `%any`: the namespaces that are not "any other".
    not_any: frozenset[str] | None = None

    def fits(self, element: etree._Element) -> bool:
        """True if the element may stand here."""
        if self.not_any is not None:
            return etree.QName(element).namespace not in self.not_any
        return element.tag in self.types


@dataclass(frozen=True)
class Type:
    """A complex type: its sequence and its required attributes."""

    particles: tuple[Particle, ...]
    attributes: tuple[str, ...]


def check(element: etree._Element, version: Version, type_name: str | None = None) -> None:
    """Refuse the element when its content is unknown to the version, out of order or incomplete."""
    name = type_name or xml.local_name(element)
    if name not in TYPES:
        return
    kind = type_named(name)
    for attribute in kind.attributes:
        if element.get(attribute) is None:
            raise xml.bad_body(
                f"cvc-complex-type.4: Attribute '{attribute}' must appear on element '{xml.local_name(element)}'."
            )
    particles = [one for one in kind.particles if one.since <= version < one.until]
    _check_sequence(element, particles, version)


def _check_sequence(element: etree._Element, particles: list[Particle], version: Version) -> None:
    place, is_taken = 0, False
    for child in element:
        if not isinstance(child.tag, str) or xml.local_name(child) == "VCloudExtension":
            continue
        found = _place_of(child, particles, place, is_taken=is_taken)
        if found is None:
            raise _unexpected(child, _expected(particles, place, is_taken=is_taken))
        place, is_taken = found, True
        check(child, version, particles[place].types.get(child.tag, ""))
    if missing := [one for one in _unmet(particles, place, is_taken=is_taken) if one.is_required]:
        raise xml.bad_body(
            f"cvc-complex-type.2.4.b: The content of element '{xml.local_name(element)}' is not complete. "
            f"One of '{{{_names(missing[:1])}}}' is expected."
        )


def _place_of(child: etree._Element, particles: list[Particle], place: int, *, is_taken: bool) -> int | None:
    """Where the child may stand, None when nowhere without passing over something required."""
    for number in range(place, len(particles)):
        one = particles[number]
        is_used = is_taken and number == place
        if one.fits(child) and (one.is_repeated or not is_used):
            return number
        if one.is_required and not is_used:
            return None
    return None


def _unmet(particles: list[Particle], place: int, *, is_taken: bool) -> list[Particle]:
    return particles[place + 1 if is_taken else place :]


def _expected(particles: list[Particle], place: int, *, is_taken: bool) -> list[Particle]:
    here = particles[place : place + 1] if is_taken and particles[place].is_repeated else []
    expected = list(here)
    for one in _unmet(particles, place, is_taken=is_taken):
        expected.append(one)
        if one.is_required:
            break
    return expected


def _unexpected(child: etree._Element, expected: list[Particle]) -> RefusalError:
    start = f"Invalid content was found starting with element '{xml.local_name(child)}'."
    names = _names(expected)
    if not names:
        return xml.bad_body(f"cvc-complex-type.2.4.d: {start} No child element is expected at this point.")
    return xml.bad_body(f"cvc-complex-type.2.4.a: {start} One of '{{{names}}}' is expected.")


def _names(particles: list[Particle]) -> str:
    names = [etree.QName(tag) for one in particles for tag in one.types]
    return ", ".join(f'"{one.namespace}":{one.localname}' for one in names)


@functools.cache
def type_named(name: str) -> Type:
    """The complex type of the tables, with the places of all versions."""
    words = TYPES[name].split()
    attributes = tuple(word[1:] for word in words if word.startswith("."))
    particles = [_particle(word) for word in words if not word.startswith(".")]
    own = frozenset(str(etree.QName(tag).namespace) for one in particles for tag in one.types)
    return Type(tuple(one if one.types else replace(one, not_any=own) for one in particles), attributes)


def _particle(word: str) -> Particle:
    match = _PARTICLE.match(word)
    assert match is not None, word  # noqa: S101  the table is ours
    types: dict[str, str] = {}
    for name in match["names"].split("|"):
        if name != "%any":
            plain, _, type_name = name.partition("=")
            types[xml.tag(plain)] = type_name or plain.rpartition(":")[2]
    return Particle(
        types=types,
        is_required=match["card"] in ("", "+"),
        is_repeated=match["card"] in ("*", "+"),
        since=_version(match["since"], _ALWAYS),
        until=_version(match["until"], _NEVER),
    )


def _version(text: str | None, default: Version) -> Version:
    if text is None:
        return default
    major, _, minor = text.partition(".")
    return int(major), int(minor)
