"""Leases end on the clock of the world: what runs is stopped, what lies about expires, a renewal prevents both."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.vcdsim.talk import NS, VCLOUD, Talk, id_of, rels
from vcdsim import Simulator, error
from vcdsim.entities import VApp

HOUR_S, DAY_S = 3600, 86400


def vapp_of(sim: Simulator, name: str) -> VApp:
    return sim.world.vapps[id_of(sim, "vapps", name)]


def renew(talk: Talk, name: str, *, runtime_s: int = 0, storage_s: int = 0) -> None:
    inside = f"<DeploymentLeaseInSeconds>{runtime_s}</DeploymentLeaseInSeconds>"
    inside += f"<StorageLeaseInSeconds>{storage_s}</StorageLeaseInSeconds>"
    head = f'<LeaseSettingsSection xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"><ovf:Info/>'
    path = f"{talk.vapp(name)}/leaseSettingsSection"
    assert talk.do("PUT", path, f"{head}{inside}</LeaseSettingsSection>") == "success"


def settle_org(sim: Simulator, inside: str) -> None:
    provider = Talk(sim, "administrator@System")
    path = f"/api/admin/org/{id_of(sim, 'orgs', 'acme')}/settings/vAppLeaseSettings"
    body = f'<VAppLeaseSettings xmlns="{VCLOUD}">{inside}</VAppLeaseSettings>'
    assert provider.send("PUT", path, body).status == 200


def pass_time(sim: Simulator, seconds: float) -> None:
    """Time passes, and what that started ends; nobody is logged out for having been idle."""
    sim.advance(seconds)
    for session in sim.world.sessions.values():
        session.used_at = sim.clock.now()
    sim.settle()


def state(talk: Talk, name: str) -> tuple[str | None, str | None]:
    document = talk.get(talk.vapp(name))
    return document.get("status"), document.get("deployed")


def end(talk: Talk, name: str, lease: str) -> float | None:
    text = talk.get(f"{talk.vapp(name)}/leaseSettingsSection").findtext(f"v:{lease}LeaseExpiration", namespaces=NS)
    return None if text is None else datetime.fromisoformat(text).timestamp()


def record(talk: Talk, name: str, kind: str = "vApp") -> dict[str, str]:
    page = talk.get(f"/api/query?type={kind}&filter=name=={name};isDeployed==*&pageSize=1")
    (row,) = page.findall(f"v:{'VApp' if kind == 'vApp' else 'VM'}Record", NS)
    return {str(key): str(value) for key, value in row.items()}


def test_what_runs_is_suspended_at_the_end_of_its_runtime_lease(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S - 60)
    assert state(talk, "office") == ("4", "true")
    pass_time(sim, 60)
    assert state(talk, "office") == ("3", "false")


def test_an_organization_may_have_it_powered_off_instead(sim: Simulator, talk: Talk) -> None:
    settle_org(sim, "<PowerOffOnRuntimeLeaseExpiration>true</PowerOffOnRuntimeLeaseExpiration>")
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S)
    assert state(talk, "office") == ("8", "false")


def test_the_task_of_an_ended_lease_names_the_administrator_of_the_system(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S)
    tasks = talk.get(f"/api/tasksList/{id_of(sim, 'orgs', 'acme')}").findall("v:Task", NS)
    user = tasks[0].find("v:User", NS)
    assert tasks[0].get("operationName") == "vappUndeploySuspend"
    assert user is not None
    assert user.get("name") == "administrator"


def test_a_renewal_begins_the_lease_anew(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S - 60)
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S - 60)
    assert state(talk, "office") == ("4", "true")
    pass_time(sim, 60)
    assert state(talk, "office") == ("3", "false")


def test_the_runtime_lease_begins_with_the_deployment(sim: Simulator, talk: Talk) -> None:
    renew(talk, "sandbox", runtime_s=HOUR_S)
    pass_time(sim, 2 * HOUR_S)
    assert end(talk, "sandbox", "Deployment") is None
    talk.do("POST", f"{talk.vapp('sandbox')}/power/action/powerOn")
    started = sim.clock.now()
    assert end(talk, "sandbox", "Deployment") == pytest.approx(started + HOUR_S, abs=1)
    assert datetime.fromisoformat(record(talk, "sandbox")["autoUndeployDate"]).timestamp() > started
    pass_time(sim, HOUR_S)
    assert state(talk, "sandbox") == ("3", "false")


def test_deploy_may_name_the_length_of_the_lease(sim: Simulator, talk: Talk) -> None:
    body = f'<DeployVAppParams xmlns="{VCLOUD}" deploymentLeaseSeconds="{HOUR_S}"/>'
    assert talk.do("POST", f"{talk.vapp('sandbox')}/action/deploy", body) == "success"
    pass_time(sim, HOUR_S)
    assert state(talk, "sandbox") == ("3", "false")


def test_a_stopped_vapp_expires_at_the_end_of_its_storage_lease(sim: Simulator, talk: Talk) -> None:
    renew(talk, "sandbox", storage_s=DAY_S)
    assert end(talk, "sandbox", "Storage") == pytest.approx(sim.clock.now() + DAY_S, abs=1)
    assert record(talk, "sandbox")["isExpired"] == "false"
    pass_time(sim, DAY_S)
    assert record(talk, "sandbox")["isExpired"] == "true"
    assert record(talk, "sandbox", "vm")["isExpired"] == "true"


def test_an_expired_vapp_can_only_be_renewed_or_deleted(sim: Simulator, talk: Talk) -> None:
    renew(talk, "sandbox", storage_s=DAY_S)
    pass_time(sim, DAY_S)
    vapp = talk.vapp("sandbox")
    assert rels(talk.get(vapp)) & {"edit", "remove", "deploy", "recompose", "power:powerOn"} == {"edit", "remove"}
    for path in (vapp, talk.vm("sandbox")):
        assert "has expired" in talk.send("POST", f"{path}/power/action/powerOn").error[1]
    body = f'<RecomposeVAppParams xmlns="{VCLOUD}" name="sandbox"/>'
    assert "has expired" in talk.send("POST", f"{vapp}/action/recomposeVApp", body).error[1]
    renew(talk, "sandbox", storage_s=DAY_S)
    assert talk.do("POST", f"{vapp}/power/action/powerOn") == "success"


def test_a_running_vapp_does_not_expire(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", storage_s=DAY_S)
    pass_time(sim, 10 * DAY_S)
    assert record(talk, "office")["isExpired"] == "false"


def test_the_storage_lease_begins_anew_when_a_vapp_is_stopped(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", runtime_s=DAY_S, storage_s=DAY_S)
    pass_time(sim, DAY_S)
    assert (state(talk, "office"), record(talk, "office")["isExpired"]) == (("3", "false"), "false")
    pass_time(sim, DAY_S)
    assert record(talk, "office")["isExpired"] == "true"


def test_an_organization_may_have_expired_vapps_deleted(sim: Simulator, talk: Talk) -> None:
    settle_org(sim, "<DeleteOnStorageLeaseExpiration>true</DeleteOnStorageLeaseExpiration>")
    renew(talk, "sandbox", storage_s=DAY_S)
    path = talk.vapp("sandbox")
    pass_time(sim, DAY_S)
    assert talk.send("GET", path).status == 403


def test_a_vapp_at_work_is_stopped_when_it_is_done(sim: Simulator, talk: Talk) -> None:
    renew(talk, "office", runtime_s=HOUR_S)
    pass_time(sim, HOUR_S - 30)
    sim.faults.add("reset", stuck_task=True)
    task = talk.send("POST", f"{talk.vm('terminal')}/power/action/reset").root
    pass_time(sim, 2 * HOUR_S)
    assert state(talk, "office") == ("4", "true")
    assert talk.send("POST", f"{task.get('href')}/action/cancel").status == 204
    pass_time(sim, 120)
    assert state(talk, "office") == ("3", "false")


def test_a_new_vapp_has_the_leases_of_its_organization(sim: Simulator, talk: Talk) -> None:
    settle_org(sim, f"<StorageLeaseSeconds>{DAY_S}</StorageLeaseSeconds>")
    vdc = f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    talk.do("POST", f"{vdc}/action/composeVApp", f'<ComposeVAppParams xmlns="{VCLOUD}" name="leased"/>')
    pass_time(sim, DAY_S)
    assert vapp_of(sim, "leased").is_expired


def test_a_failed_creation_leaves_no_lease_that_breaks_anything(sim: Simulator, talk: Talk) -> None:
    settle_org(sim, f"<StorageLeaseSeconds>{DAY_S}</StorageLeaseSeconds>")
    vdc = f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    sim.faults.add("compose", task_error=error("INTERNAL_SERVER_ERROR", "no", 500))
    talk.do("POST", f"{vdc}/action/composeVApp", f'<ComposeVAppParams xmlns="{VCLOUD}" name="leased"/>')
    pass_time(sim, DAY_S)
    assert "remove" in rels(talk.get(talk.vapp("leased")))


def test_leases_go_on_in_a_loaded_world(sim: Simulator, talk: Talk, tmp_path: Path) -> None:
    renew(talk, "sandbox", storage_s=DAY_S)
    sim.save(tmp_path / "world")
    loaded = Simulator(manual_clock=True, state_file=tmp_path / "world")
    loaded.advance(DAY_S + 60)
    assert vapp_of(loaded, "sandbox").is_expired


@pytest.mark.parametrize("seconds", [-1, 10**12])
def test_a_deployment_for_a_senseless_time_is_refused(talk: Talk, seconds: int) -> None:
    body = f'<DeployVAppParams xmlns="{VCLOUD}" deploymentLeaseSeconds="{seconds}"/>'
    assert talk.send("POST", f"{talk.vapp('sandbox')}/action/deploy", body).status == 400
    assert talk.send("GET", talk.vapp("sandbox")).status == 200


def test_a_lease_that_does_not_fit_the_schema_is_refused(talk: Talk) -> None:
    head = f'<LeaseSettingsSection xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"><ovf:Info/>'
    body = f"{head}<DeploymentLeaseInSeconds>-1</DeploymentLeaseInSeconds></LeaseSettingsSection>"
    assert talk.send("PUT", f"{talk.vapp('sandbox')}/leaseSettingsSection", body).status == 400


def test_a_plain_user_does_not_change_the_settings_of_the_organization(sim: Simulator, talk: Talk) -> None:
    sim.world.users[id_of(sim, "users", "acme-admin")].role = "vApp User"
    path = f"/api/admin/org/{id_of(sim, 'orgs', 'acme')}/settings/vAppLeaseSettings"
    assert talk.send("PUT", path, f'<VAppLeaseSettings xmlns="{VCLOUD}"/>').status == 403
