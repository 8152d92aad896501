"""What tests against the simulator ask of it: finding things by name, waiting for tasks, counting requests."""

from app.vcloud import Client, NewVm, Task, TaskStatus, VApp, Vdc, Vm
from tests.vcloud.support import templates
from vcdsim import Simulator


def finish(sim: Simulator, client: Client, task: Task) -> None:
    """Let the task come to its end, which must be a good one."""
    sim.settle()
    ended = client.task(task.id)
    assert ended.status is TaskStatus.SUCCESS, ended


def vdc_of(client: Client) -> Vdc:
    [found] = client.vdcs()
    return found


def vapp_named(client: Client, name: str) -> VApp:
    [record] = client.vapps(vdc_of(client).id, name)
    return client.vapp(record.id)


def vm_named(client: Client, name: str) -> Vm:
    [record] = [row for row in client.vms(vdc_of(client).id) if row.name == name]
    return client.vm(record.id)


def debian(client: Client) -> str:
    """Return the urn of the VM in the template debian-12."""
    return next(item for item in templates(client) if item.name == "debian-12").vms[0].id


def network_urn(client: Client, name: str = "acme-net") -> str:
    return next(item for item in client.inventory(vdc_of(client).id).networks if item.name == name).id


def added(sim: Simulator, client: Client, vapp: VApp, *vms: NewVm) -> list[Vm]:
    """Recompose, and return the VMs that were not there before."""
    known = {vm.id for vm in vapp.vms}
    finish(sim, client, client.recompose(vapp.id, vms))
    return [vm for vm in client.vapp(vapp.id).vms if vm.id not in known]


def sent(sim: Simulator, ending: str) -> int:
    return sum(method != "GET" and path.endswith(ending) for method, path in sim.requests)
