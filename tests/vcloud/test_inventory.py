"""All that is listed of a VDC: asked for together on a slow line, and each part of it complete or none."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import PreparedRequest

from app.vcloud import Session, Unavailable
from tests.vcloud.support import API, VDC, Vcd, fixture, records, vm_row

Answer = tuple[int, dict[str, str], str]
VM_PAGES, WIDTH = 5, 3
VAPP_ROW = '<VAppRecord name="shop-{0}" href="{1}/vApp/vapp-00000000-0000-4000-9000-{0:012d}" status="POWERED_ON"/>'
TEMPLATE_ROW = '<VAppTemplateRecord name="t" catalogName="c" href="{0}/vAppTemplate/vappTemplate-{1}"/>'
ONE = "33333333-0000-4000-8000-000000000001"


class Line:
    """A data center of five pages of machines and two of vApps; the first answer takes `first_s`.

    `answer` may make something else of a question: ("vm", 3) is the third page of the machines.
    """

    def __init__(
        self, vcd: Vcd, answer: Callable[[str, int], Answer | None] = lambda *_: None, *, first_s: float = 1.0
    ) -> None:
        self.vcd, self.answer, self.first_s = vcd, answer, first_s
        self.lock = threading.Lock()
        self.asked: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        vcd.mock.add_callback("GET", f"{API}/query", self.take)
        vcd.mock.add_callback("GET", f"{API}/vdc/{VDC.rpartition(':')[2]}", self.take)

    def take(self, request: PreparedRequest) -> Answer:
        said = parse_qs(urlsplit(str(request.url)).query)
        kind, number = said.get("type", ["vdc"])[0], int(said.get("page", ["1"])[0])
        with self.lock:
            self.asked.append((kind, number))
            self.vcd.now_s += self.first_s if len(self.asked) == 1 else 0
            self.threads.add(threading.current_thread().name)
        return self.answer(kind, number) or (200, {"Date": "Mon, 23 Nov 2026 10:00:00 GMT"}, said_of(kind, number))


def said_of(kind: str, number: int) -> str:
    if kind == "vdc":
        return fixture("vdc-32")
    first = WIDTH * (number - 1) + 1
    if kind == "vm":
        rows = [vm_row(row) for row in range(first, first + WIDTH)]
        return records(*rows, total=VM_PAGES * WIDTH, page=number)
    if kind == "vApp":
        return records(*(VAPP_ROW.format(row, API) for row in range(first, first + WIDTH)), total=2 * WIDTH)
    return records(TEMPLATE_ROW.format(API, ONE)) if kind == "vAppTemplate" else records()


def test_on_a_slow_line_what_belongs_to_the_vdc_is_under_way_beside_the_machines(vcd: Vcd) -> None:
    together = threading.Barrier(4)

    def answer(kind: str, number: int) -> None:
        if (kind, number) in {("vm", VM_PAGES), ("vApp", 1), ("vdc", 1), ("orgVdcStorageProfile", 1)}:
            together.wait(timeout=10)

    line = Line(vcd, answer)
    found = vcd.client().inventory(VDC)
    assert len(found.vms) == VM_PAGES * WIDTH
    assert [vapp.name for vapp in found.vapps] == [f"shop-{number}" for number in range(1, 7)]
    assert (found.vdc.name, found.networks, [one.name for one in found.templates or ()]) == ("acme-vdc", [], ["t"])
    assert max(Counter(line.asked).values()) == 1


def test_on_a_fast_line_one_is_asked_for_after_the_other(vcd: Vcd) -> None:
    line = Line(vcd, first_s=0.02)
    vcd.client().inventory(VDC)
    assert line.threads == {threading.current_thread().name}
    assert line.asked[:VM_PAGES] == [("vm", number) for number in range(1, VM_PAGES + 1)]


def test_of_several_listings_only_the_one_that_moved_is_read_again(vcd: Vcd) -> None:
    moved: dict[tuple[str, int], Answer] = {("vApp", 2): (200, {}, said_of("vApp", 1))}
    line = Line(vcd, lambda kind, number: moved.pop((kind, number), None))
    assert len(vcd.client().inventory(VDC).vapps) == 2 * WIDTH
    assert Counter(kind for kind, _ in line.asked)["vApp"] == 4
    assert Counter(line.asked)["vm", 1] == 1


def test_a_listing_that_moves_once_more_is_no_inventory(vcd: Vcd) -> None:
    Line(vcd, lambda kind, number: (200, {}, said_of("vApp", 1)) if (kind, number) == ("vApp", 2) else None)
    with pytest.raises(Unavailable, match="the listing of vApp did not stay the same"):
        vcd.client().inventory(VDC)


@pytest.mark.parametrize("missing", [("vm", 4), ("vApp", 2), ("vdc", 1), ("orgVdcNetwork", 1)])
def test_without_any_of_its_parts_there_is_no_inventory(vcd: Vcd, missing: tuple[str, int]) -> None:
    line = Line(vcd, lambda kind, number: (503, {}, "") if (kind, number) == missing else None, first_s=0.02)
    with pytest.raises(Unavailable):
        vcd.client().inventory(VDC)
    assert line.asked[-1] == missing  # and nothing more is asked for


@pytest.mark.parametrize("said", [(403, {}, ""), (200, {}, records(total=3))], ids=["refused", "never whole"])
def test_templates_that_do_not_come_hold_up_nothing(vcd: Vcd, said: Answer) -> None:
    Line(vcd, lambda kind, _: said if kind == "vAppTemplate" else None)
    found = vcd.client().inventory(VDC)
    assert found.templates is None
    assert len(found.vms) == VM_PAGES * WIDTH


def test_the_clock_of_vcloud_that_tasks_are_asked_by_is_known_from_the_machines(vcd_39: Vcd) -> None:
    line = Line(vcd_39)
    client = vcd_39.client(session=Session("kept", "bearer", "39.1"))
    assert client.inventory(VDC, since=datetime(2026, 11, 23, tzinfo=UTC)).touched == {}
    assert ("task", 1) in line.asked
    assert not [call for call in vcd_39.mock.calls if "/versions" in str(call.request.url)]
