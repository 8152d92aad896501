"""Making, renaming and deleting vApps and VMs."""

import pytest

from tests.vcdsim.talk import (
    BASE,
    NS,
    VCLOUD,
    Reply,
    Talk,
    id_of,
    instantiate_body,
    instantiate_path,
    network_config,
    rels,
    send,
    sourced_item,
    text,
)
from vcdsim import Simulator


def create(talk: Talk, body: str, vdc: str = "acme-vdc") -> str:
    """Instantiate and wait; the path of the new vApp."""
    reply = talk.send("POST", instantiate_path(talk.sim, vdc), body)
    assert reply.status == 201, reply.body
    talk.sim.settle()
    return reply.headers["location"]


def refused(talk: Talk, body: str) -> tuple[str | None, str]:
    reply = talk.send("POST", instantiate_path(talk.sim), body)
    assert reply.status == 400
    return reply.error


def test_the_answer_is_the_unresolved_vapp_with_its_task(sim: Simulator, talk: Talk) -> None:
    reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim, "shop-2"))
    vapp = reply.root
    task = vapp.find("v:Tasks/v:Task", NS)
    assert reply.status == 201
    assert reply.headers["location"] == vapp.get("href")
    assert (vapp.get("name"), vapp.get("status"), vapp.get("deployed")) == ("shop-2", "0", "false")
    assert vapp.find("v:Children", NS) is None
    assert rels(vapp) <= {"up", "down"}
    assert task is not None
    assert (task.get("operationName"), task.get("status")) == ("vdcInstantiateVapp", "queued")
    assert (task.get("operation") or "").startswith("Creating Virtual Application shop-2(")


def test_the_description_is_visible_at_once(sim: Simulator, talk: Talk) -> None:
    talk.send("POST", instantiate_path(sim), instantiate_body(sim, "shop-2"))
    (record,) = talk.get("/api/query?type=vApp&filter=name==shop-2").findall("v:VAppRecord", NS)
    assert (record.get("status"), record.get("isBusy")) == ("UNRESOLVED", "true")
    assert text(talk.get(record.get("href") or ""), "v:Description") == "made by a test"


def test_after_about_a_minute_it_is_there_and_off(sim: Simulator, talk: Talk) -> None:
    reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim))
    location = reply.headers["location"]
    sim.advance(55)
    assert talk.get(location).get("status") == "0"
    sim.advance(65)
    vapp = talk.get(location)
    assert (vapp.get("status"), vapp.get("deployed")) == ("8", "false")
    assert [vm.get("status") for vm in vapp.findall("v:Children/v:Vm", NS)] == ["8"]


def test_deploy_and_power_on_are_the_default(sim: Simulator, talk: Talk) -> None:
    vapp = talk.get(create(talk, instantiate_body(sim, attributes="")))
    assert (vapp.get("status"), vapp.get("deployed")) == ("4", "true")


def test_deployed_but_not_on(sim: Simulator, talk: Talk) -> None:
    vapp = talk.get(create(talk, instantiate_body(sim, attributes='powerOn="false"')))
    assert (vapp.get("status"), vapp.get("deployed")) == ("8", "true")


def test_a_sourced_item_names_the_vm_and_remembers_its_password(sim: Simulator, talk: Talk) -> None:
    body = instantiate_body(sim, networks=network_config(sim, "net"), items=sourced_item(sim, "web-1", network="net"))
    vm = talk.get(create(talk, body)).find("v:Children/v:Vm", NS)
    assert vm is not None
    assert vm.get("name") == "web-1"
    assert text(vm, "v:GuestCustomizationSection/v:AdminPassword") == "S3cret-one"
    assert text(vm, "v:GuestCustomizationSection/v:ComputerName") == "web-1"
    assert vm.get("needsCustomization") == "true"


def test_sourced_items_do_not_exist_below_5_6(sim: Simulator) -> None:
    code, message = refused(Talk(sim, version="5.5"), instantiate_body(sim, items=sourced_item(sim, "web-1")))
    assert code == "BAD_REQUEST"
    assert "cvc-complex-type.2.4.a" in message
    assert "'SourcedItem'" in message


def test_elements_out_of_order_are_refused(sim: Simulator, talk: Talk) -> None:
    body = instantiate_body(sim)
    start, end = body.index("<Description>"), body.index("</Description>") + len("</Description>")
    _, message = refused(talk, body[:start] + body[end:].replace("<AllEULA", body[start:end] + "<AllEULA"))
    assert "Invalid content was found starting with element 'Description'" in message


@pytest.mark.parametrize("body", ["", "no xml", "<VApp/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_body_that_is_not_the_expected_one_is_refused(talk: Talk, body: str) -> None:
    assert refused(talk, body)[0] == "BAD_REQUEST"


def test_a_three_vm_template_makes_three_vms(sim: Simulator, talk: Talk) -> None:
    vapp = talk.get(create(talk, instantiate_body(sim, template="lamp")))
    assert [vm.get("name") for vm in vapp.findall("v:Children/v:Vm", NS)] == ["lamp-web", "lamp-app", "lamp-db"]


def test_a_vapp_name_is_taken_once_per_vdc(sim: Simulator, talk: Talk) -> None:
    code, message = refused(talk, instantiate_body(sim, "shop"))
    assert (code, "The VCD entity shop already exists." in message) == ("DUPLICATE_NAME", True)
    create(Talk(sim, "globex-admin@globex"), instantiate_body(sim, "shop"), "globex-vdc")


def test_a_name_is_taken_from_the_moment_it_is_asked_for(sim: Simulator, talk: Talk) -> None:
    talk.send("POST", instantiate_path(sim), instantiate_body(sim))
    assert refused(talk, instantiate_body(sim))[0] == "DUPLICATE_NAME"


def test_storage_beyond_the_quota_is_refused(sim: Simulator, talk: Talk) -> None:
    profile = next(one for one in sim.world.storage_profiles.values() if one.limit_mb == 2_048_000)
    profile.limit_mb = sim.world.storage_used_mb(profile) + 10 * 1024 - 1
    _, message = refused(talk, instantiate_body(sim))
    assert "The requested operation will exceed the VDC's storage quota." in message
    profile.limit_mb += 1
    create(talk, instantiate_body(sim))


def test_a_failed_instantiation_leaves_a_vapp_that_can_be_deleted(sim: Simulator, talk: Talk) -> None:
    reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim))
    path = reply.headers["location"]
    task = reply.root.find("v:Tasks/v:Task", NS)
    assert task is not None
    talk.send("POST", f"{task.get('href')}/action/cancel")
    vapp = talk.get(path)
    assert (vapp.get("status"), vapp.find("v:Children", NS)) == ("-1", None)
    assert "remove" in rels(vapp)
    assert talk.do("DELETE", path) == "success"
    assert talk.send("GET", path).status == 403


def test_compose_makes_an_empty_vapp_without_power_links(sim: Simulator, talk: Talk) -> None:
    body = f'<ComposeVAppParams xmlns="{VCLOUD}" name="empty"/>'
    reply = talk.send("POST", f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}/action/composeVApp", body)
    sim.settle()
    vapp = talk.get(reply.headers["location"])
    assert vapp.get("status") == "1"
    assert not any("power" in rel or rel == "deploy" for rel in rels(vapp))
    assert talk.send("POST", f"{reply.headers['location']}/power/action/powerOn").status == 400


def test_a_vapp_and_a_vm_can_be_renamed(talk: Talk) -> None:
    vapp, vm = talk.vapp("sandbox"), talk.vm("sandbox")
    assert talk.do("PUT", vapp, f'<VApp xmlns="{VCLOUD}" name="play"><Description>x</Description></VApp>') == "success"
    assert talk.do("PUT", vm, f'<Vm xmlns="{VCLOUD}" name="play-1"/>') == "success"
    assert talk.get(vapp).get("name") == "play"
    assert text(talk.get(vapp), "v:Description") == "x"
    assert talk.get(vm).get("name") == "play-1"


def test_renaming_to_a_taken_name_is_refused(talk: Talk) -> None:
    vapp = talk.send("PUT", talk.vapp("sandbox"), f'<VApp xmlns="{VCLOUD}" name="shop"/>')
    vm = talk.send("PUT", talk.vm("shop-web-1"), f'<Vm xmlns="{VCLOUD}" name="shop-db"/>')
    assert [reply.error[0] for reply in (vapp, vm)] == ["DUPLICATE_NAME"] * 2


def test_only_what_is_undeployed_can_be_deleted(talk: Talk) -> None:
    for path, words in (
        (talk.vapp("shop"), 'vApp "shop". Stop the vApp'),
        (talk.vm("grafana"), 'VM "grafana". Stop the VM'),
    ):
        reply = talk.send("DELETE", path)
        assert reply.status == 400
        assert f"could not be executed on {words} and try again." in reply.error[1]
    assert talk.do("DELETE", f"{talk.vapp('sandbox')}?force=False&recursive=False") == "success"


def test_deleting_the_last_vm_leaves_an_empty_vapp(talk: Talk) -> None:
    vapp = talk.vapp("sandbox")
    assert talk.do("DELETE", talk.vm("sandbox")) == "success"
    assert talk.get(vapp).get("status") == "1"


def test_the_task_of_a_deletion_outlives_its_vapp(talk: Talk) -> None:
    path = talk.vapp("sandbox")
    task = talk.send("DELETE", path).root.get("href") or ""
    talk.sim.settle()
    assert talk.send("GET", path).status == 403
    assert talk.get(task).get("operationName") == "vdcDeleteVapp"


def test_a_template_id_of_nowhere_is_forbidden(sim: Simulator, talk: Talk) -> None:
    body = instantiate_body(sim).replace(id_of(sim, "templates", "debian-12"), "00000000-0000-4000-8000-000000000000")
    assert talk.send("POST", instantiate_path(sim), body).status == 403


def test_hrefs_of_a_request_may_name_any_host(sim: Simulator, talk: Talk) -> None:
    create(talk, instantiate_body(sim).replace(BASE, "https://vcd.behind.proxy"))


def post(talk: Talk, media_type: str) -> Reply:
    body = instantiate_body(talk.sim, "typed")
    return send(talk.sim, "POST", instantiate_path(talk.sim), {**talk.headers, "content-type": media_type}, body)


@pytest.mark.parametrize(
    "wrong",
    ["", "text/plain", "application/json", "application/vnd.vmware.vcloud.vm+xml", "application/*+json;version=36.0"],
)
def test_a_body_of_another_content_type_is_refused(talk: Talk, wrong: str) -> None:
    reply = post(talk, wrong)
    assert (reply.status, reply.error[0]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "typed" not in [vapp.name for vapp in talk.sim.world.vapps.values()]


@pytest.mark.parametrize(
    "right",
    [
        "application/vnd.vmware.vcloud.instantiateVAppTemplateParams+xml",
        "application/vnd.vmware.vcloud.instantiatevapptemplateparams+xml;version=5.5; charset=utf-8",
        "application/xml",
    ],
)
def test_case_and_parameters_of_a_content_type_do_not_matter(talk: Talk, right: str) -> None:
    assert post(talk, right).status == 201
