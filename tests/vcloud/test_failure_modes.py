"""The failure modes that were seen in the field, numbered as in the design's list (vcloud.md, section 4).

A test each for those that are the client's matter; the rest belongs to the operation engine, the sync or the console.
"""

import pytest

from app.vcloud import Busy, Client, Login, NotFound, Refused, Session, TaskStatus, Unavailable, VmChange, VmStatus
from app.vcloud.query import PAGE_SIZE
from tests.vcloud.support import API, TASK, VAPP, VDC, VM, VM_36, Vcd, error_body, fixture, records, vm_row
from tests.vcloud.test_commands import INSTANTIATE, TEMPLATE_PATH, VAPP_PATH, WISH, takes_vapps
from vcdsim import Simulator

PATH = f"/vApp/vm-{VM.rpartition(':')[2]}"
ON = f"{PATH}/power/action/powerOn"
TASK_PATH = f"/task/{TASK.rpartition(':')[2]}"
ACME = Login("acme", "acme-admin", "secret")


@pytest.mark.parametrize("what", ["vm", "vapp", "network"])
def test_mode_01_a_busy_entity_of_any_kind_is_told_by_code_or_words_and_names_its_task(vcd: Vcd, what: str) -> None:
    task = "22222222-0000-4000-8000-0000000000ee"
    words = f"The entity Ref: com.vmware.vcloud.entity.{what}:1 is busy completing an operation VAPP_UPDATE_VM."
    words += f" VAPP_UPDATE_VM(com.vmware.vcloud.entity.task:{task})"
    vcd.answer("POST", ON, error_body("BAD_REQUEST", words), status=400)
    with pytest.raises(Busy) as caught:
        vcd.client().power_on(VM)
    assert caught.value.task_id == f"urn:vcloud:task:{task}"


def test_mode_02_a_new_vapp_comes_with_the_task_to_wait_for(vcd: Vcd) -> None:
    takes_vapps(vcd)
    vapp = vcd.client().instantiate(VDC, WISH)
    assert vapp.status is VmStatus.UNRESOLVED
    assert not vapp.tasks[0].status.final


@pytest.mark.parametrize("status", list(TaskStatus))
def test_mode_03_and_04_a_task_is_over_in_four_states_only(vcd: Vcd, status: TaskStatus) -> None:
    vcd.answer("GET", TASK_PATH, fixture("task-running-36").replace('"running"', f'"{status}"'))
    assert vcd.client().task(TASK).status.final == (status in {"success", "error", "canceled", "aborted"})


def test_mode_05_a_session_that_dies_in_an_operation_is_opened_again_and_the_command_sent_once() -> None:
    sim = Simulator("demo", manual_clock=True)
    with sim.serve() as url, Client(url, ACME) as client:
        [vdc] = client.vdcs()
        [vapp] = client.vapps(vdc.id, "sandbox")
        task = client.power_on(vapp.id)
        sim.expire_sessions()
        sim.settle()
        assert client.task(task.id).status is TaskStatus.SUCCESS
    assert sum(path.endswith("/power/action/powerOn") for _, path in sim.requests) == 1


def test_mode_06_one_authorizing_header_and_no_belief_in_html(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", TASK_PATH, "<html>sign in</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(Unavailable):
        vcd_39.client().task(TASK)
    headers = {name.lower() for name in vcd_39.last.headers}
    assert len(headers & {"authorization", "x-vcloud-authorization", "cookie"}) == 1


def test_mode_07_vclouds_own_error_is_asked_once_and_keeps_the_request_id(vcd: Vcd) -> None:
    words = "[ 24e9f319-05bd-474e-bd1d-2b8bb3ea9c98 ] Unable to perform this action. Contact your cloud administrator."
    body = error_body("INTERNAL_SERVER_ERROR", words, 500)
    vcd.mock.add("GET", API + TASK_PATH, body, status=500)
    with pytest.raises(Unavailable) as caught:
        vcd.client().task(TASK)
    assert caught.value.request_id == "24e9f319-05bd-474e-bd1d-2b8bb3ea9c98"
    assert len(vcd.calls) == 1


def test_mode_08_a_vapp_is_created_neither_deployed_nor_on_so_that_each_step_can_fail_alone(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    vcd_39.client().instantiate(VDC, WISH)
    assert b'deploy="false" powerOn="false"' in vcd_39.last.body
    assert b"<Description>skiff op-42</Description>" in vcd_39.last.body  # the mark by which an orphan is known


def test_mode_09_an_empty_vapp_is_read_and_offers_no_power(vcd: Vcd) -> None:
    empty = fixture("vapp-created-5.5").replace('status="0"', 'status="1"')
    vcd.answer("GET", VAPP_PATH, empty)
    vapp = vcd.client().vapp(VAPP)
    assert (vapp.status, vapp.vms) == (VmStatus.RESOLVED, ())
    assert not any(link.startswith("power:") for link in vapp.links)


def test_mode_10_and_11_off_but_deployed_is_told_and_one_vm_can_be_undeployed_alone(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("vm-5.5").replace('status="4"', 'status="8"'))
    vcd.answer("POST", f"{PATH}/action/undeploy", fixture("task-running-36"), status=202)
    client = vcd.client()
    vm = client.vm(VM)
    assert (vm.status, vm.deployed, "remove" in vm.links) == (VmStatus.POWERED_OFF, True, False)
    client.undeploy(VM)
    assert vcd.calls[-1] == f"POST {PATH}/action/undeploy"


def test_mode_12_and_13_a_resize_keeps_cores_per_socket_and_every_disk(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("vm-5.5"))
    vcd.answer("POST", f"{PATH}/action/reconfigureVm", fixture("task-running-36"), status=202)
    vcd.client().reconfigure(VM, VmChange(cpu_count=8, disk_mb={"2000": 40960}))
    assert b">2</vmw:CoresPerSocket>" in vcd.last.body
    assert vcd.last.body.count(b"ResourceType>17<") == fixture("vm-5.5").count("ResourceType>17<") == 2
    assert b'capacity="40960"' in vcd.last.body
    assert b"VirtualQuantity>42949672960<" in vcd.last.body


def test_mode_14_an_address_that_is_not_known_yet_is_none(vcd_39: Vcd) -> None:
    vcd_39.answer("GET", f"/vApp/vm-{VM_36.rpartition(':')[2]}", fixture("vm-36"))
    assert [nic.ip for nic in vcd_39.client().vm(VM_36).nics] == [None, None]


def test_mode_15_customization_can_be_forced_later(vcd: Vcd) -> None:
    vcd.answer("POST", f"{PATH}/action/deploy", fixture("task-running-36"), status=202)
    vcd.client().deploy(VM, force_customization=True)
    assert b'forceCustomization="true"' in vcd.last.body


def test_mode_16_a_taken_name_is_refused_by_its_code_and_vms_of_templates_are_not_listed(vcd: Vcd) -> None:
    vcd.answer("GET", TEMPLATE_PATH, fixture("template-36"))
    vcd.answer("POST", INSTANTIATE, error_body("DUPLICATE_NAME", "The VCD entity shop already exists."), status=400)
    vcd.answer("GET", "/query", records())
    client = vcd.client()
    with pytest.raises(Refused) as caught:
        client.instantiate(VDC, WISH)
    assert caught.value.minor_code == "DUPLICATE_NAME"
    client.vms(VDC)
    assert "isVAppTemplate==false" in vcd.last.url


def test_mode_17_more_than_one_page_is_read_and_proved(vcd: Vcd) -> None:
    rows = [vm_row(number) for number in range(1, 131)]
    vcd.answer("GET", "/query", records(*rows[:PAGE_SIZE], total=130), query={"page": "1"})
    vcd.answer("GET", "/query", records(*rows[PAGE_SIZE:], total=130), query={"page": "2"})
    assert len(vcd.client().vms(VDC)) == 130


def test_mode_19_no_storage_profile_is_named_so_that_the_vdcs_own_is_taken(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    vcd_39.client().instantiate(VDC, WISH)
    assert b"StorageProfile" not in vcd_39.last.body


def test_mode_20_a_version_that_was_withdrawn_in_the_middle_is_negotiated_again_for_commands_too(vcd_39: Vcd) -> None:
    vcd_39.answer("POST", ON, error_body("NOT_ACCEPTABLE", "supported: 39.1", 406), status=406)
    vcd_39.answer("POST", ON, fixture("task-running-36"), status=202)
    client = vcd_39.client(session=Session("old", "bearer", "36.3"))
    assert client.power_on(VM).id == TASK
    assert client.session
    assert client.session.api_version == "39.1"


def test_mode_20_a_server_that_takes_no_version_of_ours_ends_in_an_error(vcd_39: Vcd) -> None:
    vcd_39.mock.add("GET", API + TASK_PATH, error_body("NOT_ACCEPTABLE", "no", 406), status=406)
    with pytest.raises(Refused) as caught:
        vcd_39.client().task(TASK)
    assert caught.value.minor_code == "NOT_ACCEPTABLE"
    assert len(vcd_39.calls) == 2


def test_mode_21_what_a_version_does_not_know_is_not_sent_to_it(vcd: Vcd) -> None:
    takes_vapps(vcd)
    vcd.client().instantiate(VDC, WISH)
    assert b"SourcedItem" not in vcd.last.body
    assert b"VmGeneralParams" not in vcd.last.body


def test_mode_25_too_many_operations_are_a_reason_to_wait(vcd: Vcd) -> None:
    vcd.answer("POST", ON, error_body("OPERATION_LIMITS_EXCEEDED", "The limit is reached."), status=400)
    with pytest.raises(Busy):
        vcd.client().power_on(VM)


def test_mode_27_what_was_deleted_elsewhere_is_gone_whether_403_or_404(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, error_body("ACCESS_TO_RESOURCE_IS_FORBIDDEN", "No access to entity", 403), status=403)
    vcd.answer("GET", PATH, error_body("RESOURCE_NOT_FOUND", "gone", 404), status=404)
    client = vcd.client()
    for _ in range(2):
        with pytest.raises(NotFound):
            client.vm(VM)
