"""Power, deploy, undeploy: what each does, what each refuses, which links each state shows."""

import pytest

from tests.vcdsim.talk import VCLOUD, Talk, rels
from vcdsim import Simulator

POWER_OF_ON = {"power:powerOff", "power:reboot", "power:reset", "power:shutdown", "power:suspend"}


def undeploy_body(action: str = "powerOff") -> str:
    inner = f"<UndeployPowerAction>{action}</UndeployPowerAction>"
    return f'<UndeployVAppParams xmlns="{VCLOUD}">{inner}</UndeployVAppParams>'


def deploy_body(attributes: str = "") -> str:
    return f'<DeployVAppParams xmlns="{VCLOUD}" {attributes}/>'


def state(talk: Talk, path: str) -> tuple[str | None, str | None]:
    document = talk.get(path)
    return document.get("status"), document.get("deployed")


@pytest.mark.parametrize(
    ("vm", "present", "absent"),
    [
        ("sandbox", {"power:powerOn", "deploy", "remove", "reconfigureVm", "edit"}, POWER_OF_ON | {"undeploy"}),
        ("grafana", {"power:powerOn", "undeploy"}, POWER_OF_ON | {"remove", "deploy"}),
        ("wiki", POWER_OF_ON | {"undeploy", "screen:acquireMksTicket"}, {"remove", "deploy", "power:powerOn"}),
        ("legacy-erp", {"power:powerOn", "discardState", "undeploy", "remove"}, {"power:powerOff", "power:reset"}),
    ],
)
def test_links_of_a_vm_say_what_its_state_allows(talk: Talk, vm: str, present: set[str], absent: set[str]) -> None:
    found = rels(talk.get(talk.vm(vm)))
    assert present <= found
    assert not absent & found


@pytest.mark.parametrize(
    ("vapp", "status", "present", "absent"),
    [
        ("sandbox", "8", {"power:powerOn", "deploy", "remove"}, POWER_OF_ON | {"undeploy"}),
        ("shop", "4", POWER_OF_ON | {"undeploy", "deploy"}, {"remove"}),
        ("intranet", "10", POWER_OF_ON | {"power:powerOn", "undeploy"}, {"remove"}),
        ("monitoring", "8", {"power:powerOn", "undeploy"}, {"remove"}),
    ],
)
def test_links_and_status_of_a_vapp_come_from_its_vms(
    talk: Talk, vapp: str, status: str, present: set[str], absent: set[str]
) -> None:
    document = talk.get(talk.vapp(vapp))
    assert document.get("status") == status
    assert present <= rels(document)
    assert not absent & rels(document)


def test_power_on_takes_about_a_quarter_of_a_minute(sim: Simulator, talk: Talk) -> None:
    vm = talk.vm("sandbox")
    reply = talk.send("POST", f"{vm}/power/action/powerOn")
    assert (reply.status, reply.root.get("operationName")) == (202, "vappDeploy")
    assert reply.headers["location"] == reply.root.get("href")
    sim.advance(14)
    assert state(talk, vm) == ("8", "false")
    sim.advance(2)
    assert state(talk, vm) == ("4", "true")


def test_power_off_leaves_the_vm_deployed(talk: Talk) -> None:
    vm = talk.vm("wiki")
    assert talk.do("POST", f"{vm}/power/action/powerOff") == "success"
    assert state(talk, vm) == ("8", "true")
    assert talk.send("DELETE", vm).status == 400


def test_a_guest_takes_its_time_to_shut_down_and_stays_deployed(sim: Simulator, talk: Talk) -> None:
    vm = talk.vm("wiki")
    talk.send("POST", f"{vm}/power/action/shutdown")
    sim.advance(18)
    assert state(talk, vm) == ("4", "true")
    sim.advance(4)
    assert state(talk, vm) == ("8", "true")


def test_undeploy_then_delete(talk: Talk) -> None:
    vm = talk.vm("wiki")
    assert talk.do("POST", f"{vm}/action/undeploy", undeploy_body()) == "success"
    assert state(talk, vm) == ("8", "false")
    assert talk.do("DELETE", vm) == "success"


def test_undeploying_one_vm_leaves_its_neighbours_running(talk: Talk) -> None:
    talk.do("POST", f"{talk.vm('shop-web-1')}/action/undeploy", undeploy_body())
    assert state(talk, talk.vm("shop-db")) == ("4", "true")
    assert state(talk, talk.vapp("shop")) == ("10", "true")


@pytest.mark.parametrize(("action", "status"), [("powerOff", "8"), ("suspend", "3"), ("shutdown", "8"), ("force", "8")])
def test_undeploy_stops_in_the_wanted_way(talk: Talk, action: str, status: str) -> None:
    vapp = talk.vapp("office")
    assert talk.do("POST", f"{vapp}/action/undeploy", undeploy_body(action)) == "success"
    assert state(talk, vapp) == (status, "false")


def test_undeploy_of_what_is_off_but_deployed_works(talk: Talk) -> None:
    assert talk.do("POST", f"{talk.vapp('monitoring')}/action/undeploy", undeploy_body()) == "success"
    assert state(talk, talk.vm("grafana")) == ("8", "false")


def test_suspend_and_wake_and_discard(talk: Talk) -> None:
    vm = talk.vm("wiki")
    assert talk.do("POST", f"{vm}/power/action/suspend") == "success"
    assert state(talk, vm) == ("3", "true")
    assert talk.do("POST", f"{vm}/power/action/powerOn") == "success"
    assert state(talk, vm) == ("4", "true")
    assert talk.do("POST", f"{talk.vm('legacy-erp')}/action/discardSuspendedState") == "success"
    assert state(talk, talk.vm("legacy-erp")) == ("8", "true")


def test_deploy_without_power_on(talk: Talk) -> None:
    vapp = talk.vapp("sandbox")
    assert talk.do("POST", f"{vapp}/action/deploy", deploy_body('powerOn="false"')) == "success"
    assert state(talk, vapp) == ("8", "true")
    assert talk.do("POST", f"{vapp}/action/deploy", deploy_body()) == "success"
    assert state(talk, vapp) == ("4", "true")


@pytest.mark.parametrize(
    ("path", "action", "words"),
    [
        ("vm:sandbox", "power/action/powerOff", 'since VM "sandbox" is not running.'),
        ("vm:sandbox", "power/action/reset", 'since VM "sandbox" does not have any powered on VMs.'),
        ("vapp:sandbox", "power/action/shutdown", 'since vApp "sandbox" does not have any powered on VMs.'),
        ("vm:wiki", "power/action/powerOn", 'since VM "wiki" is already running.'),
        ("vm:wiki", "action/discardSuspendedState", 'since VM "wiki" is not suspended.'),
    ],
)
def test_what_makes_no_sense_in_a_state_is_refused(talk: Talk, path: str, action: str, words: str) -> None:
    kind, _, name = path.partition(":")
    reply = talk.send("POST", f"{talk.vm(name) if kind == 'vm' else talk.vapp(name)}/{action}")
    assert reply.status == 400
    assert f"The requested operation could not be executed {words}" in reply.error[1]


def test_undeploy_of_what_is_not_running_is_refused(talk: Talk) -> None:
    reply = talk.send("POST", f"{talk.vapp('sandbox')}/action/undeploy", undeploy_body())
    assert 'could not be executed since vApp "sandbox" is not running.' in reply.error[1]


def test_while_a_task_runs_the_vm_is_busy(talk: Talk) -> None:
    vm = talk.vm("wiki")
    task = talk.send("POST", f"{vm}/power/action/shutdown").root
    code, message = talk.send("POST", f"{vm}/power/action/powerOff").error
    assert code == "BUSY_ENTITY"
    assert f"com.vmware.vcloud.entity.vm:{vm.rpartition('vm-')[2]} is busy completing an operation" in message
    assert f"VAPP_SHUTDOWN_GUEST(com.vmware.vcloud.entity.task:{(task.get('id') or '').rpartition(':')[2]})" in message


def test_a_busy_vm_makes_its_vapp_busy_and_the_reverse(talk: Talk) -> None:
    talk.send("POST", f"{talk.vm('shop-web-1')}/power/action/reset")
    assert talk.send("POST", f"{talk.vapp('shop')}/power/action/powerOff").error[0] == "BUSY_ENTITY"
    assert talk.send("POST", f"{talk.vm('shop-db')}/power/action/reset").status == 202
    talk.send("POST", f"{talk.vapp('office')}/power/action/powerOff")
    assert talk.send("DELETE", talk.vm("terminal")).error[0] == "BUSY_ENTITY"


def test_a_vdc_without_room_fails_the_power_on_task(sim: Simulator, talk: Talk) -> None:
    vdc = next(one for one in sim.world.vdcs.values() if one.name == "acme-vdc")
    vdc.memory_limit_mb = sim.world.compute_used(vdc)[1] + 1024 - 4
    vm = talk.vm("sandbox")
    task = talk.send("POST", f"{vm}/power/action/powerOn").root.get("href") or ""
    sim.settle()
    error = talk.get(task).find(f"{{{VCLOUD}}}Error")
    assert talk.get(task).get("status") == "error"
    assert error is not None
    assert "There are insufficient CPU or memory resources to complete the operation." in (error.get("message") or "")
    assert state(talk, vm) == ("8", "false")


def test_customization_is_applied_by_the_first_boot_only(sim: Simulator, talk: Talk) -> None:
    vm = sim.world.vms[talk.vm("sandbox").rpartition("vm-")[2]]
    vm.needs_customization, vm.customized_count = True, 0
    for _ in range(2):
        talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
        talk.do("POST", f"{talk.vm('sandbox')}/action/undeploy", undeploy_body())
    assert (vm.customized_count, vm.gc_status) == (1, "GC_COMPLETE")
    talk.do("POST", f"{talk.vm('sandbox')}/action/deploy", deploy_body('forceCustomization="true"'))
    assert vm.customized_count == 2


def test_a_console_ticket_is_given_only_while_the_vm_is_on(talk: Talk) -> None:
    ticket = talk.send("POST", f"{talk.vm('wiki')}/screen/action/acquireMksTicket")
    assert (ticket.status, [str(child.tag).rpartition("}")[2] for child in ticket.root]) == (
        200,
        ["Host", "Vmx", "Ticket", "Port"],
    )
    assert talk.send("POST", f"{talk.vm('sandbox')}/screen/action/acquireMksTicket").status == 400


@pytest.mark.parametrize("force", ["true", "True"])
def test_what_runs_is_deleted_by_force(sim: Simulator, talk: Talk, force: str) -> None:
    assert talk.send("DELETE", f"{talk.vapp('office')}?force=false").status == 400
    assert talk.do("DELETE", f"{talk.vapp('office')}?force={force}") == "success"
    assert talk.do("DELETE", f"{talk.vm('shop-db')}?force={force}&recursive=false") == "success"
    assert not {"terminal", "shop-db"} & {vm.name for vm in sim.world.vms.values()}
    assert not [ip for net in sim.world.networks.values() for ip, one in net.used.items() if is_gone(sim, one)]


def is_gone(sim: Simulator, holder: str) -> bool:
    networks = {network.id for vapp in sim.world.vapps.values() for network in vapp.networks}
    return holder not in sim.world.vms and holder not in networks
