"""Faults: errors, delays, cut lines, pages of a load balancer, tasks that hang or fail."""

import http.client

import pytest

from tests.vcdsim.talk import NS, Talk, instantiate_body, instantiate_path
from vcdsim import Simulator, error


def power_on(talk: Talk) -> tuple[int, bytes]:
    reply = talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    return reply.status, reply.body


def test_an_error_hits_the_named_operation_as_often_as_said(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("powerOn", times=2, error=error("BUSY_ENTITY", "is busy"))
    assert talk.send("GET", "/api/session").status == 200
    replies = [talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn") for _ in range(3)]
    assert [reply.status for reply in replies] == [400, 400, 202]
    assert replies[0].error[0] == "BUSY_ENTITY"


def test_a_fault_may_let_the_first_requests_pass(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("session", skip=1, error=error("INTERNAL_SERVER_ERROR", "no", 500))
    assert [talk.send("GET", "/api/session").status for _ in range(3)] == [200, 500, 200]


def test_a_fault_without_a_count_stays_until_cleared(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("*", times=None, http_status=503)
    assert {talk.send("GET", "/api/versions").status for _ in range(5)} == {503}
    sim.faults.clear()
    assert talk.send("GET", "/api/versions").status == 200


def test_a_load_balancer_answers_a_page(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("query", http_status=502)
    reply = talk.send("GET", "/api/query?type=vm")
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html")
    assert b"<html>" in reply.body


def test_a_dropped_answer_was_carried_out_and_a_dropped_request_was_not(sim: Simulator, talk: Talk) -> None:
    for name, fault in (("lost", "drop_answer"), ("never", "drop_request")):
        sim.faults.add("instantiate", **{fault: True})  # type: ignore[arg-type]
        body = instantiate_body(sim, name).encode()
        assert sim.handle("POST", instantiate_path(sim), talk.headers, body).is_cut
    assert [vapp.name for vapp in sim.world.vapps.values() if vapp.name in ("lost", "never")] == ["lost"]


def test_a_stuck_task_stays_at_one_percent_until_cancelled(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("powerOn", stuck_task=True)
    task = talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn").root.get("href") or ""
    sim.advance(10_000)
    talk = Talk(sim)
    assert talk.get(task).get("status") == "running"
    assert talk.get(task).findtext("v:Progress", namespaces=NS) == "1"
    talk.send("POST", f"{task}/action/cancel")
    assert talk.get(task).get("status") == "canceled"


def test_a_task_can_be_made_to_fail(sim: Simulator, talk: Talk) -> None:
    failure = error("INTERNAL_SERVER_ERROR", "Unable to perform this action.", 500)
    sim.faults.add("instantiate", task_error=failure)
    reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim))
    sim.settle()
    vapp = talk.get(reply.headers["location"])
    (task,) = [one for one in sim.world.tasks.values() if one.operation_name == "vdcInstantiateVapp"]
    assert (reply.status, vapp.get("status"), task.status) == (201, "-1", "error")
    document = talk.get(f"/api/task/{task.id}").find("v:Error", NS)
    assert document is not None
    assert (document.get("majorErrorCode"), document.get("minorErrorCode")) == ("500", "INTERNAL_SERVER_ERROR")


def test_a_fault_of_the_login(sim: Simulator) -> None:
    sim.faults.add("login", error=error("INTERNAL_SERVER_ERROR", "no", 500))
    with pytest.raises(AssertionError):
        Talk(sim)
    Talk(sim)


def test_over_http_a_cut_line_is_a_cut_line(sim: Simulator) -> None:
    sim.faults.add("versions", drop_answer=True)
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/api/versions")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.request("GET", "/api/versions")
        assert connection.getresponse().status == 200
        connection.close()


def test_latency_is_waited_out_without_holding_others_up(sim: Simulator) -> None:
    fault = sim.faults.add("versions", latency_s=0.2)
    answer = sim.handle("GET", "/api/versions", {}, b"")
    assert (answer.status, answer.delay_s, fault.times) == (200, 0.2, 0)
