"""Create machines in a new vApp: all that a template makes, in one instantiation.

They are made without power, shaped, customised and only then switched on, so that a failure can be tidied up before
anybody has used them. The mark of the creation stands in the vApp's `Description`: it becomes visible in the same
instant as the vApp, so a creation whose answer was lost is found again, and adopted, not repeated.
"""

from app import clock, vcloud
from app.cloud import networks
from app.cloud.creation import CUSTOMISE, READ_BACK, SHAPE, built, clean_up, mark, not_built, org_network, power_on
from app.cloud.offers import CREATE_KIND
from app.cloud.steps import FailedError, Kind, Next, Outcome, Step, Turn, register


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
        if vapp.description == mark(turn):
            return vapp
    return None


def _adopt(turn: Turn) -> Next | None:
    vapp = _find_ours(turn)
    return None if vapp is None else _submitted(turn, vapp, "adopted the vApp that an earlier request made")


def _submitted(turn: Turn, vapp: vcloud.VApp, text: str) -> Next:
    network = _network(turn)
    facts = {"vapp_urn": vapp.id, "network": network.name if network else None}
    return Next(facts=facts, task_urn=vapp.tasks[0].id if vapp.tasks else None, text=text)


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
    return _submitted(turn, vapp, f"instantiateVAppTemplate {turn.params['template_name']}: accepted")


def _new_vapp(turn: Turn) -> vcloud.NewVApp:
    network = _network(turn)
    cards = (vcloud.Wiring(network.name),) if network else ()
    return vcloud.NewVApp(
        name=turn.params["vapp_name"],
        description=mark(turn),
        template_urn=turn.params["template_urn"],
        vms=tuple(
            vcloud.NewVm(template_vm_urn=machine["template_vm_urn"], name=machine["name"], cards=cards)
            for machine in turn.params["machines"]
        ),
        network=network,
    )


def _network(turn: Turn) -> vcloud.VAppNetwork | None:
    """The network of the new vApp, if its machines are to have one."""
    wanted = org_network(turn)
    return networks.leading_to(wanted) if wanted else None


def _look_build(turn: Turn) -> Outcome | None:
    at = clock.now()
    vapp, machines = turn.client.vapp(turn.facts["vapp_urn"]), turn.params["machines"]
    if vapp.status == vcloud.VmStatus.FAILED_CREATION:
        raise FailedError("build_failed")
    if vapp.status == vcloud.VmStatus.UNRESOLVED or len(vapp.vms) < len(machines):
        return not_built(vapp)
    urns = {vm.name: vm.id for vm in vapp.vms}
    # Below API 5.6 the machines have the names of the template until they are customised.
    return built(vapp, [urns.get(one["name"]) or urns[one["template_name"]] for one in machines], at)


CREATE = register(
    Kind(
        name=CREATE_KIND,
        deadline_min=30,
        has_secret=True,
        steps=(
            Step(name="submit", look=_look_submit, send=_submit, may_cancel=True),
            Step(name="build", look=_look_build, may_cancel=True),
            SHAPE,
            CUSTOMISE,
            power_on(lambda turn: turn.facts["vapp_urn"]),
            READ_BACK,
        ),
        clean_up=clean_up(_find_ours),
    )
)
