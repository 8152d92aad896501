"""Administrators: organizations, users, roles, VDCs, and who may do what."""

from __future__ import annotations

import pytest

from tests.vcdsim.talk import (
    BASE,
    NS,
    VCLOUD,
    Reply,
    Talk,
    basic,
    id_of,
    instantiate_body,
    instantiate_path,
    send,
)
from vcdsim import Simulator


@pytest.fixture
def provider(sim: Simulator) -> Talk:
    """The administrator of the system."""
    return Talk(sim, "administrator@System")


def admin(sim: Simulator, kind: str, name: str) -> str:
    return f"/api/admin/{kind}/{id_of(sim, kind + 's', name)}"


def create_org(talk: Talk, name: str = "initech", settings: str = "<Settings/>") -> Reply:
    body = f'<AdminOrg xmlns="{VCLOUD}" name="{name}"><FullName>Initech</FullName>{settings}</AdminOrg>'
    return talk.send("POST", "/api/admin/orgs", body)


def create_user(talk: Talk, org: str = "acme", name: str = "bob", role: str = "vApp User") -> Reply:
    reference = f'<Role href="{BASE}/api/admin/role/{id_of(talk.sim, "roles", role)}"/>'
    inside = f"<IsEnabled>true</IsEnabled>{reference}<Password>secret</Password>"
    return talk.send(
        "POST", f"{admin(talk.sim, 'org', org)}/users", f'<User xmlns="{VCLOUD}" name="{name}">{inside}</User>'
    )


def create_vdc(talk: Talk, model: str = "AllocationPool", *, limit: int = 4000, more: str = "") -> Reply:
    cpu = f"<Cpu><Units>MHz</Units><Allocated>{limit}</Allocated><Limit>{limit}</Limit></Cpu>"
    memory = "<Memory><Units>MB</Units><Allocated>8192</Allocated><Limit>8192</Limit></Memory>"
    profile = f'<ProviderVdcStorageProfile href="{BASE}/api/admin/pvdcStorageProfile/x" name="fast"/>'
    profile = f"<Units>MB</Units><Limit>1024</Limit><Default>true</Default>{profile}"
    inside = f"<AllocationModel>{model}</AllocationModel><ComputeCapacity>{cpu}{memory}</ComputeCapacity>{more}"
    inside += f"<VdcStorageProfile>{profile}</VdcStorageProfile>"
    inside += "<ResourceGuaranteedCpu>0.25</ResourceGuaranteedCpu>"
    body = f'<CreateVdcParams xmlns="{VCLOUD}" name="new-vdc">{inside}</CreateVdcParams>'
    return talk.send("POST", f"{admin(talk.sim, 'org', 'acme')}/vdcsparams", body)


def test_the_cloud_lists_organizations_and_roles(provider: Talk) -> None:
    cloud = provider.get("/api/admin/")
    orgs = [one.get("name") for one in cloud.iter(f"{{{VCLOUD}}}OrganizationReference")]
    assert {"System", "acme", "globex"} <= set(orgs)
    assert "vApp User" in [one.get("name") for one in cloud.iter(f"{{{VCLOUD}}}RoleReference")]


def test_an_organization_is_made_filled_and_used(sim: Simulator, provider: Talk) -> None:
    reply = create_org(provider)
    assert (reply.status, reply.root.get("name")) == (201, "initech")
    assert create_user(provider, "initech", "peter", "Organization Administrator").status == 201
    assert Talk(sim, "peter@initech").get("/api/session").get("org") == "initech"
    assert create_org(provider).error[0] == "DUPLICATE_NAME"


def test_new_vapps_get_the_leases_of_their_organization(sim: Simulator, provider: Talk, talk: Talk) -> None:
    leases = "<DeploymentLeaseSeconds>3600</DeploymentLeaseSeconds><StorageLeaseSeconds>7200</StorageLeaseSeconds>"
    settings = f"<Settings><VAppLeaseSettings>{leases}</VAppLeaseSettings></Settings>"
    body = f'<AdminOrg xmlns="{VCLOUD}" name="acme"><FullName>Acme</FullName>{settings}</AdminOrg>'
    assert provider.send("PUT", admin(sim, "org", "acme"), body).status == 200
    vdc = f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}"
    talk.do("POST", f"{vdc}/action/composeVApp", f'<ComposeVAppParams xmlns="{VCLOUD}" name="leased"/>')
    section = talk.get(f"{talk.vapp('leased')}/leaseSettingsSection")
    assert section.findtext("v:DeploymentLeaseInSeconds", namespaces=NS) == "3600"


def test_a_disabled_organization_keeps_its_users_out(sim: Simulator, provider: Talk, talk: Talk) -> None:
    assert provider.send("POST", f"{admin(sim, 'org', 'acme')}/action/disable").status == 204
    assert talk.send("GET", "/api/session").status == 401
    with pytest.raises(AssertionError, match="401"):
        Talk(sim)
    assert provider.send("POST", f"{admin(sim, 'org', 'acme')}/action/enable").status == 204
    Talk(sim)


def test_only_an_empty_disabled_organization_is_deleted(sim: Simulator, provider: Talk) -> None:
    assert provider.send("DELETE", admin(sim, "org", "acme")).status == 400
    create_org(provider)
    path = admin(sim, "org", "initech")
    assert provider.send("DELETE", path).status == 400
    provider.send("POST", f"{path}/action/disable")
    assert (provider.send("DELETE", path).status, provider.send("GET", path).status) == (204, 403)


def test_a_user_is_changed_disabled_and_deleted(sim: Simulator, talk: Talk) -> None:
    path = create_user(talk).headers["location"].removeprefix(BASE)
    bob = Talk(sim, "bob@acme")
    body = f'<User xmlns="{VCLOUD}" name="bob"><FullName>Bob</FullName><IsEnabled>false</IsEnabled></User>'
    assert talk.send("DELETE", path).status == 400
    assert talk.send("PUT", path, body).root.findtext("v:FullName", namespaces=NS) == "Bob"
    assert bob.send("GET", "/api/session").status == 401
    assert (talk.send("DELETE", path).status, talk.send("GET", path).status) == (204, 403)
    assert "bob" not in [one.get("name") for one in talk.get("/api/query?type=user").findall("v:UserRecord", NS)]


def test_a_user_document_has_no_password(talk: Talk) -> None:
    assert b"secret" not in create_user(talk).body


def test_a_deleted_user_still_stands_in_the_tasks(sim: Simulator, talk: Talk) -> None:
    path = create_user(talk, role="Organization Administrator").headers["location"].removeprefix(BASE)
    bob = Talk(sim, "bob@acme")
    task = bob.send("POST", f"{bob.vm('sandbox')}/power/action/powerOn").root.get("href") or ""
    sim.settle()
    talk.send("PUT", path, f'<User xmlns="{VCLOUD}" name="bob"><IsEnabled>false</IsEnabled></User>')
    assert talk.send("DELETE", path).status == 204
    user = talk.get(task).find("v:User", NS)
    assert user is not None
    assert user.get("name") == "bob"


@pytest.mark.parametrize("model", ["AllocationVApp", "AllocationPool", "ReservationPool", "Flex"])
def test_a_vdc_of_each_model_is_made_with_a_task(provider: Talk, model: str) -> None:
    reply = create_vdc(provider, model)
    assert (reply.status, reply.root.get("status")) == (201, "0")
    provider.sim.settle()
    vdc = provider.get(reply.headers["location"])
    assert (vdc.get("status"), vdc.findtext("v:AllocationModel", namespaces=NS)) == ("1", model)
    reserved = vdc.findtext("v:ComputeCapacity/v:Cpu/v:Reserved", namespaces=NS)
    assert reserved == ("4000" if model == "ReservationPool" else "1000")


def test_an_unknown_model_is_refused(provider: Talk) -> None:
    assert create_vdc(provider, "Infinite").status == 400


def test_a_vm_quota_is_kept(provider: Talk, talk: Talk) -> None:
    create_vdc(provider, more="<VmQuota>1</VmQuota>")
    provider.sim.settle()
    path = f"/api/vdc/{id_of(talk.sim, 'vdcs', 'new-vdc')}/action/composeVApp"
    source = f"{BASE}/api/vAppTemplate/vappTemplate-{id_of(talk.sim, 'templates', 'lamp')}"
    item = f'<SourcedItem><Source href="{source}"/></SourcedItem>'
    reply = talk.send("POST", path, f'<ComposeVAppParams xmlns="{VCLOUD}" name="x">{item}</ComposeVAppParams>')
    assert "VM quota" in reply.error[1]


def test_a_disabled_vdc_takes_nothing_new_and_is_deleted_when_empty(provider: Talk, talk: Talk) -> None:
    path = create_vdc(provider).headers["location"]
    provider.sim.settle()
    assert provider.send("DELETE", path).status == 400
    assert provider.send("POST", f"{path}/action/disable").status == 204
    vdc = f"/api/vdc/{id_of(talk.sim, 'vdcs', 'new-vdc')}"
    body = f'<ComposeVAppParams xmlns="{VCLOUD}" name="x"/>'
    assert "is disabled" in talk.send("POST", f"{vdc}/action/composeVApp", body).error[1]
    assert provider.do("DELETE", path) == "success"
    assert provider.send("GET", path).status == 403


def test_the_body_of_a_vdc_is_checked(sim: Simulator, provider: Talk) -> None:
    body = f'<AdminVdc xmlns="{VCLOUD}" name="acme-vdc"><IsEnabled>true</IsEnabled><VmQuota>7</VmQuota></AdminVdc>'
    reply = provider.send("PUT", admin(sim, "vdc", "acme-vdc"), body)
    assert (reply.status, "starting with element 'VmQuota'" in reply.error[1]) == (400, True)


def test_a_vdc_grows(sim: Simulator, provider: Talk) -> None:
    path = admin(sim, "vdc", "acme-vdc")
    capacity = "".join(f"<{one}><Units>MHz</Units><Limit>99000</Limit></{one}>" for one in ("Cpu", "Memory"))
    body = f'<AdminVdc xmlns="{VCLOUD}" name="acme-vdc"><ComputeCapacity>{capacity}</ComputeCapacity></AdminVdc>'
    assert provider.do("PUT", path, body) == "success"
    assert provider.get(path).findtext("v:ComputeCapacity/v:Cpu/v:Limit", namespaces=NS) == "99000"


def test_a_role_is_made_used_and_deleted(sim: Simulator, provider: Talk) -> None:
    reply = provider.send("POST", "/api/admin/roles", f'<Role xmlns="{VCLOUD}" name="auditor"/>')
    path = reply.headers["location"]
    create_user(provider, role="auditor")
    assert provider.send("DELETE", path).status == 400
    user = next(one for one in sim.world.users.values() if one.name == "bob")
    user.role = "vApp User"
    assert (provider.send("DELETE", path).status, provider.send("GET", path).status) == (204, 403)


def test_a_tenant_administers_only_its_own_users(sim: Simulator, talk: Talk) -> None:
    assert create_org(talk).status == 403
    assert create_vdc(talk).status == 403
    assert create_user(talk, "globex").status == 403
    assert talk.send("POST", f"{admin(sim, 'org', 'acme')}/action/disable").status == 403


def test_a_plain_user_administers_nothing(sim: Simulator, talk: Talk) -> None:
    create_user(talk)
    bob = Talk(sim, "bob@acme")
    assert create_user(bob, name="eve").status == 403
    assert all("/api/admin" not in (link.get("href") or "") for link in bob.get("/api/session"))


def test_a_session_of_an_api_token_manages_no_users(sim: Simulator) -> None:
    form = "grant_type=refresh_token&refresh_token=acme-acme-admin-token"
    reply = send(sim, "POST", "/oauth/tenant/acme/token", {"Authorization": basic("x", "y")}, form)
    token = reply.body.decode().partition('"access_token": "')[2].partition('"')[0]
    talk = Talk(sim)
    talk.headers = {"Accept": talk.headers["Accept"], "Authorization": f"Bearer {token}"}
    assert create_user(talk).status == 403


def test_org_networks_are_a_query_type_up_to_29(sim: Simulator, talk: Talk) -> None:
    assert talk.send("GET", "/api/query?type=orgNetwork").status == 400
    assert Talk(sim, version="29.0").get("/api/query?type=orgNetwork").findall("v:OrgNetworkRecord", NS)


@pytest.mark.parametrize("kind", ["vms", "vapps", "vdcs", "orgs", "users", "tasks", "catalogs", "disks"])
def test_packaged_queries_of_administrators_answer(provider: Talk, kind: str) -> None:
    assert provider.send("GET", f"/api/admin/{kind}/query?pageSize=2").status == 200


def test_the_role_of_the_provider_is_not_for_tenants(sim: Simulator, talk: Talk, provider: Talk) -> None:
    path = f"/api/admin/role/{id_of(sim, 'roles', 'System Administrator')}"
    for document in ("/api/admin/", admin(sim, "org", "acme")):
        names = {one.get("name") for one in talk.get(document).iter(f"{{{VCLOUD}}}RoleReference")}
        assert ("System Administrator" in names, "vApp User" in names) == (False, True)
    assert (talk.send("GET", path).status, provider.send("GET", path).status) == (403, 200)
    assert create_user(talk, role="System Administrator").status == 403
    assert "bob" not in [user.name for user in sim.world.users.values()]


def set_quotas(provider: Talk, stored: int, deployed: int, *, user: bool) -> None:
    """Of acme-admin, or of all members of acme."""
    inside = f"<DeployedVMQuota>{deployed}</DeployedVMQuota><StoredVmQuota>{stored}</StoredVmQuota>"
    path = admin(provider.sim, "org", "acme")
    body = f'<AdminOrg xmlns="{VCLOUD}" name="acme"><FullName>Acme</FullName><Settings><OrgGeneralSettings>{inside}'
    body += "</OrgGeneralSettings></Settings></AdminOrg>"
    if user:
        path = f"/api/admin/user/{id_of(provider.sim, 'users', 'acme-admin')}"
        inside = f"<StoredVmQuota>{stored}</StoredVmQuota><DeployedVmQuota>{deployed}</DeployedVmQuota>"
        body = f'<User xmlns="{VCLOUD}" name="acme-admin">{inside}</User>'
    assert provider.send("PUT", path, body).status == 200


@pytest.mark.parametrize("user", [True, False], ids=["of the user", "of the organization"])
def test_the_quotas_of_members_are_kept(sim: Simulator, talk: Talk, provider: Talk, *, user: bool) -> None:
    has = len([vm for vm in sim.world.vms.values() if vm.org_id == id_of(sim, "orgs", "acme")])
    runs = len([vm for vm in sim.world.vms.values() if vm.is_deployed and vm.org_id == id_of(sim, "orgs", "acme")])
    set_quotas(provider, has + 1, runs, user=user)
    assert talk.do("POST", instantiate_path(sim), instantiate_body(sim, "one-more")) == "success"
    refused = talk.send("POST", instantiate_path(sim), instantiate_body(sim, "too-many"))
    assert (refused.status, "stored VM quota" in refused.error[1]) == (400, True)
    assert talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn") == "error"
    assert talk.get(talk.vm("sandbox")).get("deployed") == "false"
    set_quotas(provider, has + 2, runs + 1, user=user)
    assert talk.do("POST", instantiate_path(sim), instantiate_body(sim, "too-many")) == "success"
    assert talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn") == "success"


def test_the_quotas_of_an_organization_are_shown(sim: Simulator, talk: Talk, provider: Talk) -> None:
    set_quotas(provider, 20, 10, user=False)
    settings = talk.get(admin(sim, "org", "acme")).find("v:Settings/v:OrgGeneralSettings", NS)
    assert settings is not None
    assert [settings.findtext(f"v:{name}", namespaces=NS) for name in ("StoredVmQuota", "DeployedVMQuota")] == [
        "20",
        "10",
    ]
