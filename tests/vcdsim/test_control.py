"""The control endpoint: faults, clock, world, sessions and tasks over HTTP, from this machine alone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vcdsim.talk import Talk
from vcdsim import Simulator, error, faults


@pytest.fixture
def control(sim: Simulator) -> Iterator[http.client.HTTPConnection]:
    """A connection to a simulator that has the endpoint switched on."""
    with sim.serve(control=True) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        yield connection
        connection.close()


def ask(control: http.client.HTTPConnection, method: str, name: str, data: object = None) -> tuple[int, Any]:
    control.request(method, f"/vcdsim/{name}", None if data is None else json.dumps(data))
    answer = control.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_fault_is_put_in_force_and_hits(sim: Simulator, talk: Talk, control: http.client.HTTPConnection) -> None:
    status, found = ask(control, "POST", "faults", {"operation": "session", "http_status": 502})
    assert (status, found) == (200, [{"operation": "session", "http_status": 502}])
    assert [talk.send("GET", "/api/session").status for _ in range(2)] == [502, 200]


def test_several_faults_come_in_one_list_and_go_together(control: http.client.HTTPConnection) -> None:
    two = [{"operation": "vm", "times": None, "latency_s": 0.1}, {"operation": "vapp", "truncate_to": 10}]
    assert ask(control, "POST", "faults", two)[1] == two
    assert ask(control, "DELETE", "faults") == (200, [])
    assert ask(control, "GET", "faults") == (200, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"operation": 1},
        {"oops": 1},
        {"times": "many"},
        {"error": {"minor_code": "X"}},
        {"error": {"minor_code": "X", "message": "y", "status": 1000}},
        {"withdrawn": "36.0"},
        {"drop_answer": "yes"},
        {"latency_s": -1},
        "text",
        None,
    ],
)
def test_what_is_no_fault_is_refused(control: http.client.HTTPConnection, wrong: object) -> None:
    status, found = ask(control, "POST", "faults", wrong)
    assert status == 400
    assert found["error"]
    assert ask(control, "GET", "faults") == (200, [])


def test_the_clock_is_moved_by_hand(sim: Simulator, talk: Talk, control: http.client.HTTPConnection) -> None:
    before = ask(control, "GET", "clock")[1]["now"]
    assert ask(control, "POST", "clock", {"advance_s": 90})[1] == {"now": before + 90, "is_manual": True}
    talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    assert ask(control, "POST", "clock", {"settle": True})[0] == 200
    assert talk.get(talk.vm("sandbox")).get("status") == "4"


@pytest.mark.parametrize("wrong", [{"advance_s": -1}, {"advance_s": "1"}, {"settle": 1}, None, [], {"advance_s": True}])
def test_a_clock_cannot_be_moved_otherwise(control: http.client.HTTPConnection, wrong: object) -> None:
    assert ask(control, "POST", "clock", wrong)[0] == 400


def test_a_world_is_saved_and_loaded_again(sim: Simulator, talk: Talk, control: http.client.HTTPConnection) -> None:
    saved = ask(control, "GET", "world")[1]
    assert talk.do("DELETE", talk.vapp("sandbox")) == "success"
    assert ask(control, "PUT", "world", saved)[0] == 200
    assert "sandbox" in [vapp.name for vapp in sim.world.vapps.values()]
    assert talk.send("GET", "/api/session").status == 401


@pytest.mark.parametrize("wrong", [{}, [], None, {"format": "vcdsim-world", "version": 1, "vms": {"x": {"a": 1}}}])
def test_what_is_no_world_is_not_loaded(sim: Simulator, control: http.client.HTTPConnection, wrong: object) -> None:
    world = sim.world
    assert ask(control, "PUT", "world", wrong)[0] == 400
    assert sim.world is world


@pytest.mark.parametrize(
    ("collection", "field", "value"),
    [
        ("vms", "container_id", "nope"),
        ("vms", "power", "BANANA"),
        ("vms", "cpu_count", "x"),
        ("vms", "cpu_count", 0),
        ("vms", "cpu_count", True),
        ("vms", "created_at", 1e300),
        ("vms", "id", "other"),
        ("vms", "disks", [{"instance_id": 2000, "size_mb": 1, "storage_profile_id": "nope"}]),
        ("vms", "nics", [{"index": 0, "mode": "BANANA"}]),
        ("vapps", "vm_ids", []),
        ("vapps", "owner_id", "nobody"),
        ("vdcs", "storage_profile_ids", []),
        ("networks", "scope", {"gateway": "10.0.0.1", "netmask": "banana"}),
        ("tasks", "effect", "banana"),
        ("tasks", "status", "BANANA"),
    ],
)
def test_a_world_that_does_not_hang_together_is_not_loaded(
    sim: Simulator, talk: Talk, control: http.client.HTTPConnection, collection: str, field: str, value: object
) -> None:
    talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    saved = ask(control, "GET", "world")[1]
    world = sim.world
    next(iter(saved[collection].values()))[field] = value
    status, found = ask(control, "PUT", "world", saved)
    assert (status, sim.world is world) == (400, True)
    assert collection[:-1] in found["error"].lower()


def test_a_world_without_its_users_is_not_loaded(sim: Simulator, control: http.client.HTTPConnection) -> None:
    saved = ask(control, "GET", "world")[1]
    assert ask(control, "PUT", "world", saved | {"users": {}})[0] == 400


def test_requests_are_listed_without_those_of_control(talk: Talk, control: http.client.HTTPConnection) -> None:
    ask(control, "DELETE", "requests")
    talk.send("GET", "/api/session")
    assert ask(control, "GET", "requests")[1] == [["GET", "/api/session"]]


def test_all_sessions_end_at_once(talk: Talk, control: http.client.HTTPConnection) -> None:
    ask(control, "DELETE", "sessions")
    assert talk.send("GET", "/api/session").status == 401


def test_a_task_that_waits_for_approval_is_let_on_or_aborted(
    sim: Simulator, talk: Talk, control: http.client.HTTPConnection
) -> None:
    found = []
    for name, action in (("sandbox", "resume"), ("grafana", "abort")):
        ask(control, "POST", "faults", {"operation": "powerOn", "blocked_task": True})
        task = talk.send("POST", f"{talk.vm(name)}/power/action/powerOn").root.get("href") or ""
        sim.settle()
        sim.advance(600)
        found.append(talk.get(task).get("status"))
        assert ask(control, "POST", f"tasks/{task.rpartition('/')[2]}", {"action": action})[0] == 200
        sim.settle()
        found.append(talk.get(task).get("status"))
    assert found == ["preRunning", "success", "preRunning", "aborted"]


def test_an_unknown_task_or_action_is_refused(control: http.client.HTTPConnection) -> None:
    assert ask(control, "POST", "tasks/nothing", {"action": "resume"})[0] == 400
    assert ask(control, "POST", "tasks/nothing", {"action": "jump"})[0] == 400
    assert ask(control, "GET", "nothing")[0] == 404


def test_it_is_not_there_unless_asked_for(sim: Simulator) -> None:
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/vcdsim/faults")
        assert connection.getresponse().status == 406
        connection.close()


def test_a_web_page_cannot_use_it(control: http.client.HTTPConnection) -> None:
    control.request("DELETE", "/vcdsim/sessions", headers={"Origin": "http://evil.example"})
    assert control.getresponse().status == 406


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faults.json", '[{"operation": "vm", "times": 3, "error": {"minor_code": "BUSY_ENTITY", "message": "no"}}]'),
        ("faults.toml", '[[fault]]\noperation = "vm"\ntimes = 3\nerror = {minor_code = "BUSY_ENTITY", message = "no"}'),
    ],
)
def test_faults_are_read_from_a_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert faults.load(tmp_path / name) == [faults.Fault("vm", times=3, error=error("BUSY_ENTITY", "no"))]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("f.json", "{}", "holds a list"),
        ("f.json", "[1]", "not 1"),
        ("f.json", "nonsense", "not JSON"),
        ("f.json", '[{"operation": 5}]', "5 is not a value"),
        ("f.txt", '[[fault]]\noperation = "vm"', r"TOML is only read from a \.toml file"),
        ("f.toml", '[[faults]]\noperation = "vm"', r"a \[\[fault\]\] table, and there is 'faults'"),
        ("f.json", '[{"operation": "powerOnn"}]', "unknown operation 'powerOnn': .*powerOn,"),
        ("f.json", '[{"http_status": 99999}]', "between 200 and 599"),
        ("f.json", '[{"retry_after_s": 5}]', "goes with the page that http_status asks for"),
    ],
)
def test_a_wrong_file_of_faults_is_named(sim: Simulator, tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=rf"{name}: .*{words}"):
        sim.faults.put_file(tmp_path / name)
    assert sim.faults.all() == []


def test_faults_that_can_never_hit_are_refused(control: http.client.HTTPConnection) -> None:
    for wrong in ({"operation": "powerOnn"}, {"http_status": 99999}, {"retry_after_s": 5}):
        assert ask(control, "POST", "faults", [{"operation": "vm"}, wrong])[0] == 400
    assert ask(control, "GET", "faults") == (200, [])


def test_a_stuck_task_is_let_on(sim: Simulator, talk: Talk, control: http.client.HTTPConnection) -> None:
    ask(control, "POST", "faults", {"operation": "powerOn", "stuck_task": True})
    task = talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn").root.get("href") or ""
    sim.advance(600)
    assert ask(control, "POST", f"tasks/{task.rpartition('/')[2]}", {"action": "resume"})[0] == 200
    sim.settle()
    assert talk.get(task).get("status") == "success"


def test_a_task_that_waits_for_nothing_is_not_resumed(
    sim: Simulator, talk: Talk, control: http.client.HTTPConnection
) -> None:
    task = talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn").root.get("href") or ""
    for _ in range(2):
        status, found = ask(control, "POST", f"tasks/{task.rpartition('/')[2]}", {"action": "resume"})
        assert (status, found) == (400, {"error": "only a blocked or a stuck task can be resumed"})
        sim.settle()


@pytest.mark.parametrize("path", ["", "/", "/?x=1"])
def test_it_lists_what_it_takes(control: http.client.HTTPConnection, path: str) -> None:
    control.request("GET", f"/vcdsim{path}")
    answer = control.getresponse()
    assert answer.status == 200
    assert {"GET /vcdsim/faults", "PUT /vcdsim/world", "POST /vcdsim/tasks/ID"} <= set(json.loads(answer.read()))


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 406), ("127.0.0.1.evil.example:80", 406), ("[", 406), ("localhost:1", 200)]
)
def test_a_page_whose_name_leads_here_cannot_use_it(
    control: http.client.HTTPConnection, host: str, status: int
) -> None:
    control.request("GET", "/vcdsim/clock", headers={"Host": host})
    assert control.getresponse().status == status
