"""Request bodies made wrong: two neighbours change places."""

import copy
from collections.abc import Iterable, Iterator

from lxml import etree

from tests.vcdsim.conformance.traffic import Exchange


def swapped(exchanges: Iterable[Exchange]) -> Iterator[tuple[str, etree._Element]]:
    """(what was swapped, body) for each pair of neighbours of other names in the accepted bodies.

    Each pair is swapped once, in the smallest body that has it: the schemas take their time for large ones.
    """
    seen = set()
    bodies = {one.asked for one in exchanges if one.is_success and one.asked.lstrip()[:1] == b"<"}
    for body in sorted(bodies, key=lambda body: (len(body), body)):
        root = etree.fromstring(body)
        for number, parent in enumerate(root.iter("*")):
            for place, (first, second) in enumerate(zip(parent, list(parent)[1:], strict=False)):
                words = f"{_name(first)} and {_name(second)} in {_path(parent)}"
                if first.tag != second.tag and words not in seen:
                    seen.add(words)
                    yield words, _swap(root, number, place)


def _swap(root: etree._Element, number: int, place: int) -> etree._Element:
    wrong = copy.deepcopy(root)
    parent = list(wrong.iter("*"))[number]
    parent.insert(place + 1, parent[place])
    return wrong


def _path(element: etree._Element) -> str:
    """`Vm/VmSpecSection`: its name, and that of its parent if it has one."""
    parent = element.getparent()
    return _name(element) if parent is None else f"{_name(parent)}/{_name(element)}"


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
