"""Commands: paths, content types, and bodies in the order of vCloud's schema."""

from collections.abc import Callable

import pytest
from lxml import etree

from app.vcloud import Client, NewVApp, NewVm, Session, Task, TaskStatus, VAppNetwork, Wiring
from tests.vcloud.support import API, NETWORK, TASK, TEMPLATE, TEMPLATE_VM, VAPP, VDC, VM_36, Vcd, fixture

VM_PATH = "/vApp/vm-22222222-0000-4000-8000-000000000001"
VAPP_PATH = "/vApp/vapp-22222222-0000-4000-8000-0000000000aa"
INSTANTIATE = "/vdc/22222222-0000-4000-8000-0000000000dc/action/instantiateVAppTemplate"
TEMPLATE_PATH = f"/vAppTemplate/vappTemplate-{TEMPLATE[-36:]}"
BRIDGED = VAppNetwork("acme-net", NETWORK, "bridged")
ROUTED = VAppNetwork(
    "lab", NETWORK, "natRouted", "10.1.0.1", "255.255.255.0", "10.1.0.1", None, "lab", "10.1.0.2", "10.1.0.9"
)
WISH = NewVApp("shop", "skiff op-42", TEMPLATE, (NewVm(TEMPLATE_VM, "web1", cards=(Wiring("acme-net"),)),), BRIDGED)


def takes_vapps(vcd: Vcd) -> None:
    """Let the template be read and a vApp be made of it."""
    vcd.answer("GET", TEMPLATE_PATH, fixture("template-36"))
    vcd.answer("POST", INSTANTIATE, fixture("vapp-created-5.5"), status=201)


def outline(body: bytes) -> str:
    """Return names, texts and attributes of a body, without namespaces, as one line."""

    def line(element: etree._Element) -> str:
        name = etree.QName(element).localname
        said = "".join(f" {etree.QName(key).localname}={value}" for key, value in element.attrib.items())
        inner = "".join(line(item) for item in element) or (element.text or "").strip()
        return f"<{name}{said}>{inner}" + ("/" if len(element) else "")

    return line(etree.fromstring(body))


def test_a_vapp_is_made_neither_deployed_nor_on_with_names_and_networks(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    vapp = vcd_39.client().instantiate(VDC, WISH)
    assert vapp.tasks[0].operation_name == "vdcInstantiateVapp"
    assert vcd_39.last.headers["Content-Type"] == "application/vnd.vmware.vcloud.instantiateVAppTemplateParams+xml"
    assert outline(vcd_39.last.body) == (
        "<InstantiateVAppTemplateParams name=shop deploy=false powerOn=false><Description>skiff op-42"
        "<InstantiationParams><NetworkConfigSection><Info>"
        f"<NetworkConfig networkName=acme-net><Configuration><ParentNetwork href={API}/network/{NETWORK[-36:]}>"
        "<FenceMode>bridged////"
        f"<Source href={API}/vAppTemplate/vappTemplate-{TEMPLATE[-36:]}>"
        f"<SourcedItem><Source href={API}/vAppTemplate/vm-{TEMPLATE_VM[-36:]}>"
        "<VmGeneralParams><Name>web1<NeedsCustomization>true/"
        "<InstantiationParams><NetworkConnectionSection><Info><PrimaryNetworkConnectionIndex>0"
        "<NetworkConnection network=acme-net><NetworkConnectionIndex>0<IsConnected>true"
        "<IpAddressAllocationMode>POOL////"
        "<AllEULAsAccepted>true/"
    )


def test_below_5_6_the_vms_keep_the_names_of_the_template(vcd: Vcd) -> None:
    takes_vapps(vcd)
    vcd.client().instantiate(VDC, WISH)
    assert "SourcedItem" not in vcd.last.body.decode()
    assert outline(vcd.last.body).endswith("<AllEULAsAccepted>true/")


def test_a_body_is_built_anew_if_a_new_login_finds_another_version(vcd_39: Vcd) -> None:
    vcd_39.answer("POST", INSTANTIATE, status=401)
    takes_vapps(vcd_39)
    vcd_39.client(session=Session("old", "vcloud", "5.5")).instantiate(VDC, WISH)
    assert "SourcedItem" in vcd_39.last.body.decode()


def test_a_routed_vapp_network_has_addresses_of_its_own_and_nat(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    vcd_39.client().instantiate(VDC, NewVApp("shop", "", TEMPLATE, (), ROUTED))
    assert (
        "<NetworkConfig networkName=lab><Configuration><IpScopes><IpScope><IsInherited>false<Gateway>10.1.0.1"
        "<Netmask>255.255.255.0<Dns1>10.1.0.1<DnsSuffix>lab<IsEnabled>true"
        "<IpRanges><IpRange><StartAddress>10.1.0.2<EndAddress>10.1.0.9////"
        f"<ParentNetwork href={API}/network/{NETWORK[-36:]}><FenceMode>natRouted"
        "<Features><NatService><IsEnabled>true<NatType>ipTranslation<Policy>allowTraffic"
    ) in outline(vcd_39.last.body)


def test_a_vm_without_a_network_is_left_unplugged(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    vcd_39.client().instantiate(VDC, NewVApp("shop", "", TEMPLATE, (NewVm(TEMPLATE_VM, "web1"),)))
    assert (
        "<NetworkConnection network=none><NetworkConnectionIndex>0<IsConnected>false<IpAddressAllocationMode>NONE"
    ) in outline(vcd_39.last.body)
    assert "NetworkConfigSection" not in vcd_39.last.body.decode()


def test_hostile_names_stay_text(vcd_39: Vcd) -> None:
    takes_vapps(vcd_39)
    name = """<x a="1">&'"]]>"""
    vcd_39.client().instantiate(VDC, NewVApp(name, name, TEMPLATE, (NewVm(TEMPLATE_VM, name),)))
    root = etree.fromstring(vcd_39.last.body)
    assert (root.get("name"), root[0].text) == (name, name)


@pytest.mark.parametrize(
    ("command", "method", "path", "kind", "body"),
    [
        (
            lambda c: c.deploy(VAPP),
            "POST",
            f"{VAPP_PATH}/action/deploy",
            "deployVAppParams",
            "<DeployVAppParams powerOn=true>",
        ),
        (
            lambda c: c.deploy(VM_36, power_on=False, force_customization=True),
            "POST",
            f"{VM_PATH}/action/deploy",
            "deployVAppParams",
            "<DeployVAppParams powerOn=false forceCustomization=true>",
        ),
        (
            lambda c: c.undeploy(VM_36),
            "POST",
            f"{VM_PATH}/action/undeploy",
            "undeployVAppParams",
            "<UndeployVAppParams><UndeployPowerAction>powerOff/",
        ),
        (
            lambda c: c.undeploy(VAPP, power_action="shutdown"),
            "POST",
            f"{VAPP_PATH}/action/undeploy",
            "undeployVAppParams",
            "<UndeployVAppParams><UndeployPowerAction>shutdown/",
        ),
        (lambda c: c.power_on(VM_36), "POST", f"{VM_PATH}/power/action/powerOn", None, None),
        (lambda c: c.power_off(VAPP), "POST", f"{VAPP_PATH}/power/action/powerOff", None, None),
        (lambda c: c.shut_down(VM_36), "POST", f"{VM_PATH}/power/action/shutdown", None, None),
        (lambda c: c.delete(VM_36), "DELETE", VM_PATH, None, None),
        (lambda c: c.delete(VAPP), "DELETE", VAPP_PATH, None, None),
    ],
)
def test_a_command_gives_a_task(
    vcd: Vcd, command: Callable[[Client], Task], method: str, path: str, kind: str | None, body: str | None
) -> None:
    vcd.answer(method, path, fixture("task-running-36"), status=202)
    task = command(vcd.client())
    assert (task.id, task.status, task.owner_id, task.progress) == (TASK, TaskStatus.RUNNING, VM_36, 40)
    assert vcd.last.headers.get("Content-Type") == (kind and f"application/vnd.vmware.vcloud.{kind}+xml")
    assert (vcd.last.body and outline(vcd.last.body)) == body


def test_commands_take_only_urns_of_what_they_are_for(vcd: Vcd) -> None:
    client = vcd.client()
    for command in (client.power_on, client.delete, client.undeploy, client.deploy, client.vm, client.task):
        with pytest.raises(ValueError, match="urn"):
            command(VDC)
    assert vcd.calls == []
