"""Tasks: their course on the clock, their words, cancel, list."""

from email.utils import parsedate_to_datetime

import pytest

from tests.vcdsim.talk import NS, Talk, id_of, instantiate_body, instantiate_path, rels, text
from vcdsim import Simulator


def start(talk: Talk, name: str = "sandbox") -> str:
    """Start powering on; the href of the task."""
    return talk.send("POST", f"{talk.vm(name)}/power/action/powerOn").root.get("href") or ""


def test_a_task_is_queued_then_runs_with_progress_then_succeeds(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    seen = []
    for seconds in (0, 1, 7, 7, 1):
        sim.advance(seconds)
        document = talk.get(task)
        seen.append((document.get("status"), int(text(document, "v:Progress"))))
    assert [status for status, _ in seen] == ["queued", "running", "running", "running", "success"]
    assert [percent for _, percent in seen] == sorted(percent for _, percent in seen)
    assert seen[-1][1] == 100


def test_a_task_says_whose_it_is_and_when(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    running = talk.get(task)
    sim.settle()
    done = talk.get(task)
    owner, user, org = (running.find(f"v:{tag}", NS) for tag in ("Owner", "User", "Organization"))
    assert owner is not None
    assert user is not None
    assert org is not None
    assert [one.get("name") for one in (owner, user, org)] == ["sandbox", "acme-admin", "acme"]
    assert running.get("endTime") is None
    assert (done.get("startTime") or "") < (done.get("endTime") or "") < (done.get("expiryTime") or "")


def test_the_words_of_an_operation_change_when_it_is_done(sim: Simulator, talk: Talk) -> None:
    task, vm_id = start(talk), talk.vm("sandbox").rpartition("vm-")[2]
    assert talk.get(task).get("operation") == f"Starting Virtual Machine sandbox({vm_id})"
    sim.settle()
    assert talk.get(task).get("operation") == f"Running Virtual Machine sandbox({vm_id})"


def test_a_running_task_stands_in_its_owners_document(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    inside = talk.get(talk.vm("sandbox")).find("v:Tasks/v:Task", NS)
    assert inside is not None
    assert inside.get("href") == task
    sim.settle()
    assert talk.get(talk.vm("sandbox")).find("v:Tasks", NS) is None


def test_a_cancelled_task_leaves_things_as_they_were(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    assert "task:cancel" in rels(talk.get(task))
    assert talk.send("POST", f"{task}/action/cancel").status == 204
    sim.settle()
    assert (talk.get(task).get("status"), talk.get(task).get("cancelRequested")) == ("canceled", "true")
    assert rels(talk.get(task)) == set()
    assert talk.get(talk.vm("sandbox")).get("status") == "8"
    assert start(talk)


def test_cancelling_what_is_done_changes_nothing(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    sim.settle()
    assert talk.send("POST", f"{task}/action/cancel").status == 204
    assert talk.get(task).get("status") == "success"


def test_the_task_list_of_an_org_has_the_newest_first(sim: Simulator, talk: Talk) -> None:
    start(talk, "sandbox")
    start(talk, "grafana")
    tasks = talk.get(f"/api/tasksList/{id_of(sim, 'orgs', 'acme')}").findall("v:Task", NS)
    owners = [owner.get("name") for task in tasks if (owner := task.find("v:Owner", NS)) is not None]
    assert owners == ["grafana", "sandbox"]


def test_a_larger_template_takes_longer_but_not_for_ever(sim: Simulator, talk: Talk) -> None:
    durations = {}
    for template in ("debian-12", "windows-2022", "lamp"):
        reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim, template, template=template))
        task = sim.world.tasks[(_task_href(reply.body)).rpartition("/")[2]]
        durations[template] = task.ends_at - task.runs_at
    assert 60 <= durations["debian-12"] < durations["windows-2022"] < durations["lamp"] <= 120


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_speed_shortens_what_takes_time(speed: float) -> None:
    sim = Simulator("demo", speed=speed)
    task_id = start(Talk(sim)).rpartition("/")[2]
    task = sim.world.tasks[task_id]
    assert task.ends_at - task.runs_at == pytest.approx(15 / speed)


def test_a_manual_clock_does_not_move_by_itself_nor_back(sim: Simulator) -> None:
    before = sim.clock.now()
    sim.advance(5)
    assert sim.clock.now() == before + 5
    with pytest.raises(ValueError, match="backwards"):
        sim.advance(-1)
    with pytest.raises(RuntimeError, match="manual"):
        Simulator("demo").advance(1)


def test_answers_are_dated_by_the_clock_of_the_world(sim: Simulator, talk: Talk) -> None:
    sim.advance(86400)
    said = parsedate_to_datetime(talk.send("GET", "/api/session").headers["date"])
    assert said.timestamp() == int(sim.clock.now())


def _task_href(body: bytes) -> str:
    marker = b"/api/task/"
    start_at = body.index(marker)
    return body[start_at : start_at + len(marker) + 36].decode()


def test_an_expired_task_is_gone(sim: Simulator, talk: Talk) -> None:
    task = start(talk)
    sim.settle()
    sim.advance(91 * 86400)
    assert Talk(sim).send("GET", task).status == 403
