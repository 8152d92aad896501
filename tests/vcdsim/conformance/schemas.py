"""VMware's official schemas (API up to 30.0), and what of a document they do not allow."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from lxml import etree
from xmlschema import XMLSchema10, XMLSchemaValidationError
from xmlschema.validators import XMLSchemaChildrenValidationError

from tests.vcdsim.conformance.deltas import NEWEST_SCHEMA, is_known_deviation, take_newer_out, unknown_in_record
from tests.vcdsim.conformance.official import Lifetime, Version, number, schemas

_EXTERNAL = "schemas/external"


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


def faults_of(document: bytes, version: Version) -> list[str]:
    """What of a document (answer or request body) does not belong there at this API version, in words; [] is good.

    Above 30.0 the additions known by the tables are taken out first, and the rest has to fit the schemas of 30.0.
    """
    root = etree.fromstring(document)
    if version > NEWEST_SCHEMA:
        take_newer_out(root, version)
    found = list(_unknown_attributes(root, version))
    schema_version = min(version, NEWEST_SCHEMA)

    def check_version(element: Any, xsd: Any) -> Iterator[XMLSchemaValidationError]:
        for words in _out_of_time(element, xsd, schema_version):
            yield XMLSchemaValidationError(xsd, element, words)

    for error in schema_set().iter_errors(cast("Any", root), extra_validator=check_version):
        words = f"{_place(error)}: {error.reason or error.message}"
        if not _is_missing_newer(error, schema_version) and not is_known_deviation(words, version):
            found.append(words)
    return found


def _unknown_attributes(root: etree._Element, version: Version) -> Iterator[str]:
    for record in root.iter("*"):
        name = etree.QName(record).localname
        if name.endswith("Record"):
            for key in sorted(unknown_in_record(name, {str(key) for key in record.attrib}, version)):
                yield f"/{name}/@{key} is not known in {version[0]}.{version[1]}"


def _place(error: XMLSchemaValidationError) -> str:
    """`/VApp/Children/Vm`, without namespaces and numbers."""
    names, element = [], error.elem
    while element is not None:
        names.append(etree.QName(element.tag).localname)
        element = element.getparent() if hasattr(element, "getparent") else None
    return "/" + "/".join(reversed(names))


def _is_missing_newer(error: XMLSchemaValidationError, version: Version) -> bool:
    """Whether all that is wrong is that a required element is missing which this version does not have yet."""
    if not isinstance(error, XMLSchemaChildrenValidationError) or error.invalid_child is not None:
        return False
    expected = list(error.expected or [])
    return bool(expected) and all(lifetime(xsd)[0] > version for xsd in expected)


def _out_of_time(element: Any, xsd: Any, version: Version) -> Iterator[str]:
    """Words for the element itself and for each of its attributes that this version does not know."""
    name = etree.QName(element.tag).localname
    yield from _unless_alive(f"element {name}", lifetime(xsd), version)
    for key in element.attrib:
        attribute = xsd.type.attributes.get(key) if xsd.type.has_complex_content() or xsd.type.attributes else None
        if attribute is not None and getattr(attribute, "annotation", None) is not None:
            yield from _unless_alive(f"attribute {name}/@{key}", _annotated(attribute.annotation), version)


def _unless_alive(what: str, lifetime: Lifetime, version: Version) -> Iterator[str]:
    added, removed = lifetime
    if added > version:
        yield f"{what} is of API {added[0]}.{added[1]}, newer than {version[0]}.{version[1]}"
    if removed is not None and removed <= version:
        yield f"{what} was removed in API {removed[0]}.{removed[1]}"


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
