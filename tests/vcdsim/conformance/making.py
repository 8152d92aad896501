"""The commands that make vApps and VMs: instantiate, compose, recompose, clone, a VM on its own."""

from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.steps import must, see
from tests.vcdsim.talk import (
    BASE,
    NS,
    VCLOUD,
    Talk,
    id_of,
    instantiate_body,
    instantiate_path,
    network_config,
    sourced_item,
)
from vcdsim import error

_BLANK = """<VmSpecSection Modified="true"><ovf:Info/><OsType>debian10_64Guest</OsType>
  <NumCpus>2</NumCpus><NumCoresPerSocket>1</NumCoresPerSocket>
  <MemoryResourceMb><Configured>1024</Configured></MemoryResourceMb><DiskSection><DiskSettings>
  <SizeMb>2048</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber><AdapterType>5</AdapterType>
  <ThinProvisioned>true</ThinProvisioned></DiskSettings></DiskSection>
  <HardwareVersion>vmx-13</HardwareVersion></VmSpecSection>"""


def instantiate(talk: Talk, version: Version) -> None:
    """A vApp of each fence mode, seen while it is made and when it is done, and one that fails."""
    sim = talk.sim
    for mode, parent in (("bridged", "acme-net"), ("natRouted", "acme-net"), ("isolated", None)):
        item = sourced_item(sim, f"{mode}-1", network="net") if version >= (5, 6) else ""
        networks = network_config(sim, "net", fence_mode=mode, parent=parent)
        talk.send("POST", instantiate_path(sim), instantiate_body(sim, mode, networks=networks, items=item))
        see(talk, talk.vapp(mode))
        sim.settle()
    see(talk, talk.vapp("natRouted"))
    sim.faults.add("instantiate", task_error=error("INTERNAL_SERVER_ERROR", "Unable to perform this action."))
    talk.send("POST", instantiate_path(sim), instantiate_body(sim, "failed"))
    sim.settle()
    see(talk, talk.vapp("failed"), f"/api/tasksList/{id_of(sim, 'orgs', 'acme')}")


def compose(talk: Talk, version: Version) -> None:
    """An empty vApp that VMs are added to and taken from, one composed of items, a copy, VMs on their own."""
    compose, clone = _of_vdc(talk, "composeVApp"), _of_vdc(talk, "cloneVApp")
    item = sourced_item(talk.sim, "piece") if version >= (5, 6) else _plain_item(talk)
    must(talk, "POST", compose, _params("ComposeVAppParams", "<Description>nothing</Description>", "empty"))
    must(talk, "POST", compose, _params("ComposeVAppParams", item, "composed"))
    recompose = f"{talk.vapp('empty')}/action/recomposeVApp"
    see(talk, talk.vapp("empty"), talk.vapp("composed"))
    must(talk, "POST", recompose, _params("RecomposeVAppParams", item, "empty"))
    see(talk, talk.vapp("empty"))
    name = "piece" if version >= (5, 6) else "debian-12"
    vms = talk.get(talk.vapp("empty")).find(f"v:Children/v:Vm[@name='{name}']", NS)
    assert vms is not None
    must(talk, "POST", recompose, _params("RecomposeVAppParams", f'<DeleteItem href="{vms.get("href")}"/>', "empty"))
    if version >= (5, 7):
        inside = "<Description>changed</Description>"
        item = f'<ReconfigureItem name="ci-runner-2" href="{BASE}{talk.vm("ci-runner-2")}">{inside}</ReconfigureItem>'
        of_build = f"{talk.vapp('build')}/action/recomposeVApp"
        must(talk, "POST", of_build, _params("RecomposeVAppParams", item, "build"))
    must(talk, "POST", clone, _params("CloneVAppParams", f'<Source href="{BASE}{talk.vapp("sandbox")}"/>', "copy"))
    if version >= (30, 0):
        blank = _params("RecomposeVAppParams", f'<CreateItem name="blank">{_BLANK}</CreateItem>', "empty")
        must(talk, "POST", recompose, blank)
    if version >= (32, 0):
        _make_single_vms(talk)


def _make_single_vms(talk: Talk) -> None:
    source = f"{BASE}/api/vAppTemplate/vm-{id_of(talk.sim, 'template_vms', 'debian-12')}"
    item = f'<SourcedVmTemplateItem><Source href="{source}"/></SourcedVmTemplateItem>'
    path = _of_vdc(talk, "instantiateVmFromTemplate")
    must(talk, "POST", path, _params("InstantiateVmTemplateParams", item, "alone", attributes=""))
    blank = f'<CreateVm name="bare">{_BLANK}</CreateVm>'
    must(talk, "POST", _of_vdc(talk, "createVm"), _params("CreateVmParams", blank, "bare", attributes=""))
    see(talk, talk.vm("alone"), talk.vm("bare"))


def _plain_item(talk: Talk) -> str:
    source = f"{BASE}/api/vAppTemplate/vm-{id_of(talk.sim, 'template_vms', 'debian-12')}"
    return f'<SourcedItem><Source href="{source}"/></SourcedItem>'


def _of_vdc(talk: Talk, action: str) -> str:
    return f"/api/vdc/{id_of(talk.sim, 'vdcs', 'acme-vdc')}/action/{action}"


def _params(tag: str, inside: str, name: str, *, attributes: str = 'deploy="false" powerOn="false"') -> str:
    return f'<{tag} xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}" name="{name}" {attributes}>{inside}</{tag}>'
