"""Pages of a listing on a slow line: four at once, judged by one thread, and complete or no listing all the same."""

import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from requests import PreparedRequest

from app.vcloud import Unavailable
from tests.vcloud.support import API, NAMESPACE, TOKEN, VDC, Vcd, records, vm_row

Answer = tuple[int, dict[str, str], str]
PAGES, WIDTH = 9, 3
SESSION = f'<Session xmlns="{NAMESPACE}"/>'


class Line:
    """A listing of nine pages, the first of which takes `first_s`; `answer` may make something else of a page."""

    def __init__(
        self,
        vcd: Vcd,
        answer: Callable[[int, PreparedRequest], Answer | None] = lambda *_: None,
        *,
        first_s: float = 1.0,
    ) -> None:
        self.vcd, self.answer, self.first_s = vcd, answer, first_s
        self.lock = threading.Lock()
        self.asked: list[int] = []
        self.threads: set[str] = set()
        vcd.mock.add_callback("GET", f"{API}/query", self.take)

    def take(self, request: PreparedRequest) -> Answer:
        number = int(parse_qs(str(request.url))["page"][0])
        with self.lock:
            self.asked.append(number)
            self.threads.add(threading.current_thread().name)
            if number == 1:
                self.vcd.now_s += self.first_s
        return self.answer(number, request) or page(number)


def page(number: int, total: int = PAGES * WIDTH) -> Answer:
    rows = [vm_row(WIDTH * (number - 1) + place) for place in range(1, WIDTH + 1)]
    return 200, {}, records(*rows, total=total, page=number)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if "ThreadPool" in thread.name] == []


def test_four_pages_are_under_way_at_once(vcd: Vcd) -> None:
    together = threading.Barrier(4)

    def answer(number: int, _: PreparedRequest) -> None:
        if number > 1:
            together.wait(timeout=10)  # eight pages are two times four

    line = Line(vcd, answer)
    found = vcd.client().vms(VDC)
    assert [row.name for row in found] == [f"vm-{number}" for number in range(1, PAGES * WIDTH + 1)]
    assert sorted(line.asked) == list(range(1, PAGES + 1))


def test_on_a_fast_line_one_page_is_asked_for_after_the_other_however_long_the_login_took(vcd: Vcd) -> None:
    def log_in(_: PreparedRequest) -> Answer:
        vcd.now_s += 5
        return 200, {"x-vcloud-authorization": TOKEN}, SESSION

    vcd.mock.remove("POST", f"{API}/sessions")
    vcd.mock.add_callback("POST", f"{API}/sessions", log_in)
    line = Line(vcd, first_s=0.02)
    assert len(vcd.client().vms(VDC)) == PAGES * WIDTH
    assert line.threads == {threading.current_thread().name}
    assert line.asked == list(range(1, PAGES + 1))


def test_a_session_that_ends_meanwhile_is_renewed_once_for_all(vcd: Vcd) -> None:
    tokens = iter(["first", "second", "third"])
    good = {"first"}

    def log_in(_: PreparedRequest) -> Answer:
        good.add(token := next(tokens))
        return 200, {"x-vcloud-authorization": token}, SESSION

    def answer(number: int, request: PreparedRequest) -> Answer | None:
        if number == 4:
            good.discard("first")
        return None if request.headers["x-vcloud-authorization"] in good else (401, {}, "")

    vcd.mock.remove("POST", f"{API}/sessions")
    vcd.mock.add_callback("POST", f"{API}/sessions", log_in)
    Line(vcd, answer)
    client = vcd.client()
    assert len(client.vms(VDC)) == PAGES * WIDTH
    assert client.session
    assert client.session.token == "second"


def test_a_renewed_token_of_a_late_answer_does_not_bring_an_ended_session_back(vcd: Vcd) -> None:
    def answer(number: int, request: PreparedRequest) -> Answer | None:
        old = request.headers["x-vcloud-authorization"]
        if number == 2 and old == TOKEN:
            return 401, {}, ""
        status, headers, body = page(number)
        return status, headers | {"x-vcloud-authorization": old}, body

    def log_in(_: PreparedRequest) -> Answer:
        token = "second" if any("/query" in call for call in vcd.calls) else TOKEN
        return 200, {"x-vcloud-authorization": token}, SESSION

    vcd.mock.remove("POST", f"{API}/sessions")
    vcd.mock.add_callback("POST", f"{API}/sessions", log_in)
    Line(vcd, answer)
    client = vcd.client()
    client.vms(VDC)
    assert client.session
    assert client.session.token == "second"


def test_a_page_that_fails_once_is_asked_for_again(vcd: Vcd) -> None:
    line = Line(vcd, lambda number, _: (503, {}, "") if number == 5 and line.asked.count(5) < 3 else None)
    assert len(vcd.client().vms(VDC)) == PAGES * WIDTH
    assert line.asked.count(5) == 3
    assert len(line.asked) == PAGES + 2


def test_a_page_that_never_comes_ends_the_listing(vcd: Vcd) -> None:
    line = Line(vcd, lambda number, _: (503, {}, "") if number == 2 else None)
    with pytest.raises(Unavailable):
        vcd.client().vms(VDC)
    assert line.asked.count(2) == 3


def test_a_listing_that_moves_between_pages_asked_together_is_read_once_more(vcd: Vcd) -> None:
    moved = {7: page(6)}
    line = Line(vcd, lambda number, _: moved.pop(number, None))
    assert len(vcd.client().vms(VDC)) == PAGES * WIDTH
    assert line.asked.count(1) == 2


def test_pages_with_another_total_are_no_listing(vcd: Vcd) -> None:
    Line(vcd, lambda number, _: page(number, PAGES * WIDTH + 1) if number == PAGES else None)
    with pytest.raises(Unavailable, match="did not stay the same"):
        vcd.client().vms(VDC)
