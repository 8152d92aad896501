"""Create a machine in a vApp that exists: neither its other machines nor the vApp itself are touched, also on failure.

The mark stands in the new machine's `Description`. Below API 5.6 vCloud does not keep that, and a machine of exactly
the wished name is ours: none had it when we sent the request, and names are unique in a vApp.
"""

from app import clock, vcloud
from app.cloud import networks
from app.cloud.creation import (
    CUSTOMISE,
    READ_BACK,
    SHAPE,
    built,
    clean_up,
    machine,
    mark,
    not_built,
    org_network,
    power_on,
)
from app.cloud.offers import CREATE_IN_VAPP_KIND
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, Wait, register


def _vapp(turn: Turn) -> vcloud.VApp:
    try:
        return turn.client.vapp(turn.params["vapp_urn"])
    except vcloud.NotFound as error:
        raise FailedError("vapp_gone", name=turn.params["vapp_name"]) from error


def _find_ours(turn: Turn, vapp: vcloud.VApp) -> vcloud.Vm | None:
    """The machine that an earlier turn asked for, whether or not the answer reached us."""
    if "vm_urns" in turn.facts:
        return next((vm for vm in vapp.vms if vm.id == turn.facts["vm_urns"][0]), None)
    if turn.client.keeps_marks_of_vms():
        return next((vm for vm in vapp.vms if vm.description == mark(turn)), None)
    return _namesake(turn, vapp)


def _namesake(turn: Turn, vapp: vcloud.VApp) -> vcloud.Vm | None:
    return next((vm for vm in vapp.vms if vm.name == machine(turn, 0)["name"]), None)


# ---- network -----------------------------------------------------------------------------------------------------


def _look_network(turn: Turn) -> Outcome | None:
    vapp, wanted = _vapp(turn), org_network(turn)
    network = networks.joined(vapp.networks, wanted) if wanted else None
    if wanted is not None and network is None:
        return None
    return Next(facts={"vapp_urn": vapp.id, "network": network})


def _add_network(turn: Turn) -> Outcome:
    wanted = org_network(turn)
    if wanted is None:
        raise LookupError("no network was asked for")
    vapp = _vapp(turn)
    taken = [network.name for network in vapp.networks]
    task = turn.client.add_network(vapp.id, networks.leading_to(wanted, taken))
    return Wait(task_urn=task.id, text=task.operation)


# ---- machine -----------------------------------------------------------------------------------------------------


def _look_submit(turn: Turn) -> Outcome | None:
    vapp = _vapp(turn)
    # Only a request that may have been sent can have left something behind.
    ours = _find_ours(turn, vapp) if turn.sent_at is not None else None
    if ours is not None:
        return Next(facts={"vm_urns": [ours.id]}, text="adopted the VM that an earlier request made")
    if _namesake(turn, vapp) is not None:
        raise FailedError("vm_name_taken", name=machine(turn, 0)["name"])
    return None


def _submit(turn: Turn) -> Outcome:
    wanted, network = machine(turn, 0), turn.facts["network"]
    new_vm = vcloud.NewVm(
        template_vm_urn=wanted["template_vm_urn"],
        name=wanted["name"],
        description=mark(turn),
        cards=(vcloud.Wiring(network),) if network else (),
    )
    task = turn.client.recompose(turn.facts["vapp_urn"], [new_vm])
    text = f"recomposeVApp with {turn.params['template_name']}: accepted"
    return Next(task_urn=task.id, facts={"is_accepted": True}, text=text)


def _look_build(turn: Turn) -> Outcome | None:
    at = clock.now()
    vapp = _vapp(turn)
    vm = _find_ours(turn, vapp)
    is_broken = vm is not None and vm.status == vcloud.VmStatus.FAILED_CREATION
    if is_broken or (vm is None and "vm_urns" in turn.facts):  # it was there, and vCloud took it back
        raise FailedError("build_failed")
    if vm is None or vm.status == vcloud.VmStatus.UNRESOLVED:
        return not_built(vapp)
    return built(vapp, [vm.id], at)


# ---- clean-up ----------------------------------------------------------------------------------------------------


def _left_over(turn: Turn) -> vcloud.Vm | None:
    """The half-made machine, if vCloud has it: known by its urn or mark, by its name only if vCloud had accepted it."""
    try:
        vapp = turn.client.vapp(turn.params["vapp_urn"])
    except vcloud.NotFound:
        return None
    has_left_a_name = "vm_urns" in turn.facts or "is_accepted" in turn.facts
    return _find_ours(turn, vapp) if has_left_a_name or turn.client.keeps_marks_of_vms() else None


CREATE_IN_VAPP = register(
    Kind(
        name=CREATE_IN_VAPP_KIND,
        deadline_min=30,
        has_secret=True,
        steps=(
            Step(name="join_network", look=_look_network, send=_add_network, may_cancel=True),
            Step(name="submit", look=_look_submit, send=_submit, may_cancel=True),
            Step(name="build", look=_look_build, may_cancel=True),
            SHAPE,
            CUSTOMISE,
            power_on(lambda turn: turn.facts["vm_urns"][0]),
            READ_BACK,
        ),
        clean_up=clean_up(_left_over),
    )
)
