"""VMware's official schemas (API up to 30.0), and what of a document they do not allow."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from lxml import etree
from xmlschema import XMLSchema10, XMLSchemaValidationError
from xmlschema.validators import XMLSchemaChildrenValidationError

from tests.vcdsim.conformance.deltas import NEWEST_SCHEMA, is_known_deviation, take_newer_out, unknown_in_record
from tests.vcdsim.conformance.official import Lifetime, Version, number, schemas

_EXTERNAL = "schemas/external"
_IDS_AND_MOMENTS = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
)


@cache
def schema_set() -> XMLSchema10:
    """All schemas, loaded once per process (about 2 s); addresses on the Internet are mapped to the local copies."""
    external = schemas() / _EXTERNAL
    local = {
        entry.get("systemId", ""): (external / entry.get("uri", "")).as_uri()
        for entry in ET.parse(external / "catalog.xml").getroot()
    }
    return XMLSchema10(
        str(schemas() / "1.5/schemas/master/master.xsd"),
        locations=[
            ("http://www.vmware.com/vcloud/extension/v1.5", str(schemas() / "1.5/schemas/extension/vmwextensions.xsd")),
            ("http://www.vmware.com/vcloud/versions", str(schemas() / "schemas/versioning/versions.xsd")),
        ],
        uri_mapper=lambda address: local.get(address, address),
        allow="local",
    )


@dataclass(frozen=True)
class Judgement:
    """What the schemas say of a document, whatever the version: what is wrong, and since when its names are known.

    `faults` are words with the elements that are missing, by the version that brought each; `dated` is each name with
    a version in its note, by the place where it was seen first.
    """

    faults: list[tuple[str, tuple[Version, ...]]]
    dated: dict[tuple[str, Lifetime], str]

    def at(self, version: Version) -> Iterator[str]:
        """The faults at this version, in words.

        It is none that a required element is missing which this version does not have yet.
        """
        for words, missing in self.faults:
            if not missing or any(added <= version for added in missing):
                yield words
        for (what, life), place in self.dated.items():
            for words in _unless_alive(what, life, version):
                yield f"{place}: {words}"


def faults_of(document: bytes, version: Version) -> list[str]:
    """What of a document (answer or request body) does not belong there at this API version, in words; [] is good.

    Above 30.0 the additions known by the tables are taken out first, and the rest has to fit the schemas of 30.0.
    """
    root = etree.fromstring(document)
    if version > NEWEST_SCHEMA:
        take_newer_out(root, version)
    found = list(_unknown_attributes(root, version))
    words = _judged(root).at(min(version, NEWEST_SCHEMA))
    return found + [one for one in words if not is_known_deviation(one, version)]


def _judged(root: etree._Element) -> Judgement:
    """The judgement, made once for all documents of a process that differ in nothing but ids and moments."""
    shape = _IDS_AND_MOMENTS.sub(b"*", etree.tostring(root))
    known = _judgements.get(shape)
    if known is None:
        known = _judgements[shape] = _judge(root)
    return known


def _judge(root: etree._Element) -> Judgement:
    judgement = Judgement([], {})

    def note_names(element: Any, xsd: Any) -> Iterator[XMLSchemaValidationError]:
        for one in _dated(element, xsd):
            if one not in judgement.dated:
                judgement.dated[one] = _place(element)
        return iter(())

    for error in schema_set().iter_errors(cast("Any", root), extra_validator=note_names):
        words = f"{_place(error.elem)}: {error.reason or error.message}"
        judgement.faults.append((words, tuple(_missing(error))))
    return judgement


def _unknown_attributes(root: etree._Element, version: Version) -> Iterator[str]:
    for record in root.iter("*"):
        name = etree.QName(record).localname
        if name.endswith("Record"):
            for key in sorted(unknown_in_record(name, {str(key) for key in record.attrib}, version)):
                yield f"/{name}/@{key} is not known in {version[0]}.{version[1]}"


def _place(element: Any) -> str:
    """`/VApp/Children/Vm`, without namespaces and numbers."""
    names = []
    while element is not None:
        names.append(etree.QName(element.tag).localname)
        element = element.getparent() if hasattr(element, "getparent") else None
    return "/" + "/".join(reversed(names))


def _missing(error: XMLSchemaValidationError) -> Iterator[Version]:
    """The version of each element that could stand there, if all that is wrong is that one is missing."""
    if isinstance(error, XMLSchemaChildrenValidationError) and error.invalid_child is None:
        for xsd in error.expected or []:
            yield lifetime(xsd)[0]


def _dated(element: Any, xsd: Any) -> Iterator[tuple[str, Lifetime]]:
    """The element itself and each of its attributes, with what the schemas note of their versions."""
    name = etree.QName(element.tag).localname
    yield f"element {name}", lifetime(xsd)
    for key in element.attrib:
        attribute = xsd.type.attributes.get(key) if xsd.type.has_complex_content() or xsd.type.attributes else None
        if attribute is not None and getattr(attribute, "annotation", None) is not None:
            yield f"attribute {name}/@{key}", _annotated(attribute.annotation)


def _unless_alive(what: str, lifetime: Lifetime, version: Version) -> Iterator[str]:
    added, removed = lifetime
    if added > version:
        yield f"{what} is of API {added[0]}.{added[1]}, newer than {version[0]}.{version[1]}"
    if removed is not None and removed <= version:
        yield f"{what} was removed in API {removed[0]}.{removed[1]}"


_judgements: dict[bytes, Judgement] = {}
_lifetimes: dict[int, Lifetime] = {}


def lifetime(xsd: Any) -> Lifetime:
    """(added in, removed in) of an element of the schemas: its own note and that of its type."""
    known = _lifetimes.get(id(xsd))
    if known is None:
        notes = [xsd.annotation, getattr(xsd.type, "annotation", None), getattr(xsd.ref, "annotation", None)]
        all_of_them = [_annotated(note) for note in notes if note is not None]
        added = max((one[0] for one in all_of_them), default=(0, 0))
        removed = min((one[1] for one in all_of_them if one[1] is not None), default=None)
        known = _lifetimes[id(xsd)] = (added, removed)
    return known


def _annotated(annotation: Any) -> Lifetime:
    added: Version = (0, 0)
    removed: Version | None = None
    for note in annotation.appinfo:
        for mark in note:
            if "added-in" in mark.attrib:
                added = number(mark.get("added-in"))
            if "removed-in" in mark.attrib:
                removed = number(mark.get("removed-in"))
    return added, removed
