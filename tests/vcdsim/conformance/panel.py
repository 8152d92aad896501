"""Every body that our own client can send, sent at one API version."""

from app.vcloud import (
    Client,
    GuestCustomization,
    Login,
    NewVApp,
    NewVm,
    Session,
    Task,
    VAppNetwork,
    VmChange,
    Wiring,
    bodies,
)
from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.traffic import Recorder
from tests.vcdsim.talk import Talk, id_of

#: What `app.vcloud.bodies` can write, all of it used below; `reconfigure` has only one body.
WRITTEN = {
    "create_snapshot",
    "deploy",
    "instantiate",
    "network_config",
    "recompose",
    "renamed_vapp",
    "undeploy",
}
_SCOPE = {
    "gateway": "192.168.7.1",
    "netmask": "255.255.255.0",
    "dns1": "192.168.7.1",
    "dns2": "192.168.7.2",
    "dns_suffix": "acme.example",
    "range_start": "192.168.7.10",
    "range_end": "192.168.7.20",
}


def writers() -> set[str]:
    """Names of the functions of `app.vcloud.bodies` that write a body."""
    return {
        name
        for name, one in vars(bodies).items()
        if callable(one) and one.__module__ == bodies.__name__ and not name.startswith("_") and name != "media_type"
    }


def bodies_of_the_panel(version: Version) -> Recorder:
    """What went over the wire while our client sent all it can."""
    sim = Recorder()
    talk = Talk(sim, version=f"{version[0]}.{version[1]}")
    old = talk.headers.get("x-vcloud-authorization")
    token = old or talk.headers["Authorization"].removeprefix("Bearer ")
    session = Session(token, "vcloud" if old else "bearer", talk.version)
    with sim.serve() as url, Client(url, Login("acme", "acme-admin", "secret"), session=session) as client:
        _instantiate(sim, client)
        _recompose(sim, client)
        _reconfigure(sim, client, f"urn:vcloud:vm:{id_of(sim, 'vms', 'sandbox')}")
        _run(sim, client, f"urn:vcloud:vm:{id_of(sim, 'vms', 'sandbox')}")
    return sim


def _instantiate(sim: Recorder, client: Client) -> None:
    vdc = f"urn:vcloud:vdc:{id_of(sim, 'vdcs', 'acme-vdc')}"
    parent = f"urn:vcloud:network:{id_of(sim, 'networks', 'acme-net')}"
    template = f"urn:vcloud:vapptemplate:{id_of(sim, 'templates', 'debian-12')}"
    machine = f"urn:vcloud:vm:{id_of(sim, 'template_vms', 'debian-12')}"
    networks = {
        "plain": None,
        "bridged": VAppNetwork("net", parent, "bridged"),
        "routed": VAppNetwork("net", parent, "natRouted", **_SCOPE),
        "isolated": VAppNetwork("net", None, "isolated", **_SCOPE),
    }
    for name, network in networks.items():
        vm = NewVm(machine, f"{name}-1", cards=(Wiring("net"),) if network else ())
        client.instantiate(vdc, NewVApp(name, "by a test", template, (vm,), network))
        sim.settle()


def _recompose(sim: Recorder, client: Client) -> None:
    vapp = f"urn:vcloud:vapp:{id_of(sim, 'vapps', 'sandbox')}"
    parent = f"urn:vcloud:network:{id_of(sim, 'networks', 'acme-net')}"
    for network in (
        VAppNetwork("direct", parent, "bridged"),
        VAppNetwork("routed", parent, "natRouted", **_SCOPE),
        VAppNetwork("isolated", None, "isolated", **_SCOPE),
    ):
        _done(sim, client, client.add_network(vapp, network))
    for name in ("renamed", "sandbox"):
        _done(sim, client, client.rename_vapp(vapp, name))
    machine = f"urn:vcloud:vm:{id_of(sim, 'template_vms', 'debian-12')}"
    cards = (Wiring("direct"), Wiring("isolated", "MANUAL", "192.168.7.9"), Wiring("routed", "DHCP"), Wiring())
    custom = GuestCustomization(enabled=True, computer_name="added", password="S3cret-four")
    [profile_id] = sim.world.vdcs[id_of(sim, "vdcs", "acme-vdc")].storage_profile_ids
    profile = f"urn:vcloud:vdcstorageprofile:{profile_id}"
    vms = (
        NewVm(machine, "added-1", "by a test", cards, custom, profile),
        NewVm(machine, "added-2"),
    )
    _done(sim, client, client.recompose(vapp, vms))


def _reconfigure(sim: Recorder, client: Client, vm: str) -> None:
    custom = GuestCustomization(
        enabled=True,
        computer_name="sandbox",
        password_enabled=True,
        password_auto=False,
        password="S3cret-two",
        reset_password_required=False,
        change_sid=False,
    )
    for change in (
        VmChange(name="sandbox", description="by a test"),
        VmChange(cpu_count=2, memory_mb=2048, disk_mb={"2000": 20_480}, new_disks_mb=(1024, 2048)),
        VmChange(removed_disks=frozenset({"2001"})),
        VmChange(cards={0: Wiring("acme-net"), 1: Wiring(), 2: Wiring("acme-net", "DHCP")}, customization=custom),
        VmChange(cards={0: Wiring("acme-net", "MANUAL", "203.0.113.250", connected=False), 1: None, 2: None}),
        VmChange(customization=GuestCustomization(password="S3cret-three")),
    ):
        _done(sim, client, client.reconfigure(vm, change))


def _run(sim: Recorder, client: Client, vm: str) -> None:
    for force in (True, False):
        _done(sim, client, client.deploy(vm, force_customization=force))
        _done(sim, client, client.undeploy(vm))
    for memory, quiesce in ((False, True), (True, False)):
        _done(sim, client, client.create_snapshot(vm, memory=memory, quiesce=quiesce))
    _done(sim, client, client.remove_snapshots(vm))
    for action in ("powerOff", "shutdown", "suspend", "force", "default"):
        _done(sim, client, client.deploy(vm))
        _done(sim, client, client.undeploy(vm, power_action=action))


def _done(sim: Recorder, client: Client, task: Task) -> None:
    sim.settle()
    done = client.task(task.id)
    assert done.status.name == "SUCCESS", done
