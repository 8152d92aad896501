"""Create a machine in a new vApp: the request and its steps, side by side.

The wish is checked against the mirror when it is asked for and by vCloud when it is carried out. The machine is made
without power, shaped, customised and only then switched on, so that a failure can be tidied up before anybody
has used it. The mark of the creation is the operation's id in the vApp's `Description`: it becomes visible in the
same instant as the vApp, so a creation whose answer was lost is found again, and adopted, not repeated.
"""

import uuid
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from app import clock, vcloud
from app.accounts.rules import Actor, Permission, can
from app.cloud import networks, operations, sync
from app.cloud.models import Network, Operation, VappTemplate, Vdc, Vm
from app.cloud.offers import CREATE_KIND, ISOLATED, VmSpec, errors_of, own_vdc
from app.cloud.passwords import make_password
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, Wait, register
from app.db import db, transaction
from app.errors import AppError

MARK = "skiff:"


# ---- the request ---------------------------------------------------------------------------------------------


def request_create(actor: Actor, spec: VmSpec, form_token: str) -> uuid.UUID:
    """Ask for a machine; returns the id of the operation.

    The same form sent again answers the first operation. Raises the first AppError of `offers.check`, `not_permitted`,
    `form_reused` when the token was used for another wish, or NotFoundError.
    """
    if not can(actor, Permission.VM_CREATE):
        raise AppError("not_permitted", 403)
    with transaction():
        account_id = own_vdc(actor, spec.vdc_id).service.account_id
        # One at a time in a data center: what one wish takes, the next one must not count as free.
        db.session.execute(select(Vdc.id).where(Vdc.id == spec.vdc_id).with_for_update())
        if operations.find(form_token) is None:
            for error in errors_of(spec):
                raise error
        operation_id = operations.add(
            CREATE,
            actor,
            account_id=account_id,
            vdc_id=spec.vdc_id,
            form_token=form_token,
            claims_name=spec.vapp_name,
            params=_params(spec),
            password=spec.password or make_password(),
        )
    operations.ring(operation_id)
    return operation_id


def _params(spec: VmSpec) -> dict[str, Any]:
    """The wish in vCloud's terms, without the password: the urns stay right whatever happens to the mirror."""
    template = db.session.get_one(VappTemplate, spec.template_id)
    network = db.session.get_one(Network, spec.network_id) if spec.network_id else None
    return {
        "vapp_name": spec.vapp_name,
        "vm_name": spec.vm_name,
        "size": asdict(spec.size),
        "template_name": template.name,
        "template_urn": template.urn,
        "template_vm_urn": template.vms[0]["urn"],
        "network_name": network.name if network else None,
        "network_urn": network.urn if network else None,
        "is_isolated": network is not None and network.fence_mode == ISOLATED,
    }


# ---- the steps -----------------------------------------------------------------------------------------------


def _mark(turn: Turn) -> str:
    return f"{MARK}{turn.operation_id}"


def _find_ours(turn: Turn) -> vcloud.VApp | None:
    """The vApp that an earlier turn made, whether or not its answer reached us."""
    candidates = (
        [turn.facts["vapp_urn"]]
        if "vapp_urn" in turn.facts
        else [record.id for record in turn.client.vapps(turn.vdc_urn, name=turn.params["vapp_name"])]
    )
    for urn in candidates:
        try:
            vapp = turn.client.vapp(urn)
        except vcloud.NotFound:
            continue
        if vapp.description == _mark(turn):
            return vapp
    return None


def _adopt(turn: Turn) -> Next | None:
    vapp = _find_ours(turn)
    return None if vapp is None else _submitted(vapp, "adopted the vApp that an earlier request made")


def _submitted(vapp: vcloud.VApp, text: str) -> Next:
    return Next(facts={"vapp_urn": vapp.id}, task_urn=vapp.tasks[0].id if vapp.tasks else None, text=text)


def _look_submit(turn: Turn) -> Outcome | None:
    # Only a request that may have been sent can have left something behind.
    return None if turn.sent_at is None else _adopt(turn)


def _submit(turn: Turn) -> Outcome:
    try:
        vapp = turn.client.instantiate(turn.vdc_urn, _new_vapp(turn))
    except vcloud.Refused as error:
        if error.minor_code != "DUPLICATE_NAME":
            raise
        adopted = _adopt(turn)  # an earlier request may have been accepted after we had looked
        if adopted is not None:
            return adopted
        raise FailedError("vapp_name_taken", name=turn.params["vapp_name"], message=error.message) from error
    return _submitted(vapp, f"instantiateVAppTemplate {turn.params['template_name']}: accepted")


def _new_vapp(turn: Turn) -> vcloud.NewVApp:
    network = _vapp_network(turn)
    new_vm = vcloud.NewVm(
        template_vm_urn=turn.params["template_vm_urn"],
        name=turn.params["vm_name"],
        cards=(vcloud.Wiring(network.name),) if network else (),
    )
    return vcloud.NewVApp(
        name=turn.params["vapp_name"],
        description=_mark(turn),
        template_urn=turn.params["template_urn"],
        vms=(new_vm,),
        network=network,
    )


def _vapp_network(turn: Turn) -> vcloud.VAppNetwork | None:
    """The network of the new vApp, if the machine is to have one."""
    if turn.params["network_urn"] is None:
        return None
    return networks.leading_to(
        networks.OrgNetwork(
            urn=turn.params["network_urn"],
            name=turn.params["network_name"],
            is_isolated=turn.params["is_isolated"],
        )
    )


def _look_build(turn: Turn) -> Outcome | None:
    vapp = turn.client.vapp(turn.facts["vapp_urn"])
    if vapp.status == vcloud.VmStatus.FAILED_CREATION:
        raise FailedError("build_failed")
    if vapp.status == vcloud.VmStatus.UNRESOLVED or not vapp.vms:
        unfinished = next((task for task in vapp.tasks if not task.status.final), None)
        return Wait(task_urn=unfinished.id if unfinished else None)
    return Next(facts={"vm_urn": vapp.vms[0].id})


def _vm(turn: Turn) -> vcloud.Vm:
    return turn.client.vm(turn.facts["vm_urn"])


def _grown_disk(turn: Turn, vm: vcloud.Vm) -> dict[str, int]:
    """The new size in MB of the first disk, so that all disks together have what was asked; disks only grow."""
    missing_mb = turn.params["size"]["disk_gb"] * 1024 - sum(disk.size_mb for disk in vm.disks)
    return {vm.disks[0].instance_id: vm.disks[0].size_mb + missing_mb} if vm.disks and missing_mb > 0 else {}


def _rewired(turn: Turn, vm: vcloud.Vm) -> dict[int, vcloud.Wiring | None]:
    """The first card's network, if it is not yet the one asked for: below API 5.6 it comes as in the template."""
    network = _vapp_network(turn)
    if network is None or not vm.nics or vm.nics[0].network == network.name:
        return {}
    return {vm.nics[0].index: vcloud.Wiring(network.name)}


def _look_shape(turn: Turn) -> Outcome | None:
    vm, size = _vm(turn), turn.params["size"]
    has_size = vm.cpu_count == size["cpu_count"] and vm.memory_mb == size["memory_mb"] and not _grown_disk(turn, vm)
    return Next() if has_size and not _rewired(turn, vm) else None


def _shape(turn: Turn) -> Outcome:
    vm, size = _vm(turn), turn.params["size"]
    change = vcloud.VmChange(
        cpu_count=size["cpu_count"],
        memory_mb=size["memory_mb"],
        disk_mb=_grown_disk(turn, vm),
        cards=_rewired(turn, vm),
    )
    task = turn.client.reconfigure(vm.id, change)
    return Wait(task_urn=task.id, text=task.operation)


def _look_customise(turn: Turn) -> Outcome | None:
    vm, name = _vm(turn), turn.params["vm_name"]
    settings = vm.customization
    is_set = settings.enabled and settings.password_enabled and not settings.password_auto
    # vCloud does not tell the password; that ours was set is known only when the task of our request ended well.
    has_it = is_set and vm.name == name and settings.computer_name == name and turn.task_urn is not None
    return Next() if has_it else None


def _customise(turn: Turn) -> Outcome:
    name = turn.params["vm_name"]
    settings = vcloud.GuestCustomization(
        enabled=True, computer_name=name, password=turn.password, reset_password_required=False
    )
    task = turn.client.reconfigure(turn.facts["vm_urn"], vcloud.VmChange(name=name, customization=settings))
    return Wait(task_urn=task.id, text=task.operation)


def _look_power_on(turn: Turn) -> Outcome | None:
    return Next() if _vm(turn).status == vcloud.VmStatus.POWERED_ON else None


def _power_on(turn: Turn) -> Outcome:
    task = turn.client.deploy(turn.facts["vapp_urn"], power_on=True)
    return Wait(task_urn=task.id, text=task.operation)


def _read_back(turn: Turn) -> Outcome | None:
    at = clock.now()
    vapp = turn.client.vapp(turn.facts["vapp_urn"])

    def apply(operation: Operation) -> None:
        sync.apply_vapp(operation.vdc_id, vapp, at)
        db.session.flush()
        vm = db.session.scalars(select(Vm).where(Vm.vdc_id == operation.vdc_id, Vm.urn == turn.facts["vm_urn"])).one()
        vm.state_since = vm.state_since or at
        operation.vm_id = vm.id

    return Next(apply=apply)


def _look_undeploy(turn: Turn) -> Outcome | None:
    vapp = _find_ours(turn)
    return Next() if vapp is None or not vapp.deployed else None


def _undeploy(turn: Turn) -> Outcome:
    task = turn.client.undeploy(_ours(turn).id, power_action="force")
    return Wait(task_urn=task.id, text=task.operation)


def _look_remove(turn: Turn) -> Outcome | None:
    return Next() if _find_ours(turn) is None else None


def _remove(turn: Turn) -> Outcome:
    task = turn.client.delete(_ours(turn).id)
    return Wait(task_urn=task.id, text=task.operation)


def _ours(turn: Turn) -> vcloud.VApp:
    vapp = _find_ours(turn)
    if vapp is None:
        raise vcloud.NotFound("the half-made vApp is gone")
    return vapp


CREATE = register(
    Kind(
        name=CREATE_KIND,
        deadline_min=30,
        steps=(
            Step(name="submit", look=_look_submit, send=_submit),
            Step(name="build", look=_look_build),
            Step(name="shape", look=_look_shape, send=_shape),
            Step(name="customise", look=_look_customise, send=_customise),
            Step(name="power_on", look=_look_power_on, send=_power_on),
            Step(name="read_back", look=_read_back),
        ),
        clean_up=(
            Step(name="undeploy", look=_look_undeploy, send=_undeploy),
            Step(name="remove", look=_look_remove, send=_remove),
        ),
    )
)
