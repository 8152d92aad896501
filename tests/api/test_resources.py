"""What the API tells: data centers, templates, networks, machines, operations."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.blueprints.api.openapi import document
from app.cloud import offers, vm_search, wishes
from app.cloud.models import Vm, VmGuard
from app.cloud.rules import Action
from app.db import db, transaction
from tests.api.conftest import MakeProgram
from tests.support.api import Program, problem
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, vdc_of
from tests.support.machines import ask, vm_named
from tests.support.statements import statements
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["name"] for item in answer["items"]]


def test_data_centers_tell_their_free_room(api: Program, cloud: Simulator) -> None:
    (vdc,) = api.get("/vdcs").json["items"]
    free = offers.free_of(vdc_of("acme-vdc").id)
    assert (vdc["name"], vdc["id"]) == ("acme-vdc", str(vdc_of("acme-vdc").id))
    assert vdc["free"] == vars(free)


def test_templates_tell_what_can_be_asked_and_why_not(api: Program, cloud: Simulator) -> None:
    vdc_id = vdc_of("acme-vdc").id
    with transaction():
        db.session.execute(update(Vm).where(Vm.name == "sandbox").values(cpu_count=10_000))
    templates = {item["name"]: item for item in api.get("/templates", vdc=vdc_id).json["items"]}
    assert set(templates) == {offer.template.name for offer in offers.offers(vdc_id)}
    debian = templates["debian-12"]
    assert debian["unfit"]["code"] == "template_needs_cpu_count"
    assert "0 are free" in debian["unfit"]["detail"]
    assert debian["bounds"]["cpu_count"] == {"least": 1, "most": 0, "cause": "vdc"}
    assert debian["machines"][0]["size"]["cpu_count"] == 1


def test_networks_and_vapps_of_a_data_center(api: Program, cloud: Simulator) -> None:
    vdc_id = vdc_of("acme-vdc").id
    assert names(api.get("/networks", vdc=vdc_id).json) == [row.name for row in offers.networks(vdc_id)]
    assert names(api.get("/vapps", vdc=vdc_id).json) == [row.name for row in offers.vapps(vdc_id)]


@pytest.mark.parametrize("path", ["/templates", "/networks", "/vapps"])
def test_they_are_asked_of_one_data_center(api: Program, cloud: Simulator, path: str) -> None:
    assert problem(api.get(path)) == (400, "value_missing", "vdc")
    assert problem(api.get(path, vdc="acme-vdc")) == (400, "value_bad", "vdc")
    assert problem(api.get(path, vdc=vdc_of("globex-vdc").id)) == (404, "not_found", None)


# ---- machines --------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_and_sorted_like_the_page(api: Program, cloud: Simulator) -> None:
    every = api.get("/vms", sort="name").json
    assert every["total"] == vm_search.counts([vdc_of("acme-vdc").id])["all"] == len(every["items"])
    assert names(every) == sorted(names(every))
    assert names(api.get("/vms", sort="-name").json) == names(every)[::-1]
    shop = api.get("/vms", q="status:on vapp:shop").json
    assert shop["items"]
    assert {(item["state"], item["vapp"]["name"]) for item in shop["items"]} == {("on", "shop")}


def test_pages_join_to_the_whole_and_name_their_neighbours(api: Program, cloud: Simulator) -> None:
    every = names(api.get("/vms", sort="size").json)
    found: list[str] = []
    for number in range(1, 10):
        answer = api.get("/vms", sort="size", per_page=3, page=number)
        found += names(answer.json)
        links = {link.split("; rel=")[1]: link.split("; rel=")[0] for link in answer.headers["Link"].split(", ")}
        assert links['"first"'] == "</api/v1/vms?sort=size&per_page=3&page=1>"
        assert ('"prev"' in links) == (number > 1)
        if '"next"' not in links:
            assert (answer.json["page"], answer.json["pages"]) == (number, number)
            break
        assert links['"next"'] == f"</api/v1/vms?sort=size&per_page=3&page={number + 1}>"
    assert found == every


def test_a_page_beyond_the_last_is_empty(api: Program, cloud: Simulator) -> None:
    assert api.get("/vms", page=1000).json["items"] == []


def test_a_list_costs_the_same_for_every_number_of_rows(api: Program, cloud: Simulator) -> None:
    api.get("/vms")  # notes the use of the token
    counted = []
    for rows in (1, 10):
        with statements() as sent:
            assert len(api.get("/vms", per_page=rows).json["items"]) == rows
        counted.append(len(sent))
    assert counted[0] == counted[1] <= 8


def test_a_machine_tells_all_that_is_known(api: Program, cloud: Simulator) -> None:
    vm = vm_named("shop-web-1")
    told = api.get(f"/vms/{vm.id}").json
    assert (told["name"], told["state"], told["vapp"]["name"]) == ("shop-web-1", "on", "shop")
    assert told["seen_at"].endswith("Z")
    assert [disk["size_mb"] for disk in told["disks"]] == [disk["size_mb"] for disk in vm.disks]
    assert [(card["network"], card["ip"]) for card in told["nics"]] == [(n["network"], n["ip"]) for n in vm.nics]
    assert told["guard"] == {"is_protected": False, "recycled_at": None, "erase_at": None}


def test_a_machine_tells_what_can_be_asked_and_why_not(api: Program, cloud: Simulator) -> None:
    choices = {one["action"]: one for one in api.get(f"/vms/{vm_named('sandbox').id}").json["actions"]}
    assert set(choices) == set(Action)
    allowed = {"title": "Start", "is_allowed": True, "reason": None, "detail": None}
    href = f"/api/v1/vms/{vm_named('sandbox').id}/actions/start"
    assert choices["start"] == {"action": "start", "href": href, **allowed}
    assert choices["shut_down"]["reason"] == "already_off"
    assert choices["shut_down"]["detail"] == "The server is off."


def test_a_machine_at_work_names_its_operation(api: Program, cloud: Simulator, cast: Cast) -> None:
    operation_id = str(ask(cast, "sandbox", Action.START))
    told = api.get(f"/vms/{vm_named('sandbox').id}").json
    assert told["operation_id"] == operation_id
    assert {one["reason"] for one in told["actions"]} == {"busy"}
    listed = {item["name"]: item["operation_id"] for item in api.get("/vms").json["items"]}
    assert listed["sandbox"] == operation_id
    assert listed["terminal"] is None


def test_the_recycle_bin_has_to_be_asked_for(api: Program, cloud: Simulator, clock: Clock) -> None:
    with transaction():
        vm = db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one()
        vm.guard = VmGuard(recycled_at=clock.at, erase_at=clock.at + timedelta(days=1), name_before="sandbox")
    assert "sandbox" not in names(api.get("/vms").json)
    assert names(api.get("/vms", q="status:deleted").json) == ["sandbox"]
    told = api.get(f"/vms/{vm_named('sandbox').id}").json
    assert (told["state"], told["guard"]["erase_at"]) == ("recycled", "2026-11-13T14:20:00Z")


def test_a_machine_can_be_protected_and_freed(api: Program, cloud: Simulator) -> None:
    path = f"/vms/{vm_named('sandbox').id}"
    for on in (True, True, False):
        answer = api.post(f"{path}/protection", {"is_protected": on}, key="")
        assert (answer.status_code, answer.json["guard"]["is_protected"]) == (200, on)


def test_every_action_tells_where_it_is_asked_for(api: Program, cloud: Simulator) -> None:
    told = api.get(f"/vms/{vm_named('sandbox').id}").json
    documented = {path.replace("{vm_id}", told["id"]) for path in document()["paths"]}
    assert {one["href"] for one in told["actions"]} <= documented


def test_a_new_machine_says_what_is_wrong_with_it(api: Program, cloud: Simulator) -> None:
    spec = wish()
    new: dict[str, object] = {"vdc_id": str(spec.vdc_id), "template_id": str(spec.template_id), "vm_name": "web-03"}
    size = {"cpu_count": 1000, "memory_mb": 2048, "disk_gb": 20}
    assert problem(api.post("/vms", {**new, "size": size})) == (400, "cpu_count_too_large_template", "size.cpu_count")
    assert problem(api.post("/vms", {**new, "vm_name": "web_03"})) == (400, "vm_name_bad", "vm_name")
    in_vapp = {"vapp_id": str(vm_named("shop-web-1").vapp_id)}
    assert problem(api.post("/vms", {**new, **in_vapp, "vapp_name": "x"})) == (400, "vapp_named_twice", "vapp_name")
    assert problem(api.post("/vms", {**new, **in_vapp, "vm_name": "shop-web-1"})) == (409, "vm_name_taken", "vm_name")


# ---- operations ------------------------------------------------------------------------------------------------------


def test_operations_are_listed_newest_first(api: Program, cloud: Simulator, cast: Cast, clock: Clock) -> None:
    first = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    clock.move(1)
    second = ask(cast, "terminal", Action.SHUT_DOWN)
    told = api.get("/operations").json
    assert ([item["id"] for item in told["items"]], told["total"]) == ([str(second), str(first)], 2)
    assert [(item["state"], item["progress"]) for item in told["items"]] == [("queued", 0), ("succeeded", 100)]
    assert [item["id"] for item in api.get("/operations", state="succeeded").json["items"]] == [str(first)]
    of_sandbox = api.get("/operations", vm=vm_named("sandbox").id, per_page=1).json
    assert [item["id"] for item in of_sandbox["items"]] == [str(first)]


def test_an_operation_tells_its_steps(api: Program, cloud: Simulator, cast: Cast, clock: Clock) -> None:
    operation_id = ask(cast, "sandbox", Action.START)
    told = api.get(f"/operations/{operation_id}").json
    assert [(step["name"], step["state"]) for step in told["steps"]] == [("power_on", "now"), ("read_back", "todo")]
    assert (told["can_cancel"], told["can_retry"], told["failure"]) == (True, False, None)
    drain(cloud, clock)
    told = api.get(f"/operations/{operation_id}").json
    assert {step["state"] for step in told["steps"]} == {"done"}
    assert (told["title"], told["by"]) == ("sandbox is on", "Owner Berg")


def test_a_failure_is_explained(api: Program, cloud: Simulator, cast: Cast, clock: Clock) -> None:
    words = "There are insufficient CPU or memory resources to complete the operation."
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", words))
    operation_id = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    told = api.get(f"/operations/{operation_id}").json
    assert told["state"] == "failed"
    assert told["failure"]["code"] == "refused"
    assert told["failure"]["vcloud_code"] == "BAD_REQUEST"
    assert words in told["failure"]["vcloud_message"]
    assert told["failure"]["cause"]
    assert told["can_retry"]


def test_an_operation_can_be_given_up_and_gone_on_with(
    api: Program, cloud: Simulator, cast: Cast, clock: Clock
) -> None:
    operation_id = ask(cast, "sandbox", Action.START)
    for _ in range(2):
        answer = api.post(f"/operations/{operation_id}/cancel", key="")
        assert (answer.status_code, answer.json["state"]) == (202, "cancelled")
    assert problem(api.post(f"/operations/{operation_id}/retry", key="")) == (409, "retry_impossible", None)
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", "No."))
    failed = ask(cast, "sandbox", Action.START)
    drain(cloud, clock)
    answer = api.post(f"/operations/{failed}/retry", key="")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/v1/operations/{failed}")
    drain(cloud, clock)
    assert api.get(f"/operations/{failed}").json["state"] == "succeeded"
    assert problem(api.post(f"/operations/{failed}/cancel", key="")) == (409, "cancel_too_late", None)


def test_a_password_is_shown_to_who_asked_for_it(
    api: Program, program: MakeProgram, cloud: Simulator, cast: Cast, clock: Clock
) -> None:
    path = f"/vms/{vm_named('sandbox').id}/actions/reset-password"
    asked = api.post(path, {"password": "Own-Password-1"})
    password_path = f"/operations/{asked.json['id']}/password"
    assert problem(api.post(password_path, key="")) == (409, "password_not_ready", None)
    drain(cloud, clock)
    assert problem(program(cast.technician).post(password_path, key="")) == (404, "not_found", None)
    assert api.get(f"/operations/{asked.json['id']}").json["has_password"]
    shown = api.post(password_path, key="").json
    assert (shown["password"], shown["login"]) == ("Own-Password-1", "ssh root@203.0.113.18")
    clock.move(601)
    assert problem(api.post(password_path, key="")) == (409, "password_taken", None)


def test_what_somebody_else_has_does_not_exist(api: Program, cloud: Simulator) -> None:
    assert problem(api.get(f"/vms/{uuid.uuid4()}")) == (404, "not_found", None)


def test_the_same_wish_twice_at_once_is_refused_with_the_reason(api: Program, cloud: Simulator, cast: Cast) -> None:
    vm_id = vm_named("sandbox").id
    wishes.ask(cast.owner, vm_id, Action.START, new_token())
    answer = api.post(f"/vms/{vm_id}/actions/start")
    assert problem(answer) == (409, "action_blocked", None)
    assert answer.json["reason"] == "busy"
