"""Request bodies made wrong: two neighbours change places."""

import copy
from collections.abc import Iterable, Iterator

from lxml import etree

from tests.vcdsim.conformance.traffic import Exchange


def swapped(exchanges: Iterable[Exchange]) -> Iterator[tuple[str, etree._Element]]:
    """(what was swapped, body) for each pair of neighbours of other names in the accepted bodies, each pair once."""
    seen = set()
    for one in exchanges:
        if one.is_success and one.asked.lstrip()[:1] == b"<":
            root = etree.fromstring(one.asked)
            for number, parent in enumerate(root.iter("*")):
                for place, (first, second) in enumerate(zip(parent, list(parent)[1:], strict=False)):
                    words = f"{_name(root)}: {_name(first)} and {_name(second)} in {_name(parent)}"
                    if first.tag != second.tag and words not in seen:
                        seen.add(words)
                        yield words, _swap(root, number, place)


def _swap(root: etree._Element, number: int, place: int) -> etree._Element:
    wrong = copy.deepcopy(root)
    parent = list(wrong.iter("*"))[number]
    parent.insert(place + 1, parent[place])
    return wrong


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
