"""Every body that our own client can send, sent at one API version."""

from functools import partial

from app.vcloud import Client, GuestCustomization, Login, NewVApp, NewVm, Session, Task, VAppNetwork, bodies
from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.traffic import Recorder
from tests.vcdsim.talk import Talk, id_of

#: What `app.vcloud.bodies` can write, all of it used below; `reconfigure` has only one body.
WRITTEN = {"deploy", "instantiate", "undeploy"}
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
        vm = NewVm(machine, f"{name}-1", "net" if network else None)
        client.instantiate(vdc, NewVApp(name, "by a test", template, (vm,), network))
        sim.settle()


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
    change = partial(client.reconfigure, vm)
    _done(sim, client, change(name="sandbox"))
    _done(sim, client, change(cpu_count=2, memory_mb=2048, disk_mb={"2000": 20_480}))
    _done(sim, client, change(networks={0: "acme-net"}, customization=custom))
    _done(sim, client, change(customization=GuestCustomization(password="S3cret-three")))


def _run(sim: Recorder, client: Client, vm: str) -> None:
    for force in (True, False):
        _done(sim, client, client.deploy(vm, force_customization=force))
        _done(sim, client, client.undeploy(vm))
    for action in ("powerOff", "shutdown", "suspend", "force", "default"):
        _done(sim, client, client.deploy(vm))
        _done(sim, client, client.undeploy(vm, power_action=action))


def _done(sim: Recorder, client: Client, task: Task) -> None:
    sim.settle()
    done = client.task(task.id)
    assert done.status.name == "SUCCESS", done
