"""A simulator that remembers what it was asked and what it said, and who asks it for everything it links to."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from tests.vcdsim.conformance.official import Version
from tests.vcdsim.talk import BASE, Talk
from vcdsim import Simulator
from vcdsim.api import Answer
from vcdsim.api.routing import Route, find
from vcdsim.api.version import from_accept
from vcdsim.refusals import RefusalError

_MOST_OF_A_KIND = 4
_NUMBERS = re.compile(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `version` is None where the request named none that is served."""

    method: str
    path: str
    version: Version | None
    asked: bytes
    status: int
    said: bytes

    @property
    def is_success(self) -> bool:
        """Whether the request was accepted."""
        return 200 <= self.status < 300

    @property
    def route(self) -> Route | None:
        """What served it, None for versions and logins."""
        found = find(self.method, self.path)
        return found[0] if found else None


class Recorder(Simulator):
    """The demo world under a manual clock; `exchanges` is everything that went through it."""

    def __init__(self) -> None:
        super().__init__("demo", manual_clock=True)
        self.exchanges: list[Exchange] = []

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer, and remember."""
        answer = super().handle(method, path, headers, body)
        accept = next((value for name, value in headers.items() if name.lower() == "accept"), "")
        clean_path = "/" + path.partition("?")[0].strip("/")
        self.exchanges.append(Exchange(method, clean_path, _version(accept), body, answer.status, answer.body))
        return answer

    def documents(self) -> Iterator[tuple[str, Version, bytes]]:
        """(where, API version, document): each XML answer and each accepted XML body.

        Of those that differ only in their ids and numbers one is given.
        """
        seen = set()
        for one in self.exchanges:
            where = f"{one.method} {one.path}"
            for kind, document in (("body of", one.asked if one.is_success else b""), ("answer to", one.said)):
                shape = (one.version, _NUMBERS.sub(b"0", document))
                if one.version is not None and document.lstrip()[:1] == b"<" and shape not in seen:
                    seen.add(shape)
                    yield f"{kind} {where}", one.version, document


def _version(accept: str) -> Version | None:
    try:
        return from_accept(accept)
    except RefusalError:
        return None


def crawl(talk: Talk, *starts: str, within: str = "/") -> None:
    """Read everything that is served and that documents point to, from these addresses on; each must be there.

    Of each kind of document at most four are read, and only those whose address begins with `within`.
    """
    seen: set[str] = set()
    kinds: Counter[tuple[Route, str]] = Counter()
    waiting = list(starts)
    while waiting:
        path = waiting.pop().removeprefix(BASE)
        clean_path, _, query = path.partition("?")
        found = find("GET", "/" + clean_path.strip("/"))
        if path in seen or found is None or not path.startswith(within):
            continue
        seen.add(path)
        kinds[found[0], query] += 1
        if kinds[found[0], query] <= _MOST_OF_A_KIND:
            reply = talk.send("GET", path)
            # What belongs to others is named here and there, and refused.
            assert reply.status in (200, 403), f"{path}, which a document points to: {reply.status} {reply.body!r}"
            waiting += hrefs(etree.fromstring(reply.body)) if reply.body.lstrip()[:1] == b"<" else []


def hrefs(root: etree._Element) -> list[str]:
    """Every address a document points to."""
    return [value for element in root.iter("*") for key, value in element.attrib.items() if str(key).endswith("href")]
