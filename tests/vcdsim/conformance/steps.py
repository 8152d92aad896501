"""The two things every step of the tour does: command and look."""

from tests.vcdsim.conformance.traffic import crawl
from tests.vcdsim.talk import BASE, Talk


def must(talk: Talk, method: str, path: str, body: str | bytes = b"") -> None:
    """A command that is accepted and whose task succeeds."""
    assert talk.do(method, path, body) == "success", f"{method} {path} did not succeed"


def see(talk: Talk, *paths: str) -> None:
    """Read documents with what lies beneath them."""
    for path in paths:
        crawl(talk, path, within=path.removeprefix(BASE))
