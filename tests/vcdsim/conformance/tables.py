"""The simulator's tables of elements beside VMware's schemas: what each type may hold, in which order, since when."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xmlschema.validators import XsdAnyElement, XsdGroup

from tests.vcdsim.conformance.deltas import MOVED_ELEMENTS, NEW_ELEMENTS, NEWEST_SCHEMA, OLD_ELEMENTS
from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.schemas import lifetime, schema_set
from vcdsim.api import schema, schema_types, xml

#: Known to every type, and passed over by the simulator wherever it stands.
_EXTENSION = {xml.tag("VCloudExtension")}
_NEVER: Version = (1000, 0)


@dataclass(frozen=True)
class Place:
    """One place of a sequence: the tags that may stand there (none: anything else), and how often."""

    tags: frozenset[str]
    is_required: bool
    is_repeated: bool

    @property
    def name(self) -> str:
        """Its tags without namespaces."""
        return "|".join(sorted(tag.rpartition("}")[2] for tag in self.tags)) or "%any"

    def __str__(self) -> str:
        return self.name + {(True, False): "", (True, True): "+", (False, False): "?"}.get(
            (self.is_required, self.is_repeated), "*"
        )


def bodies() -> set[str]:
    """Tags of all request bodies, as the simulator's handlers ask for them."""
    sources = (path.read_text() for path in Path(schema.__file__).parent.glob("*.py"))
    return {xml.tag(name) for source in sources for name in re.findall(r'ctx\.parse\("([\w:]+)"\)', source)}


def pairs(version: Version) -> Iterator[tuple[str, Any]]:
    """(type of the tables, complex type of the schemas) that a body of the version can hold, each once."""
    version = min(version, NEWEST_SCHEMA)
    elements = schema_set().maps.elements
    waiting = [(tag.rpartition("}")[2], elements[tag].type) for tag in sorted(bodies())]
    seen = set()
    while waiting:
        name, xsd = waiting.pop()
        if (name, id(xsd)) in seen or name not in schema_types.TYPES:
            continue
        seen.add((name, id(xsd)))
        if xsd.abstract:
            waiting += [(name, one) for one in schema_set().maps.types.values() if one.base_type is xsd]
            continue
        yield name, xsd
        children = {tag: one for element in _all_elements(xsd) for tag, one in _members(element, version)}
        for particle in schema.type_named(name).particles:
            if particle.since <= version < particle.until:
                waiting += [(kind, children[tag].type) for tag, kind in particle.types.items() if tag in children]


def difference(name: str, xsd: Any, version: Version) -> str:
    """What the tables say otherwise than the schemas do, in words; "" if nothing."""
    schema_version = min(version, NEWEST_SCHEMA)
    theirs = list(_places(xsd.content, schema_version)) if xsd.has_complex_content() else []
    theirs = [one for one in theirs if version < OLD_ELEMENTS.get((name, one.name), _NEVER)]
    ours = [
        Place(frozenset(one.types), one.is_required, one.is_repeated)
        for one in schema.type_named(name).particles
        if one.since <= version < one.until
    ]
    newer = {key for (parent, key), since in NEW_ELEMENTS.items() if parent == name and since <= version}
    newer |= {key for (parent, key), when in MOVED_ELEMENTS.items() if parent == name and version in when}
    missing = newer - {one.name for one in ours}
    ours = [one for one in ours if one.name not in newer]
    if missing or ours != theirs:
        return f"{name} has {' '.join(map(str, ours))} and lacks {missing}; the schema: {' '.join(map(str, theirs))}"
    return ""


def _places(group: Any, version: Version, *, is_optional: bool = False) -> Iterator[Place]:
    is_optional = is_optional or group.min_occurs == 0
    if group.model == "choice":
        tags = _tags(group.iter_elements(), version)
        if tags:
            yield Place(tags, not is_optional and all(one.min_occurs for one in group), group.max_occurs != 1)
        return
    for one in group:
        if isinstance(one, XsdGroup):
            yield from _places(one, version, is_optional=is_optional)
        elif isinstance(one, XsdAnyElement) or _tags([one], version) - _EXTENSION:
            yield Place(_tags([one], version), one.min_occurs > 0 and not is_optional, one.max_occurs != 1)


def _tags(elements: Iterable[Any], version: Version) -> frozenset[str]:
    """What of these may stand there at the version; nothing for "anything else"."""
    known = [one for one in elements if not isinstance(one, XsdAnyElement)]
    return frozenset(tag for element in known for tag, _ in _members(element, version))


def _members(element: Any, version: Version) -> Iterator[tuple[str, Any]]:
    """The element, or those that may take its place if it is only a name for them."""
    substitutes = schema_set().maps.substitution_groups.get(element.name, ())
    for one in substitutes or (element,):
        added, removed = lifetime(one)
        if added <= version and (removed is None or version < removed):
            yield one.name, one


def _all_elements(xsd: Any) -> list[Any]:
    elements = xsd.content.iter_elements() if xsd.has_complex_content() else ()
    return [one for one in elements if not isinstance(one, XsdAnyElement)]
