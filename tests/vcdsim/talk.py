"""A few lines of HTTP and XML for talking to the simulator in its tests; shares nothing with the panel's client."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from lxml import etree

from vcdsim import Simulator

BASE = "http://vcdsim.test"
VCLOUD = "http://www.vmware.com/vcloud/v1.5"
NS = {
    "v": VCLOUD,
    "ovf": "http://schemas.dmtf.org/ovf/envelope/1",
    "rasd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
    "vmw": "http://www.vmware.com/schema/ovf",
}


@dataclass
class Reply:
    """One answer; header names are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def root(self) -> etree._Element:
        """The body as XML."""
        return etree.fromstring(self.body)

    @property
    def error(self) -> tuple[str | None, str]:
        """(minor code, message) of an error body."""
        return self.root.get("minorErrorCode"), self.root.get("message") or ""


def basic(login: str, password: str) -> str:
    """The header of Basic authentication."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


class Talk:
    """A logged-in conversation at one API version."""

    def __init__(self, sim: Simulator, login: str = "acme-admin@acme", *, version: str = "36.0") -> None:
        self.sim = sim
        self.version = version
        self.headers = {"Accept": f"application/*+xml;version={version}"}
        first = tuple(int(part) for part in version.split("."))
        if first <= (37, 2):
            token = self._log_in("/api/sessions", login, "application/*+xml").headers["x-vcloud-authorization"]
            self.headers["x-vcloud-authorization"] = token
        else:
            path = "/cloudapi/1.0.0/sessions" + "/provider" * login.endswith("@System")
            reply = self._log_in(path, login, "application/json")
            self.headers["Authorization"] = f"Bearer {reply.headers['x-vmware-vcloud-access-token']}"

    def _log_in(self, path: str, login: str, media_type: str) -> Reply:
        headers = {"Accept": f"{media_type};version={self.version}", "Authorization": basic(login, "secret")}
        reply = send(self.sim, "POST", path, headers)
        assert reply.status == 200, reply
        return reply

    def send(self, method: str, path: str, body: str | bytes = b"") -> Reply:
        """Any request; `path` may be an href of an answer."""
        return send(self.sim, method, path, self.headers, body)

    def get(self, path: str) -> etree._Element:
        """The document at `path`, which must be there."""
        reply = self.send("GET", path)
        assert reply.status == 200, (reply.status, reply.body)
        return reply.root

    def do(self, method: str, path: str, body: str | bytes = b"") -> str:
        """A request that starts a task, waited for; the task's final status."""
        reply = self.send(method, path, body)
        assert reply.status in (201, 202), (reply.status, reply.body)
        task = reply.root if reply.status == 202 else reply.root.find("v:Tasks/v:Task", NS)
        assert task is not None
        self.sim.settle()
        return self.get(task.get("href") or "").get("status") or ""

    def vm(self, name: str) -> str:
        """Path of the VM of that name."""
        return f"/api/vApp/vm-{next(vm.id for vm in self.sim.world.vms.values() if vm.name == name)}"

    def vapp(self, name: str) -> str:
        """Path of the vApp of that name."""
        return f"/api/vApp/vapp-{next(vapp.id for vapp in self.sim.world.vapps.values() if vapp.name == name)}"


def send(sim: Simulator, method: str, path: str, headers: dict[str, str], body: str | bytes = b"") -> Reply:
    """One request without a login."""
    content = body.encode() if isinstance(body, str) else body
    answer = sim.handle(method, path.removeprefix(BASE), headers, content)
    return Reply(answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.body)


def rels(element: etree._Element) -> set[str]:
    """The rels of the links of a document."""
    return {link.get("rel") or "" for link in element.findall("v:Link", NS)}


def text(element: etree._Element, path: str) -> str:
    """Text at a path that must exist."""
    found = element.find(path, NS)
    assert found is not None, path
    return found.text or ""


def id_of(sim: Simulator, kind: str, name: str) -> str:
    """Id of the record called `name` in `sim.world.<kind>`."""
    return str(next(one.id for one in getattr(sim.world, kind).values() if one.name == name))


def instantiate_body(
    sim: Simulator,
    name: str = "new",
    *,
    template: str = "debian-12",
    networks: str = "",
    items: str = "",
    attributes: str = 'deploy="false" powerOn="false"',
) -> str:
    """An InstantiateVAppTemplateParams; `networks` are NetworkConfig elements, `items` SourcedItems."""
    params = (
        f"<InstantiationParams><NetworkConfigSection><ovf:Info/>{networks}</NetworkConfigSection></InstantiationParams>"
    )
    return f"""<InstantiateVAppTemplateParams xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}" name="{name}" {attributes}>
      <Description>made by a test</Description>{params if networks else ""}
      <Source href="{BASE}/api/vAppTemplate/vappTemplate-{id_of(sim, "templates", template)}"/>{items}
      <AllEULAsAccepted>true</AllEULAsAccepted></InstantiateVAppTemplateParams>"""


def network_config(sim: Simulator, name: str, *, fence_mode: str = "bridged", parent: str | None = "acme-net") -> str:
    """A NetworkConfig; anything but bridged brings its own scope 192.168.5.0/24 with a pool of two."""
    reference = f'<ParentNetwork href="{BASE}/api/network/{id_of(sim, "networks", parent)}"/>' if parent else ""
    scope = """<IpScopes><IpScope><IsInherited>false</IsInherited><Gateway>192.168.5.1</Gateway>
      <Netmask>255.255.255.0</Netmask><IpRanges><IpRange><StartAddress>192.168.5.2</StartAddress>
      <EndAddress>192.168.5.3</EndAddress></IpRange></IpRanges></IpScope></IpScopes>"""
    inner = f"{'' if fence_mode == 'bridged' else scope}{reference}<FenceMode>{fence_mode}</FenceMode>"
    return f'<NetworkConfig networkName="{name}"><Configuration>{inner}</Configuration></NetworkConfig>'


def sourced_item(
    sim: Simulator, name: str, *, template_vm: str = "debian-12", network: str | None = None, address: str = "POOL"
) -> str:
    """A SourcedItem that names the VM, connects it, and sets a password. `address` is a mode or an IP."""
    ip, mode = ("", address) if address.isalpha() else (f"<IpAddress>{address}</IpAddress>", "MANUAL")
    card = f"""<NetworkConnectionSection><ovf:Info/><PrimaryNetworkConnectionIndex>0</PrimaryNetworkConnectionIndex>
      <NetworkConnection network="{network}"><NetworkConnectionIndex>0</NetworkConnectionIndex>{ip}
      <IsConnected>true</IsConnected><IpAddressAllocationMode>{mode}</IpAddressAllocationMode></NetworkConnection>
      </NetworkConnectionSection>"""
    custom = f"""<GuestCustomizationSection><ovf:Info/><Enabled>true</Enabled>
      <AdminPasswordEnabled>true</AdminPasswordEnabled><AdminPasswordAuto>false</AdminPasswordAuto>
      <AdminPassword>S3cret-one</AdminPassword><ComputerName>{name}</ComputerName></GuestCustomizationSection>"""
    return f"""<SourcedItem><Source href="{BASE}/api/vAppTemplate/vm-{id_of(sim, "template_vms", template_vm)}"/>
      <VmGeneralParams><Name>{name}</Name><NeedsCustomization>true</NeedsCustomization></VmGeneralParams>
      <InstantiationParams>{card if network else ""}{custom}</InstantiationParams></SourcedItem>"""


def instantiate_path(sim: Simulator, vdc: str = "acme-vdc") -> str:
    """Where the body goes."""
    return f"/api/vdc/{id_of(sim, 'vdcs', vdc)}/action/instantiateVAppTemplate"
