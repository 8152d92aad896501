"""Everything the simulator serves, done once at one API version: each command, and each document in each state."""

from lxml import etree

from tests.vcdsim.conformance import administering, keeping, making
from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.steps import must, see
from tests.vcdsim.conformance.traffic import Recorder, crawl
from tests.vcdsim.talk import (
    NS,
    VCLOUD,
    Talk,
    id_of,
)
from vcdsim import error
from vcdsim.entities import Metadata

_METADATA = {
    "note": Metadata("String", "of a test"),
    "count": Metadata("Number", "7"),
    "is_good": Metadata("Boolean", "true"),
    "made_at": Metadata("DateTime", "2026-11-12T14:20:00.000Z"),
}
_UNDEPLOY = f'<UndeployVAppParams xmlns="{VCLOUD}"><UndeployPowerAction>{{}}</UndeployPowerAction></UndeployVAppParams>'
_DEPLOY = f'<DeployVAppParams xmlns="{VCLOUD}" powerOn="{{}}" forceCustomization="{{}}"/>'
_SNAPSHOT = f'<CreateSnapshotParams xmlns="{VCLOUD}" memory="true" quiesce="false" name="before"/>'


def everything(version: Version) -> Recorder:
    """What went over the wire while everything was done."""
    sim = Recorder()
    talk = Talk(sim, version=f"{version[0]}.{version[1]}")
    sim.world.vapps[id_of(sim, "vapps", "sandbox")].metadata = dict(_METADATA)
    _look_around(talk)
    making.instantiate(talk, version)
    making.compose(talk, version)
    keeping.keep(talk, version)
    _edit(talk)
    _run(talk)
    _be_refused(talk)
    provider = Talk(sim, "administrator@System", version=talk.version)
    _look_around(provider)
    administering.administer(provider, version)
    _end(talk)
    return sim


def _look_around(talk: Talk) -> None:
    """All that is linked, and what is served but linked nowhere."""
    template = f"/api/vAppTemplate/vappTemplate-{id_of(talk.sim, 'templates', 'lamp')}"
    values = (f"{template}/metadata/cpu_max", *(f"{talk.vapp('sandbox')}/metadata/{key}" for key in _METADATA))
    packaged = (f"/api/{kind}/query?pageSize=2&page=2" for kind in ("vms", "vApps", "vAppTemplates", "catalogs"))
    filtered = "/api/query?type=vm&filter=isVAppTemplate==false&sortAsc=name&fields=name,status&pageSize=3"
    crawl(talk, "/api/session", "/api/org", "/api/query", f"{template}/ovf", filtered, *packaged, *values)


def _edit(talk: Talk) -> None:
    """Every document with an edit link is sent back as it came, and the VM reconfigured with the whole of itself."""
    vm, vapp = talk.vm("sandbox"), talk.vapp("sandbox")
    for path in (vm, vapp):
        edits = {link.get("href") or "" for link in talk.get(path).iterfind(".//v:Link[@rel='edit']", NS)}
        for href in sorted(edits):
            must(talk, "PUT", href, etree.tostring(talk.get(href)))
    must(talk, "POST", f"{vm}/action/reconfigureVm", etree.tostring(talk.get(vm)))
    talk.send("POST", f"{vm}/action/customizeAtNextPowerOn")
    see(talk, vapp, vm)


def _run(talk: Talk) -> None:
    """Every power and snapshot action on a VM and on its vApp, each state read; a console ticket on the way."""
    for path in (talk.vm("sandbox"), talk.vapp("sandbox")):
        for verb in ("powerOn", "suspend", "powerOn", "reboot", "reset", "shutdown"):
            must(talk, "POST", f"{path}/power/action/{verb}")
            see(talk, path)
        must(talk, "POST", f"{path}/action/undeploy", _UNDEPLOY.format("default"))
        must(talk, "POST", f"{path}/action/deploy", _DEPLOY.format("true", "true"))
        talk.send("POST", f"{talk.vm('sandbox')}/screen/action/acquireMksTicket")
        must(talk, "POST", f"{path}/action/createSnapshot", _SNAPSHOT)
        see(talk, path)
        must(talk, "POST", f"{path}/action/revertToCurrentSnapshot")
        must(talk, "POST", f"{path}/action/removeAllSnapshots")
        must(talk, "POST", f"{path}/action/undeploy", _UNDEPLOY.format("suspend"))
        see(talk, path)
        must(talk, "POST", f"{path}/action/discardSuspendedState")
        must(talk, "POST", f"{path}/action/deploy", _DEPLOY.format("true", "false"))
        must(talk, "POST", f"{path}/power/action/powerOff")
        see(talk, path)
        must(talk, "POST", f"{path}/action/undeploy", _UNDEPLOY.format("powerOff"))


def _be_refused(talk: Talk) -> None:
    """Errors are documents too: busy, forbidden, invalid, unknown, not allowed, not acceptable, a full quota."""
    vm = talk.vm("sandbox")
    task = talk.send("POST", f"{vm}/power/action/powerOn").root
    assert talk.send("DELETE", vm).error[0] == "BUSY_ENTITY"
    see(talk, vm)
    assert talk.send("POST", f"{task.get('href')}/action/cancel").status == 204
    see(talk, task.get("href") or "")
    talk.sim.settle()
    assert talk.send("GET", "/api/vApp/vm-00000000-0000-0000-0000-000000000000").status == 403
    assert talk.send("POST", f"{vm}/action/deploy", "<Nonsense/>").status == 400
    assert talk.send("GET", "/api/nothing").status in (403, 404)
    assert talk.send("POST", "/api/query").status == 405
    talk.sim.faults.add("vm", error=error("INTERNAL_SERVER_ERROR", "Unable to perform this action.", 500))
    assert talk.send("GET", vm).status == 500
    talk.sim.faults.clear()


def _end(talk: Talk) -> None:
    """Delete a VM and a vApp; log out in each way there is."""
    must(talk, "DELETE", talk.vm("ci-runner-2"))
    must(talk, "DELETE", talk.vapp("accounting"))
    assert talk.send("GET", "/cloudapi/1.0.0/sessions/current").status == 200
    for path in ("/api/session", "/api/sessions", "/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/current"):
        assert Talk(talk.sim, version=talk.version).send("DELETE", path).status == 204
    talk.sim.handle("GET", "/api/versions", talk.headers, b"")
