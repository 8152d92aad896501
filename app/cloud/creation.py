"""What both ways of creating machines share: the mark, the steps from a built machine to one that runs, the clean-up.

`params["machines"]` are the machines in order, each {"name", "template_name", "template_vm_urn", "size", "is_resized"};
`facts["vm_urns"]` are their urns once they are built, `facts["network"]` the name of their network in the vApp.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app import clock, vcloud
from app.cloud import mirror
from app.cloud.machine_steps import change
from app.cloud.models import Vm
from app.cloud.networks import OrgNetwork
from app.cloud.operation_models import Operation
from app.cloud.steps import Again, Next, Outcome, Step, Turn, Wait
from app.db import db

MARK = "skiff:"
Look = Callable[[Turn, int], Outcome | None]
Send = Callable[[Turn, int], Outcome]


def mark(turn: Turn) -> str:
    """What a thing made by this operation has in its `Description`, from the instant at which it can be seen."""
    return f"{MARK}{turn.operation_id}"


def machine(turn: Turn, number: int) -> dict[str, Any]:
    """What was asked of one of the machines."""
    wanted: dict[str, Any] = turn.params["machines"][number]
    return wanted


def org_network(turn: Turn) -> OrgNetwork | None:
    """The organization network that was chosen, if any."""
    if turn.params["network_urn"] is None:
        return None
    return OrgNetwork(
        urn=turn.params["network_urn"], name=turn.params["network_name"], is_isolated=turn.params["is_isolated"]
    )


def live_vm(turn: Turn, number: int) -> vcloud.Vm:
    """One of the machines as vCloud has it now."""
    return turn.client.vm(turn.facts["vm_urns"][number])


def _each(name: str, look: Look, send: Send) -> Step:
    """A step that is done for one machine after the other; how many are done is a fact, so that none is done twice."""
    done = f"{name}_done"

    def look_at_next(turn: Turn) -> Outcome | None:
        number = turn.facts.get(done, 0)
        outcome = look(turn, number)
        is_last = number + 1 == len(turn.params["machines"])
        if is_last or not isinstance(outcome, Next):
            return outcome
        return Again(facts={done: number + 1}, text=f"{machine(turn, number)['name']}: done")

    return Step(name=name, look=look_at_next, send=lambda turn: send(turn, turn.facts.get(done, 0)), may_cancel=True)


# ---- shape -------------------------------------------------------------------------------------------------------


def _change(turn: Turn, number: int) -> vcloud.VmChange:
    """What has to change so that the machine is as asked: its size, and its first card's network.

    The network differs only below API 5.6, where a machine of a new vApp comes wired as in its template.
    """
    vm, wanted, network = live_vm(turn, number), machine(turn, number), turn.facts["network"]
    is_wired = network is None or not vm.nics or vm.nics[0].network == network
    cards = {} if is_wired else {vm.nics[0].index: vcloud.Wiring(network)}
    if not wanted["is_resized"]:
        return vcloud.VmChange(cards=cards)
    size = wanted["size"]
    return vcloud.VmChange(
        cpu_count=size["cpu_count"] if vm.cpu_count != size["cpu_count"] else None,
        memory_mb=size["memory_mb"] if vm.memory_mb != size["memory_mb"] else None,
        disk_mb=_grown_disk(vm, size["disk_gb"]),
        cards=cards,
    )


def _grown_disk(vm: vcloud.Vm, disk_gb: int) -> dict[str, int]:
    """The new size in MB of the first disk, so that all disks together have what was asked; disks only grow."""
    missing_mb = disk_gb * 1024 - sum(disk.size_mb for disk in vm.disks)
    return {vm.disks[0].instance_id: vm.disks[0].size_mb + missing_mb} if vm.disks and missing_mb > 0 else {}


def _look_shape(turn: Turn, number: int) -> Outcome | None:
    return Next() if _change(turn, number) == vcloud.VmChange() else None


def _shape(turn: Turn, number: int) -> Outcome:
    task = turn.client.reconfigure(turn.facts["vm_urns"][number], _change(turn, number))
    return Wait(task_urn=task.id, text=task.operation)


# ---- customise ---------------------------------------------------------------------------------------------------


def _look_customise(turn: Turn, number: int) -> Outcome | None:
    vm, name = live_vm(turn, number), machine(turn, number)["name"]
    settings = vm.customization
    is_set = settings.enabled and settings.password_enabled and not settings.password_auto
    # vCloud does not tell the password; that ours was set is known only when the task of our request ended well.
    has_it = is_set and vm.name == name and settings.computer_name == name and turn.task_urn is not None
    return Next() if has_it else None


def _customise(turn: Turn, number: int) -> Outcome:
    name = machine(turn, number)["name"]
    settings = vcloud.GuestCustomization(
        enabled=True, computer_name=name, password=turn.password, reset_password_required=False
    )
    change = vcloud.VmChange(name=name, customization=settings)
    task = turn.client.reconfigure(turn.facts["vm_urns"][number], change)
    return Wait(task_urn=task.id, text=task.operation)


# ---- power and mirror --------------------------------------------------------------------------------------------


def power_on(of_whom: Callable[[Turn], str]) -> Step:
    """All machines switched on in one go: `of_whom` is the urn of the vApp, or of the one machine."""

    def look(turn: Turn) -> Outcome | None:
        found = (live_vm(turn, number) for number in range(len(turn.params["machines"])))
        return Next() if all(vm.status == vcloud.VmStatus.POWERED_ON for vm in found) else None

    send = change(lambda turn: turn.client.deploy(of_whom(turn), power_on=True))
    return Step(name="power_on", look=look, send=send, may_cancel=True)


def _read_back(turn: Turn) -> Outcome | None:
    at = clock.now()
    vapp, urns = turn.client.vapp(turn.facts["vapp_urn"]), turn.facts["vm_urns"]
    return Next(apply=lambda operation: _mirror(operation, vapp, urns, at))


def not_built(vapp: vcloud.VApp) -> Wait:
    """The outcome while vCloud is at work in the vApp: its task is waited for, if one can be seen."""
    unfinished = next((task for task in vapp.tasks if not task.status.final), None)
    return Wait(task_urn=unfinished.id if unfinished else None)


def built(vapp: vcloud.VApp, urns: list[str], at: datetime) -> Next:
    """The outcome of the step in which the machines came to be; `vapp` is as it was at `at`.

    One machine enters the mirror at once and has this operation at work on it, so that nothing else can be asked of it
    while it is half made. Several wait until they are ready, for an operation is about one.
    """
    facts = {"vm_urns": urns}
    if len(urns) > 1:
        return Next(facts=facts)
    return Next(facts=facts, apply=lambda operation: _mirror(operation, vapp, urns, at))


def _mirror(operation: Operation, vapp: vcloud.VApp, urns: list[str], at: datetime) -> None:
    mirror.apply_vapp(operation.vdc_id, vapp, at)
    db.session.flush()
    found = db.session.scalars(select(Vm).where(Vm.vdc_id == operation.vdc_id, Vm.urn.in_(urns)))
    made = {vm.urn: vm for vm in found}
    for vm in made.values():
        vm.state_since = vm.state_since or at
    operation.vm_id = made[urns[0]].id


# ---- clean-up ----------------------------------------------------------------------------------------------------


def clean_up(find: Callable[[Turn], vcloud.VApp | vcloud.Vm | None]) -> tuple[Step, Step]:
    """The steps that switch off and delete what a creation has made; `find` is how it knows that in vCloud."""

    def look_undeploy(turn: Turn) -> Outcome | None:
        ours = find(turn)
        return Next() if ours is None or not ours.deployed else None

    def look_remove(turn: Turn) -> Outcome | None:
        return Next(apply=_forget) if find(turn) is None else None

    def urn(turn: Turn) -> str:
        ours = find(turn)
        if ours is None:
            raise vcloud.NotFound("what was half made is gone")
        return ours.id

    undeploy = change(lambda turn: turn.client.undeploy(urn(turn), power_action="force"))
    remove = change(lambda turn: turn.client.delete(urn(turn)))
    return (
        Step(name="undeploy", look=look_undeploy, send=undeploy, undoes=True),
        Step(name="remove", look=look_remove, send=remove, undoes=True),
    )


def _forget(operation: Operation) -> None:
    """Nothing is left in vCloud, so nothing is left in the mirror either."""
    if operation.vm is not None:
        operation.vm.gone_at = clock.now()
    operation.vm_id = None


SHAPE = _each("shape", _look_shape, _shape)
CUSTOMISE = _each("customise", _look_customise, _customise)
READ_BACK = Step(name="read_back", look=_read_back)
