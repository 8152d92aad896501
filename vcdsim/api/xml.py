"""XML in the shapes vCloud uses: namespaces, writing elements, reading request bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from vcdsim.api.version import Version
from vcdsim.refusals import RefusalError

VCLOUD = "http://www.vmware.com/vcloud/v1.5"
OVF = "http://schemas.dmtf.org/ovf/envelope/1"
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
VMW = "http://www.vmware.com/schema/ovf"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VERSIONS = "http://www.vmware.com/vcloud/versions"

OVFENV = "http://schemas.dmtf.org/ovf/environment/1"
_PREFIXES = {"ovf": OVF, "ovfenv": OVFENV, "rasd": RASD, "vssd": VSSD, "vmw": VMW, "xsi": XSI, "vcloud": VCLOUD}
#: The root of an answer carries them all since 9.0; older answers only the first and xsi.
_NEW_ROOT = {
    None: VCLOUD,
    "ovf": OVF,
    "vssd": VSSD,
    "common": "http://schemas.dmtf.org/wbem/wscim/1/common",
    "rasd": RASD,
    "vmw": VMW,
    "ovfenv": OVFENV,
    "vmext": "http://www.vmware.com/vcloud/extension/v1.5",
    "ns9": VERSIONS,
}
_OLD_ROOT = {None: VCLOUD, "ovf": OVF, "vssd": VSSD, "rasd": RASD, "vmw": VMW, "xsi": XSI}
#: Sections of the OVF namespace declare vCloud's a second time, for their attributes.
_SECTION = {"ns10": VCLOUD}
MOST_BODY_BYTES = 4 * 2**20

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_names: dict[str, str] = {}


def tag(name: str) -> str:
    """`ovf:Info` or `Link` (vCloud's own namespace) as lxml wants it."""
    known = _names.get(name)
    if known is None:
        prefix, colon, local = name.rpartition(":")
        known = _names[name] = f"{{{_PREFIXES[prefix] if colon else VCLOUD}}}{local}"
    return known


def attribute(name: str) -> str:
    """Attributes have no namespace unless they carry a prefix."""
    return tag(name) if ":" in name else name


def root(name: str, version: Version, attributes: Mapping[str, str] | None = None) -> etree._Element:
    """The root of an answer, with the namespaces of its API version."""
    element = etree.Element(tag(name), nsmap=_NEW_ROOT if version >= (9, 0) else _OLD_ROOT)
    if version < (9, 0):
        element.set(tag("xsi:schemaLocation"), f"{VCLOUD} http://vcdsim/api/v1.5/schema/master.xsd")
    _set(element, attributes)
    return element


def element_in(
    parent: etree._Element | None, name: str, version: Version, attributes: Mapping[str, str] | None = None
) -> etree._Element:
    """A child of `parent`, or the root of an answer when there is no parent."""
    return root(name, version, attributes) if parent is None else sub(parent, name, None, attributes)


def sub(
    parent: etree._Element,
    name: str,
    text: str | int | None = None,
    attributes: Mapping[str, str] | None = None,
) -> etree._Element:
    """Append a child; booleans are written as xs:boolean, None leaves the element empty."""
    element = etree.SubElement(parent, tag(name))
    if text is not None:
        shown = flag(text) if isinstance(text, bool) else str(text)
        try:
            element.text = shown
        except ValueError:
            element.text = _cleaned(shown)
    _set(element, attributes)
    return element


def ovf_section(
    version: Version, parent: etree._Element | None, name: str, href: str, media_type: str
) -> etree._Element:
    """A section of the OVF namespace, whose href and type are prefixed; a child or a root."""
    section = root(name, version) if parent is None else etree.SubElement(parent, tag(name), nsmap=_SECTION)
    section.set(tag("vcloud:href"), href)
    section.set(tag("vcloud:type"), media_type)
    return section


def flag(value: int) -> str:
    """xs:boolean."""
    return "true" if value else "false"


def serialise(element: etree._Element, version: Version) -> bytes:
    """Bytes with the declaration of the version."""
    head = '<?xml version="1.0" encoding="UTF-8"' + (' standalone="yes"?>' if version >= (9, 0) else "?>") + "\n"
    return head.encode() + etree.tostring(element, encoding="UTF-8", xml_declaration=False)


def parser() -> etree.XMLParser:
    """A parser without entities, network, DTDs and very large documents."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def parse(body: bytes, expected: str) -> etree._Element:
    """The root of a request body, named `expected`; anything else is a 400."""
    if len(body) > MOST_BODY_BYTES:
        raise bad_body("The request body is too large.")
    try:
        element = etree.fromstring(body, parser())
    except etree.XMLSyntaxError as error:
        raise bad_body(f"Content is not well-formed XML (line {error.lineno or 1}).") from None
    if element.getroottree().docinfo.doctype:
        raise bad_body("A document type declaration is not allowed.")
    if element.tag != tag(expected):
        raise bad_body(f"cvc-elt.1: Cannot find the declaration of element '{local_name(element)}'.")
    return element


def bad_body(detail: str) -> RefusalError:
    """The 400 of a body that does not fit the schema."""
    return RefusalError(f"Bad request - Unexpected JAXB Exception - {detail}")


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    return etree.QName(element).localname


def child(parent: etree._Element, name: str) -> etree._Element | None:
    """The first child of that name."""
    return parent.find(tag(name))


def children(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """All children of that name."""
    return parent.iterchildren(tag(name))


def value(parent: etree._Element, name: str) -> str | None:
    """Text of the first child of that name, None when there is none."""
    found = parent.find(tag(name))
    return None if found is None else (found.text or "").strip()


def integer(parent: etree._Element, name: str) -> int | None:
    """Whole number in the first child of that name."""
    return number(value(parent, name), name)


def number(text: str | None, name: str) -> int | None:
    """A whole number; a fraction of .0 as some clients write it is fine."""
    if text is None or text == "":
        return None
    try:
        return int(float(text)) if "." in text else int(text)
    except (ValueError, OverflowError):
        raise bad_body(f"cvc-datatype-valid.1.2.1: '{text}' is not a valid value for '{name}'.") from None


def boolean(text: str | None) -> bool | None:
    """xs:boolean of an attribute or a text."""
    if text is None:
        return None
    if text.strip() not in ("true", "false", "1", "0"):
        raise bad_body(f"cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'boolean'.")
    return text.strip() in ("true", "1")


def yes(parent: etree._Element, name: str, *, default: bool = False) -> bool:
    """Boolean in the first child of that name."""
    found = boolean(value(parent, name))
    return default if found is None else found


def _set(element: etree._Element, attributes: Mapping[str, str] | None) -> None:
    if attributes:
        for key, text in attributes.items():
            try:
                element.set(attribute(key), text)
            except ValueError:
                element.set(attribute(key), _cleaned(text))


def _cleaned(text: str) -> str:
    """Without what XML cannot hold: a header or an address of a request may carry it into an answer."""
    return _NOT_XML.sub("?", text)
