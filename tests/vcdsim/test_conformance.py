"""The simulator's answers, and the bodies of our own client, against VMware's official schemas."""

from collections.abc import Callable
from contextlib import nullcontext
from textwrap import indent

import pytest
from lxml import etree

from tests.support.counts import COUNTED
from tests.vcdsim.conformance import disorder, official, panel, schemas, tables, tour
from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.traffic import Recorder
from vcdsim.api import routing, schema, schema_types, xml
from vcdsim.api.version import SUPPORTED, text
from vcdsim.refusals import RefusalError

#: Documents that must have been validated at each version, so that what is done cannot become less unseen.
FEWEST_OF_THE_TOUR, FEWEST_OF_THE_PANEL, FEWEST_SWAPS, FEWEST_TYPES = 600, 56, 170, 60

#: Versions that brought a schema of their own, and two of those known by what changed since.
VERSIONS_OF_SWAPS = ((5, 5), (5, 6), (9, 0), (20, 0), (27, 0), (29, 0), (30, 0), (33, 0), (39, 1))

Record = Callable[[str, object], None]

pytestmark = pytest.mark.skipif(
    not official.schemas().is_dir(),
    reason=f"VMware's schemas are not at {official.schemas()}; VCLOUD_SCHEMAS names their folder",
)
at_every_version = pytest.mark.parametrize("version", SUPPORTED, ids=text)


def validate(seen: Recorder) -> int:
    """The number of documents that went over the wire, all of which fit; an AssertionError names those that do not."""
    count, faults = 0, []
    for where, version, document in seen.documents():
        count += 1
        faults += [f"{where}: {words}" for words in schemas.faults_of(document, version)]
    assert not faults, f"{len(faults)} faults in {count} documents, first:\n" + indent("\n".join(faults[:20]), "  ")
    return count


@at_every_version
def test_every_operation_of_the_simulator_speaks_the_schema_of_the_version(
    version: Version, record_property: Record
) -> None:
    seen = tour.everything(version)
    reached = {one.route for one in seen.exchanges if one.is_success}
    served = [one for one in routing._ROUTES if one.since <= version <= one.until]
    missed = [f"{one.method} {one.pattern.pattern}" for one in served if one not in reached]
    assert not missed, "served, but the tour never got there: add a step to tests/vcdsim/conformance/tour.py"
    count = validate(seen)
    assert count >= FEWEST_OF_THE_TOUR
    record_property(f"{COUNTED}documents of the simulator validated against VMware's schemas", count)


@at_every_version
def test_every_body_of_our_client_fits_the_schema_of_the_version(version: Version, record_property: Record) -> None:
    assert panel.writers() == panel.WRITTEN
    seen = panel.bodies_of_the_panel(version)
    count = validate(seen)
    assert count >= FEWEST_OF_THE_PANEL
    record_property(f"{COUNTED}documents of our client's conversations validated against VMware's schemas", count)


@pytest.mark.parametrize("version", VERSIONS_OF_SWAPS, ids=text)
def test_the_simulator_takes_a_body_in_another_order_only_if_the_schema_does(
    version: Version, record_property: Record
) -> None:
    count = 0
    for words, body in disorder.swapped(tour.everything(version).exchanges):
        count += 1
        is_fine = not schemas.faults_of(etree.tostring(body), version)
        with nullcontext() if is_fine else pytest.raises(RefusalError, match="cvc-complex-type"):
            schema.check(body, version)
            assert is_fine, f"{words}: accepted, and the schema says {schemas.faults_of(etree.tostring(body), version)}"
    assert count >= FEWEST_SWAPS
    record_property(f"{COUNTED}bodies in another order judged as VMware's schemas judge them", count)


@at_every_version
def test_the_simulator_knows_every_element_that_the_schema_allows_in_a_body(
    version: Version, record_property: Record
) -> None:
    assert tables.bodies() <= {xml.tag(prefix + name) for name in schema_types.TYPES for prefix in ("", "ovf:")}
    types = list(tables.pairs(version))
    assert [words for words in (tables.difference(*one, version) for one in types) if words] == []
    assert len(types) >= FEWEST_TYPES
    record_property(f"{COUNTED}types of bodies with the elements and the order of VMware's schemas", len(types))


def test_a_wrong_order_and_a_newer_element_are_seen() -> None:
    ticket = '<MksTicket xmlns="http://www.vmware.com/vcloud/v1.5"><Host/>{}</MksTicket>'
    good, bad = "<Vmx/><Ticket/><Port>902</Port>", "<Ticket/><Vmx/><Port>902</Port>"
    assert schemas.faults_of(ticket.format(good).encode(), (5, 5)) == []
    assert "Unexpected child" in schemas.faults_of(ticket.format(bad).encode(), (5, 5))[0]
    assert "newer than 5.1" in schemas.faults_of(ticket.format(good).encode(), (5, 1))[0]
