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


def test_a_truncated_answer_has_the_length_of_what_is_left(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("session", truncate_to=40)
    reply = talk.send("GET", "/api/session")
    assert (reply.status, len(reply.body)) == (200, 40)


def test_a_wrong_content_type_comes_with_the_right_body(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("session", content_type="text/html")
    reply = talk.send("GET", "/api/session")
    assert (reply.headers["content-type"], reply.root.get("org")) == ("text/html", "acme")


def test_a_busy_load_balancer_says_when_to_come_again(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("session", http_status=429, retry_after_s=7)
    reply = talk.send("GET", "/api/session")
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")


def test_a_redirect_leads_elsewhere(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("session", redirect_to="http://other.example/api/session")
    reply = talk.send("GET", "/api/session")
    assert (reply.status, reply.headers["location"]) == (302, "http://other.example/api/session")


def test_a_session_ends_between_two_requests(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("powerOn", expire_session=True)
    assert power_on(talk)[0] == 401
    assert talk.send("GET", "/api/session").status == 401
    assert power_on(Talk(sim))[0] == 202


def test_a_withdrawn_version_is_neither_listed_nor_taken(sim: Simulator) -> None:
    sim.faults.add("*", times=None, withdrawn=["36.0", "36.1"])
    listed = sim.handle("GET", "/api/versions", {}, b"").body
    assert (b">36.0<" in listed, b">36.1<" in listed, b">36.2<" in listed) == (False, False, True)
    with pytest.raises(AssertionError, match="406"):
        Talk(sim, version="36.0")
    Talk(sim, version="36.2")


def test_a_task_can_be_aborted(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("powerOn", abort_task=True)
    task = talk.send("POST", f"{talk.vm('sandbox')}/power/action/powerOn").root.get("href") or ""
    sim.settle()
    assert talk.get(task).get("status") == "aborted"
    assert talk.get(talk.vm("sandbox")).get("status") == "8"


def test_over_http_a_body_is_cut_in_the_middle(sim: Simulator) -> None:
    sim.faults.add("versions", cut_after=100)
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/api/versions")
        with pytest.raises(http.client.IncompleteRead) as caught:
            connection.getresponse().read()
        connection.close()
    assert len(caught.value.partial) == 100


def test_over_http_a_body_drips(sim: Simulator) -> None:
    whole = len(sim.handle("GET", "/api/versions", {}, b"").body)
    sim.faults.add("versions", drip_bytes_s=whole * 4)
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/api/versions")
        answer = connection.getresponse()
        pieces = []
        while piece := answer.read1():
            pieces.append(len(piece))
        connection.close()
    assert len(pieces) > 1
    assert sum(pieces) > whole - 100


def test_what_goes_wrong_inside_is_answered_as_vcloud_does(
    sim: Simulator, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    path = talk.vm("sandbox")
    sim.world.vapps.clear()  # nothing that requests can bring about
    reply = talk.send("GET", path)
    words = "Unable to perform this action. Contact your cloud administrator."
    assert reply.status == 500
    assert reply.error == ("INTERNAL_SERVER_ERROR", f"[ {reply.headers['x-vmware-vcloud-request-id']} ] {words}")
    assert "KeyError" in capsys.readouterr().err
    assert talk.send("GET", "/api/session").status == 200
