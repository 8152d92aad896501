"""Documents of several vApps: in their order, those that are there, and four at once on a slow line."""

import re
import threading

from requests import PreparedRequest

from tests.vcloud.support import API, NAMESPACE, Vcd

URNS = [f"urn:vcloud:vapp:22222222-0000-4000-8000-{number:012d}" for number in range(9)]
GONE = URNS[5]


class Documents:
    """Nine vApps of which one is gone; the first answer takes `first_s`, the others wait for each other if told so."""

    def __init__(self, vcd: Vcd, *, first_s: float, together: threading.Barrier | None = None) -> None:
        self.vcd, self.first_s, self.together = vcd, first_s, together
        self.threads: set[str] = set()
        vcd.mock.add_callback("GET", re.compile(rf"{API}/vApp/vapp-.*"), self.take)

    def take(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        urn = "urn:vcloud:vapp:" + str(request.url).rpartition("vapp-")[2]
        self.threads.add(threading.current_thread().name)
        if urn == URNS[0]:
            self.vcd.now_s += self.first_s
        elif self.together:
            self.together.wait(timeout=10)  # eight documents are two times four
        return (
            (404, {}, "") if urn == GONE else (200, {}, f'<VApp xmlns="{NAMESPACE}" id="{urn}" name="x" status="8"/>')
        )


def test_on_a_slow_line_four_are_under_way_at_once_and_come_in_their_order(vcd: Vcd) -> None:
    Documents(vcd, first_s=1, together=threading.Barrier(4))
    assert [vapp.id for vapp in vcd.client().whole_vapps(URNS)] == [urn for urn in URNS if urn != GONE]
    assert [thread.name for thread in threading.enumerate() if "ThreadPool" in thread.name] == []


def test_on_a_fast_line_one_is_asked_for_after_the_other(vcd: Vcd) -> None:
    line = Documents(vcd, first_s=0.02)
    assert len(list(vcd.client().whole_vapps(URNS))) == len(URNS) - 1
    assert line.threads == {threading.current_thread().name}
