"""API versions: which are served, how a request chooses one, numeric comparison."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from vcdsim.refusals import RefusalError

Version = tuple[int, int]

#: Everything answered by this simulator, oldest first; 5.5 to 10.6.
SUPPORTED: tuple[Version, ...] = (
    (5, 5),
    (5, 6),
    (5, 7),
    (9, 0),
    (20, 0),
    (27, 0),
    (29, 0),
    (30, 0),
    (31, 0),
    (32, 0),
    (33, 0),
    (34, 0),
    (35, 0),
    (36, 0),
    (36, 1),
    (36, 2),
    (36, 3),
    (37, 0),
    (37, 1),
    (37, 2),
    (38, 0),
    (38, 1),
    (39, 0),
    (39, 1),
)
#: Below this a version is announced as deprecated.
OLDEST_CURRENT: Version = (36, 0)
#: The last version with POST /api/sessions.
LAST_WITH_XML_LOGIN: Version = (37, 2)
#: The first version that takes and gives bearer tokens.
FIRST_WITH_BEARER: Version = (30, 0)
#: The first version with POST /cloudapi/1.0.0/sessions.
FIRST_WITH_CLOUDAPI: Version = (33, 0)

_IN_ACCEPT = re.compile(r";\s*version\s*=\s*\"?(\d+)\.(\d+)", re.IGNORECASE)


def text(version: Version) -> str:
    """`39.1`."""
    return f"{version[0]}.{version[1]}"


def is_deprecated(version: Version) -> bool:
    """True for a version that is about to go."""
    return version < OLDEST_CURRENT


def served(withdrawn: Iterable[str]) -> tuple[Version, ...]:
    """The versions that are there when those named are not."""
    gone = set(withdrawn)
    return tuple(one for one in SUPPORTED if text(one) not in gone) if gone else SUPPORTED


def refuse_json(accept: str) -> None:
    """406 when nothing but JSON is taken: under /api this simulator speaks XML only."""
    ranges = [one.partition(";")[0].strip().lower() for one in accept.split(",")]
    if ranges and all("json" in one for one in ranges):
        raise RefusalError(
            f"The request has invalid accept header: {accept}. The supported media type is application/*+xml.",
            minor_code="NOT_ACCEPTABLE",
            status=406,
        )


def from_accept(accept: str, offered: Collection[Version] = SUPPORTED) -> Version:
    """The version the `Accept` header asks for; 406 with the list of versions otherwise."""
    found = _IN_ACCEPT.search(accept)
    version = (int(found[1]), int(found[2])) if found else None
    if version is None or version not in offered:
        names = ", ".join(text(one) + ("[D]" if is_deprecated(one) else "") for one in offered)
        raise RefusalError(
            f"The request has invalid accept header: {accept or 'none'}. Supported API versions are: [{names}].",
            minor_code="NOT_ACCEPTABLE",
            status=406,
        )
    return version
