"""The query service: encoders of both generations, and listings that are complete or refused."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest

from app.vcloud import Client, Limits, Login, Session, TaskStatus, Timer, Unavailable, VmStatus
from app.vcloud.query import Condition, path, version_key
from tests.vcloud.support import API, VDC, Vcd, fixture, records, vm_row


def filter_of(text: str) -> str:
    [found] = parse_qs(text.partition("?")[2])["filter"]
    return found


def test_below_35_values_are_encoded_twice_and_the_server_is_told() -> None:
    text = path("vApp", 1, (Condition("name", "a;b (c), d&e"),), "32.0")
    assert "filter=name==a%253Bb%2520%2528c%2529%252C%2520d%2526e" in text
    assert text.endswith("&filterEncoded=true")


def test_from_35_values_are_encoded_once_with_backslashes_before_what_means_something() -> None:
    text = path("vApp", 1, (Condition("name", "a;b (c), d&e"),), "35.0")
    assert filter_of(text) == r"name==a\;b \(c\)\, d&e"
    assert "filterEncoded" not in text


def test_conditions_are_joined_with_and() -> None:
    text = path("vm", 2, (Condition("vdc", "urn:x"), Condition("startDate", "2026", "=ge=")), "36.3")
    assert filter_of(text) == "vdc==urn:x;startDate=ge=2026"
    assert text.startswith("/query?type=vm&format=records&page=2&pageSize=128&")


@given(st.text())
def test_any_value_survives_the_old_encoding(value: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in value):
        return
    text = path("vm", 1, (Condition("name", value),), "5.5")
    assert unquote(filter_of(text)) == f"name=={value}"
    assert text.count("&") == 5


@given(st.text(st.characters(codec="utf-8")))
def test_any_value_survives_the_new_encoding(value: str) -> None:
    text = path("vm", 1, (Condition("name", value),), "39.1")
    plain = filter_of(text).removeprefix("name==")
    assert plain.replace("\\,", ",").replace("\\;", ";").replace("\\(", "(").replace("\\)", ")") == value
    assert text.count("&") == 4


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_are_compared_number_by_number(left: list[int], right: list[int]) -> None:
    ours = version_key(".".join(map(str, left))) < version_key(".".join(map(str, right)))
    assert ours == (left < right)


def test_a_row_becomes_a_value(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records(vm_row(7, ipAddress="10.0.0.7", totalStorageAllocatedMb="16384")))
    [row] = vcd.client().vms(VDC)
    assert (row.id, row.name) == ("urn:vcloud:vm:00000000-0000-4000-8000-000000000007", "vm-7")
    assert (row.vapp_id, row.vapp_name) == ("urn:vcloud:vapp:00000000-0000-4000-9000-000000000007", "vapp-7")
    assert (row.status, row.deployed, row.busy) == (VmStatus.POWERED_ON, True, False)
    assert (row.cpu_count, row.memory_mb, row.storage_mb, row.ip) == (2, 2048, 16384, "10.0.0.7")
    assert row.task_id == "urn:vcloud:task:00000000-0000-4000-a000-000000000007"


def test_a_state_nobody_knows_is_unknown_and_no_error(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records(vm_row(1, status="LEVITATING")))
    assert vcd.client().vms(VDC)[0].status is VmStatus.UNKNOWN


def pages(vcd: Vcd, *, total: int, sizes: list[int], page_size: int = 128) -> None:
    number = 0
    for page, size in enumerate(sizes, start=1):
        rows = [vm_row(number + offset) for offset in range(1, size + 1)]
        number += size
        body = records(*rows, total=total, page=page, page_size=page_size)
        vcd.answer("GET", "/query", body, query={"page": str(page), "pageSize": "128"})


def test_three_hundred_rows_are_read_in_three_pages(vcd: Vcd) -> None:
    pages(vcd, total=300, sizes=[128, 128, 44])
    assert len(vcd.client().vms(VDC)) == 300
    assert len(vcd.calls) == 3


def test_an_empty_listing_is_one_page(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records())
    assert vcd.client().vms(VDC) == []
    assert len(vcd.calls) == 1


def test_a_server_with_smaller_pages_is_read_to_its_end(vcd: Vcd) -> None:
    pages(vcd, total=60, sizes=[25, 25, 10], page_size=25)
    assert len(vcd.client().vms(VDC)) == 60


def test_pages_shorter_than_they_say_are_read_to_their_end(vcd: Vcd) -> None:
    pages(vcd, total=60, sizes=[25, 25, 10], page_size=128)
    assert len(vcd.client().vms(VDC)) == 60


def test_a_listing_in_single_rows_that_would_never_end_is_not_begun(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records(vm_row(1), total=200_000, page_size=1))
    with pytest.raises(Unavailable, match="no end"):
        vcd.client().vms(VDC)
    assert len(vcd.calls) == 1


def test_a_listing_that_takes_too_long_in_all_is_given_up_though_each_page_came_in_time(vcd: Vcd) -> None:
    def slowly(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        vcd.now_s += 20
        number = int(parse_qs(str(request.url))["page"][0])
        return 200, {}, records(vm_row(number), total=1000)

    vcd.mock.add_callback("GET", f"{API}/query", slowly)
    with pytest.raises(Unavailable, match="the listing of vm took longer than 60 s"):
        vcd.client(limits=Limits(listing_s=60)).vms(VDC)
    assert len(vcd.calls) < 20  # of 1,000 pages


def test_links_to_the_next_page_are_not_followed(vcd: Vcd) -> None:
    pages(vcd, total=130, sizes=[128, 2])
    vcd.client().vms(VDC)
    assert all(str(call.request.url).startswith(API) for call in vcd.mock.calls)


@pytest.mark.parametrize(
    "body",
    [
        records(vm_row(1), total=2),  # a row is missing
        records(vm_row(1), vm_row(2), total=1),  # one too many
        records(vm_row(1), vm_row(1), total=2),  # one came twice
        records(total=3),  # rows were promised
        records(vm_row(1), total=10**9),  # nobody has that many
        records(vm_row(1), total=-1),
        records(vm_row(1, href="https://vcd.example/api/vApp/vm-")),  # a row nobody can name
        records(vm_row(1).replace('name="vm-1"', "")),
        records(vm_row(1, numberOfCpus="many")),
        '<QueryResultRecords xmlns="http://www.vmware.com/vcloud/v1.5" name="vm"/>',
    ],
)
def test_an_incomplete_or_senseless_listing_is_no_listing(vcd: Vcd, body: str) -> None:
    vcd.answer("GET", "/query", body)
    with pytest.raises(Unavailable):
        vcd.client().vms(VDC)


def test_a_listing_that_moved_is_read_again_from_the_start(vcd: Vcd) -> None:
    first, second = {"page": "1"}, {"page": "2"}
    rows = [vm_row(number) for number in range(1, 131)]
    vcd.answer("GET", "/query", records(*rows[:128], total=130), query=first)
    vcd.answer("GET", "/query", records(*rows[127:129], total=130), query=second)  # the page moved under us
    vcd.answer("GET", "/query", records(*rows[:128], total=130), query=first)
    vcd.answer("GET", "/query", records(*rows[128:], total=130), query=second)
    assert len(vcd.client().vms(VDC)) == 130
    assert len(vcd.calls) == 4


def test_a_total_that_changes_between_pages_is_a_listing_that_moved(vcd: Vcd) -> None:
    rows = [vm_row(number) for number in range(1, 131)]
    vcd.answer("GET", "/query", records(*rows[:128], total=130), query={"page": "1"})
    vcd.answer("GET", "/query", records(rows[128], total=129), query={"page": "2"})
    with pytest.raises(Unavailable, match="did not stay the same"):
        vcd.client().vms(VDC)


def test_a_filter_is_encoded_anew_if_a_new_login_finds_another_version(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", "/query", status=401)
    vcd_39.answer("GET", "/query", records(vm_row(1)))
    vcd_39.client(session=Session("old", "vcloud", "34.0")).vms(VDC)
    old, new = (call for call in vcd_39.calls)
    assert "filterEncoded=true" in old
    assert "vdc==urn%253Avcloud" in old
    assert "filterEncoded" not in new
    assert "vdc==urn%3Avcloud" in new


def vapp_row(name: str, number: int) -> str:
    href = f"{API}/vApp/vapp-00000000-0000-4000-8000-{number:012d}"
    return f'<VAppRecord name="{name}" href="{href}" status="MIXED" isDeployed="true" isBusy="true" vdc="x"/>'


def test_vapps_by_name_are_those_of_exactly_that_name(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", records(vapp_row("Shop", 1), vapp_row("shop", 2), name="vApp"))
    [found] = vcd.client().vapps(VDC, "shop")
    assert (found.name, found.status, found.busy) == ("shop", VmStatus.MIXED, True)
    assert filter_of(vcd.last.url).startswith(f"vdc=={VDC.replace(':', '%3A')};name==shop")


def test_tasks_are_found_by_the_name_of_their_object_since_a_moment(vcd_39: Vcd) -> None:
    row = (
        '<TaskRecord name="vdcInstantiateVapp" status="running" objectName="shop" objectType="vapp"'
        f' object="{API}/vApp/vapp-00000000-0000-4000-8000-000000000001" startDate="2026-05-21T16:50:33.810+02:00"'
        f' href="{API}/task/00000000-0000-4000-8000-000000000002"/>'
    )
    vcd_39.answer("GET", "/query", records(row, row.replace("0002", "0003").replace('"shop"', '"SHOP"'), name="task"))
    [task] = vcd_39.client().tasks_named("shop", since=datetime(2026, 5, 21, 14, tzinfo=UTC))
    assert (task.operation_name, task.status) == ("vdcInstantiateVapp", TaskStatus.RUNNING)
    assert task.object_id == "urn:vcloud:vapp:00000000-0000-4000-8000-000000000001"
    assert task.started_at == datetime(2026, 5, 21, 14, 50, 33, 810000, tzinfo=UTC)
    assert filter_of(vcd_39.last.url) == "objectName==shop;startDate=ge=2026-05-21T14:00:00.000Z"


@pytest.mark.parametrize(
    ("date", "since"),
    [
        ("Thu, 21 May 2026 14:10:00 GMT", "2026-05-21T14:10:00.000Z"),
        ("Thu, 21 May 2026 13:59:00 GMT, Thu, 21 May 2026 13:59:00 GMT", "2026-05-21T13:59:00.000Z"),
        ("the day before yesterday", "2026-05-21T14:00:00.000Z"),
        ("Thu, 21 May 99999 14:10:00 GMT", "2026-05-21T14:00:00.000Z"),
    ],
)
def test_tasks_are_looked_for_by_the_clock_of_vcloud(vcd_39: Vcd, date: str, since: str) -> None:
    now = datetime(2026, 5, 21, 14, tzinfo=UTC)
    vcd_39.mock.upsert("GET", f"{API}/versions", fixture("versions-39"), headers={"Date": date})
    vcd_39.answer("GET", "/query", records(name="task"))
    timer = Timer(vcd_39.sleep, lambda: vcd_39.now_s, now.timestamp)
    with Client(API, Login("acme", "acme-admin", "secret"), timer=timer) as client:
        assert client.tasks_named("shop", since=now) == []
    assert filter_of(vcd_39.last.url) == f"objectName==shop;startDate=ge={since}"
