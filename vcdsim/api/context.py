"""What a handler knows about its request, and the answers it can give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from lxml import etree

from vcdsim.api import bodies, hrefs, schema, xml
from vcdsim.api.version import Version
from vcdsim.api.version import text as version_text
from vcdsim.console import Console
from vcdsim.people import Session, User
from vcdsim.world import World


@dataclass
class Answer:
    """An HTTP answer without a socket. `is_cut` means the line breaks instead of it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    is_cut: bool = False
    #: The line breaks after so many bytes of the body.
    cut_after: int | None = None
    drip_bytes_s: int | None = None


@dataclass
class Context:
    """One authenticated request."""

    world: World
    console: Console
    base: str
    version: Version
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    session: Session
    user: User
    #: A fault: lists of addresses end here.
    most_rows: int | None = None

    def href(self, kind: str, entity_id: str) -> str:
        """Absolute address of an entity."""
        return hrefs.href(self.base, kind, entity_id)

    @property
    def is_forced(self) -> bool:
        """`?force=true`, which clients write with a capital T too."""
        return dict(parse_qsl(self.query)).get("force", "").lower() == "true"

    def since(self, *version: int) -> bool:
        """True when the request's API version is at least this."""
        return self.version >= version

    def parse(self, expected: str) -> etree._Element:
        """The root of the request's body, which fits the schema of the API version; else a 400 or 415."""
        bodies.check_type(self.headers, expected)
        element = xml.parse(self.body, expected)
        schema.check(element, self.version)
        return element

    def xml(
        self, element: etree._Element, media_type: str, *, status: int = 200, location: str | None = None
    ) -> Answer:
        """An XML answer; the recorded Content-Type is lower-cased and carries the version."""
        headers = {"Content-Type": f"{media_type.lower()};version={version_text(self.version)}"}
        if location is not None:
            headers["Location"] = location
        return Answer(status, headers, xml.serialise(element, self.version))

    def root(self, name: str, media_type: str, attributes: Mapping[str, str] | None = None) -> etree._Element:
        """The root element of an answer with its `type`."""
        return xml.root(name, self.version, {**(attributes or {}), "type": media_type})

    def entity_root(
        self, tag: str, kind: str, entity_id: str, name: str, attributes: Mapping[str, str] | None = None
    ) -> etree._Element:
        """The root element of an entity document."""
        return xml.root(tag, self.version, self.entity_attributes(kind, entity_id, name, attributes))

    def entity_attributes(
        self, kind: str, entity_id: str, name: str, attributes: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Attributes every entity has."""
        return {
            **(attributes or {}),
            "name": name,
            "id": hrefs.urn(kind, entity_id),
            "href": self.href(kind, entity_id),
            "type": hrefs.MEDIA[kind],
        }

    def reference(self, parent: etree._Element, tag: str, kind: str, entity_id: str, name: str) -> etree._Element:
        """A child that points to an entity."""
        attributes = {"href": self.href(kind, entity_id), "name": name, "type": hrefs.MEDIA[kind]}
        if self.since(9, 0):
            attributes = {"href": attributes["href"], "id": hrefs.urn(kind, entity_id), **attributes}
        return xml.sub(parent, tag, None, attributes)


def write_owner(ctx: Context, parent: etree._Element, user_id: str) -> None:
    """`<Owner>` within the document of what is owned."""
    owner = xml.sub(parent, "Owner", None, {"type": hrefs.media("owner")})
    ctx.reference(owner, "User", "user", user_id, ctx.world.users[user_id].name)


def link(
    parent: etree._Element, rel: str, address: str, media_type: str | None = None, name: str | None = None
) -> None:
    """A `<Link>`; power and remove links carry no type."""
    attributes = {"rel": rel, "href": address}
    if name is not None:
        attributes["name"] = name
    if media_type is not None:
        attributes["type"] = media_type
    xml.sub(parent, "Link", None, attributes)


def moment(seconds: float) -> str:
    """xs:dateTime in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Handler = Callable[..., Answer]
