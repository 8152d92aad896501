"""XML and a little JSON, read safely; by namespace, never by prefix, for prefixes differ between versions of vCloud."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from lxml import etree

from app.vcloud.ids import urn_from_href, urn_from_text

VCLOUD = "http://www.vmware.com/vcloud/v1.5"
VERSIONS = "http://www.vmware.com/vcloud/versions"
OVF = "http://schemas.dmtf.org/ovf/envelope/1"
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
VMW = "http://www.vmware.com/schema/ovf"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

# The largest honest answer is a vApp of 128 VMs: 46 KB and about 700 tags each at 9.0, so 6 MB and 90,000 tags. A tree
# costs memory by its tags rather than by its bytes; 400,000 of the cheapest kind stay below 100 MB.
BODY_LIMIT_BYTES = 8 * 1024 * 1024
TAG_LIMIT = 400_000
_TAG_BYTES = 4  # of the shortest, `<a/>`: shorter documents need no counting

_FORGIVEN = {etree.ErrorTypes.WAR_NS_URI, etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE}
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")

Element = etree._Element  # noqa: SLF001 -- lxml gives its element class no public name


class MalformedError(Exception):
    """The answer is not the document we asked for. Turned into `Unavailable` at the edge of the package."""


def parse(body: bytes, *tags: str) -> Element:
    """Return the root element, which must be one of `tags` (names in the vCloud namespace, or `{namespace}name`).

    Refuses any DOCTYPE, entities, files, addresses and documents beyond the limits above. The encoding is UTF-8
    whatever the document says: vCloud sends nothing else, and others only help to smuggle. White space before the
    document does no harm; some gateways put it there.
    """
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise MalformedError("the answer is empty")
    if len(body) > BODY_LIMIT_BYTES or (len(body) > _TAG_BYTES * TAG_LIMIT and body.count(b"<") > TAG_LIMIT):
        raise MalformedError("the answer is too large")
    root = _tree(body)
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedError("the answer carries a DOCTYPE")
    if root.tag not in {tag if tag.startswith("{") else f"{{{VCLOUD}}}{tag}" for tag in tags}:
        raise MalformedError(f"expected {' or '.join(tags)}, got {str(root.tag)[:80]}")
    return root


def _tree(body: bytes) -> Element:
    """Return the root. A second, forgiving look is taken when all the first one complained of are names of namespaces:
    one that is no address (recorded with a space), or the prefix of an attribute that nobody declared (a VM cut out of
    its vApp). Elements of no known namespace are not forgiven, for what they say would be missed.
    """
    strict = _parser(recover=False)
    try:
        return etree.fromstring(body, strict)
    except (etree.LxmlError, ValueError, LookupError) as error:
        complaints = {entry.type for entry in strict.error_log}
        if not complaints or not complaints <= _FORGIVEN:
            raise MalformedError(f"the answer is not XML: {error}"[:200]) from None
    root = etree.fromstring(body, _parser(recover=True))
    if any(":" in str(element.tag).rpartition("}")[2] for element in root.iter()):
        raise MalformedError("the answer has elements of an undeclared namespace")
    return root


def _parser(*, recover: bool) -> etree.XMLParser[Element]:
    return etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
    )


def local_name(name: str) -> str:
    """Return the name of an attribute without its namespace or the prefix nobody declared."""
    return name.rpartition("}")[2].rpartition(":")[2]


def json_object(body: bytes) -> dict[str, object]:
    """Return a JSON object of the younger API."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the answer is not JSON: {error}"[:200]) from None
    if not isinstance(said, dict):
        raise MalformedError("the answer is JSON, but no object")
    return said


def child(parent: Element, *names: str, namespace: str = VCLOUD) -> Element | None:
    """Return the first descendant along the path of names, or None."""
    found: Element | None = parent
    for name in names:
        if found is None:
            return None
        found = found.find(f"{{{namespace}}}{name}")
    return found


def children(parent: Element | None, name: str, namespace: str = VCLOUD) -> Iterator[Element]:
    """Return the direct children of that name; none if there is no parent."""
    return iter(()) if parent is None else parent.iterchildren(f"{{{namespace}}}{name}")


def text(parent: Element | None, *names: str, namespace: str = VCLOUD) -> str | None:
    """Return the stripped text of a descendant; None if it is absent, empty or nil."""
    found = None if parent is None else child(parent, *names, namespace=namespace)
    return None if found is None else (found.text or "").strip() or None


def required(value: str | None, what: str) -> str:
    """Return the value; MalformedError if vCloud left out what it always sends."""
    if not value:
        raise MalformedError(f"the answer has no {what}")
    return value


@lru_cache(1024)  # a listing has 30,000 of them, and most are the same few sizes
def integer(value: str | None) -> int | None:
    """Return a whole number; None for absent, MalformedError for what is none or too long to be an honest one."""
    if value is None or not value.strip():
        return None
    if not _INTEGER.fullmatch(value):
        raise MalformedError(f"not a number: {value[:40]!r}")
    return int(value)


def boolean(value: str | None) -> bool | None:
    """Return an xs:boolean; None for absent, MalformedError for other words."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if value is None or not value.strip():
        return None
    if value.strip() not in known:
        raise MalformedError(f"not a boolean: {value[:40]!r}")
    return known[value.strip()]


def moment(value: str | None) -> datetime | None:
    """Return an xs:dateTime in UTC. None for absent or unreadable: no decision of ours hangs on a date alone."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def urn_of(element: Element) -> str | None:
    """Return the urn of an entity, reference or record: its `id` if that is a urn, else what its href names."""
    return urn_from_text(element.get("id", "")) or urn_from_href(element.get("href", ""))


def required_urn(element: Element) -> str:
    """Return the urn of an entity; MalformedError without one, for nothing can be done with it."""
    return required(urn_of(element), f"id in {etree.QName(element).localname}")
