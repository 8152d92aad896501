"""What administrators do: an organization with a user, a role and a VDC, from the beginning to the end."""

from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.steps import must, see
from tests.vcdsim.talk import BASE, VCLOUD, Talk, id_of

_MODELS = ("AllocationVApp", "AllocationPool", "ReservationPool")
_SETTINGS = (
    "<Settings><VAppLeaseSettings><DeploymentLeaseSeconds>3600</DeploymentLeaseSeconds>"
    "<StorageLeaseSeconds>0</StorageLeaseSeconds></VAppLeaseSettings></Settings>"
)


def administer(provider: Talk, version: Version) -> None:
    """The whole life of an organization."""
    body = f'<AdminOrg xmlns="{VCLOUD}" name="initech"><FullName>Initech</FullName>{_SETTINGS}</AdminOrg>'
    assert provider.send("POST", "/api/admin/orgs", body).status == 201
    org = f"/api/admin/org/{id_of(provider.sim, 'orgs', 'initech')}"
    assert provider.send("PUT", org, body).status == 200
    leases = f'<VAppLeaseSettings xmlns="{VCLOUD}"><StorageLeaseSeconds>0</StorageLeaseSeconds></VAppLeaseSettings>'
    assert provider.send("PUT", f"{org}/settings/vAppLeaseSettings", leases).status == 200
    _roles_and_users(provider, org)
    models = (*_MODELS, "Flex") if version >= (33, 0) else _MODELS
    for model in models:
        _vdc(provider, org, model)
    see(provider, "/api/admin/", org)
    for kind in ("vms", "vapps", "vdcs", "orgs", "users", "tasks", "catalogs", "disks"):
        see(provider, f"/api/admin/{kind}/query?pageSize=3")
    _ends(provider, org)


def _roles_and_users(provider: Talk, org: str) -> None:
    for path, name in (("/api/admin/roles", "auditor"), (f"{org}/roles", "reader")):
        body = f'<Role xmlns="{VCLOUD}" name="{name}"><Description>of a test</Description><RightReferences/></Role>'
        reply = provider.send("POST", path, body)
        assert reply.status == 201
        see(provider, reply.headers["location"])
    role = f'<Role href="{BASE}/api/admin/role/{id_of(provider.sim, "roles", "auditor")}"/>'
    inside = f"<FullName>Peter</FullName><IsEnabled>%s</IsEnabled>{role}<Password>secret</Password>"
    body = f'<User xmlns="{VCLOUD}" name="peter">{inside}</User>'
    reply = provider.send("POST", f"{org}/users", body % "true")
    path = reply.headers["location"]
    see(provider, path, "/api/query?type=user", "/api/query?type=adminUser")
    assert provider.send("PUT", path, body % "false").status == 200


def _vdc(provider: Talk, org: str, model: str) -> None:
    capacity = "".join(
        f"<{name}><Units>{units}</Units><Allocated>4000</Allocated><Limit>4000</Limit></{name}>"
        for name, units in (("Cpu", "MHz"), ("Memory", "MB"))
    )
    profile = f'<ProviderVdcStorageProfile href="{BASE}/api/admin/pvdcStorageProfile/x" name="fast"/>'
    profile = f"<Units>MB</Units><Limit>1024</Limit><Default>true</Default>{profile}"
    inside = f"<AllocationModel>{model}</AllocationModel><ComputeCapacity>{capacity}</ComputeCapacity>"
    inside += f"<VdcStorageProfile>{profile}</VdcStorageProfile>"
    body = f'<CreateVdcParams xmlns="{VCLOUD}" name="{model}">{inside}</CreateVdcParams>'
    must(provider, "POST", f"{org}/vdcsparams", body)
    path = f"/api/admin/vdc/{id_of(provider.sim, 'vdcs', model)}"
    see(provider, path)
    body = f'<AdminVdc xmlns="{VCLOUD}" name="{model}"><ComputeCapacity>{capacity}</ComputeCapacity></AdminVdc>'
    must(provider, "PUT", path, body)


def _ends(provider: Talk, org: str) -> None:
    vdcs = [vdc.id for vdc in provider.sim.world.vdcs.values() if org.endswith(vdc.org_id)]
    for vdc_id in vdcs:
        path = f"/api/admin/vdc/{vdc_id}"
        for verb in ("enable", "disable"):
            assert provider.send("POST", f"{path}/action/{verb}").status == 204
        see(provider, path)
        must(provider, "DELETE", path)
    user = f"/api/admin/user/{id_of(provider.sim, 'users', 'peter')}"
    assert provider.send("DELETE", user).status == 204
    assert provider.send("DELETE", f"/api/admin/role/{id_of(provider.sim, 'roles', 'reader')}").status == 204
    for verb in ("enable", "disable"):
        assert provider.send("POST", f"{org}/action/{verb}").status == 204
    assert provider.send("DELETE", org).status == 204
