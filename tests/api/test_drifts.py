"""What programs are told of changes made in vCloud, and how they decide."""

from app.accounts.rules import TokenScope
from tests.api.conftest import MakeProgram
from tests.support.api import Program, problem
from tests.support.cast import Cast
from tests.support.drift import drifted
from tests.support.machines import vm_named
from vcdsim import Simulator


def test_the_list_has_all_three_values(api: Program, cloud: Simulator) -> None:
    vm_id = vm_named("sandbox").id
    drift_id = drifted(vm_id, "disks", {"2000": 10240}, {"2000": 20480})
    drifted(vm_id, "state", "off", "on")
    (one,) = api.get("/drifts").json["items"]
    assert (one["id"], one["machine"]["name"], one["what"]) == (str(drift_id), "sandbox", "disks")
    assert (one["panel"], one["vcloud"]) == ({"value": {"2000": 10240}}, {"value": {"2000": 20480}})
    assert api.get("/drifts", wants_decision="false").json["total"] == 2
    assert api.get("/drifts", vm=vm_named("wiki").id).json["items"] == []


def test_a_decision_is_about_what_was_seen(api: Program, cloud: Simulator) -> None:
    drift_id = drifted(vm_named("sandbox").id, "cpu_count", 1, 3)
    seen = api.get("/drifts").json["items"][0]["seen"]
    ignored = api.post(f"/drifts/{drift_id}/ignore", {"seen": seen, "days": 7})
    assert (ignored.status_code, ignored.json["state"]) == (200, "ignored")
    assert problem(api.post(f"/drifts/{drift_id}/ignore", {"seen": seen, "days": 8})) == (400, "drift_days_bad", "days")
    assert problem(api.post(f"/drifts/{drift_id}/accept", {"seen": "other"}))[:2] == (409, "drift_moved")
    for _ in range(2):
        assert api.post(f"/drifts/{drift_id}/accept", {"seen": seen}).json["state"] == "accepted"
    assert api.get("/drifts").json["total"] == 0


def test_a_token_that_only_reads_decides_nothing(program: MakeProgram, cast: Cast, cloud: Simulator) -> None:
    drift_id = drifted(vm_named("sandbox").id, "cpu_count", 1, 3)
    reader = program(cast.owner, TokenScope.READ)
    assert problem(reader.post(f"/drifts/{drift_id}/accept", {"seen": "x"}))[:2] == (403, "token_only_reads")
