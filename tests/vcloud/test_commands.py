"""Commands: paths, content types, and bodies in the order of vCloud's schema."""

from collections.abc import Callable

import pytest
from lxml import etree

from app.vcloud import (
    Client,
    GuestCustomization,
    NewVApp,
    NewVm,
    Refused,
    Session,
    Task,
    TaskStatus,
    Unavailable,
    VAppNetwork,
    Wiring,
)
from tests.vcloud.support import (
    API,
    NETWORK,
    TASK,
    TEMPLATE,
    TEMPLATE_VM,
    VAPP,
    VDC,
    VM_36,
    Vcd,
    error_body,
    fixture,
)

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
        (lambda c: c.reboot(VM_36), "POST", f"{VM_PATH}/power/action/reboot", None, None),
        (lambda c: c.reset(VAPP), "POST", f"{VAPP_PATH}/power/action/reset", None, None),
        (lambda c: c.suspend(VM_36), "POST", f"{VM_PATH}/power/action/suspend", None, None),
        (lambda c: c.discard_suspended_state(VM_36), "POST", f"{VM_PATH}/action/discardSuspendedState", None, None),
        (
            lambda c: c.create_snapshot(VM_36, memory=True),
            "POST",
            f"{VM_PATH}/action/createSnapshot",
            "createSnapshotParams",
            "<CreateSnapshotParams memory=true quiesce=false>",
        ),
        (lambda c: c.revert_to_snapshot(VAPP), "POST", f"{VAPP_PATH}/action/revertToCurrentSnapshot", None, None),
        (lambda c: c.remove_snapshots(VM_36), "POST", f"{VM_PATH}/action/removeAllSnapshots", None, None),
        (
            lambda c: c.recompose(VAPP, [NewVm(TEMPLATE_VM, "web2")]),
            "POST",
            f"{VAPP_PATH}/action/recomposeVApp",
            "recomposeVAppParams",
            (
                "<RecomposeVAppParams deploy=false powerOn=false><SourcedItem>"
                f"<Source href={API}/vAppTemplate/vm-{TEMPLATE_VM[-36:]} name=web2>"
                "<InstantiationParams><NetworkConnectionSection><Info><PrimaryNetworkConnectionIndex>0"
                "<NetworkConnection network=none><NetworkConnectionIndex>0<IsConnected>false"
                "<IpAddressAllocationMode>NONE////<AllEULAsAccepted>true/"
            ),
        ),
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


def test_from_5_6_an_added_vm_carries_the_mark_and_what_it_shall_be(vcd_39: Vcd) -> None:
    vcd_39.answer("POST", f"{VAPP_PATH}/action/recomposeVApp", fixture("task-running-36"), status=202)
    custom = GuestCustomization(enabled=True, computer_name="web2", password="Guest-pw-1")
    profile = "urn:vcloud:vdcstorageprofile:22222222-0000-4000-8000-0000000000cc"
    vm = NewVm(TEMPLATE_VM, "web2", "skiff op-9", (Wiring("lab", "MANUAL", "10.1.0.5"),), custom, profile)
    vcd_39.client().recompose(VAPP, [vm])
    assert outline(vcd_39.last.body) == (
        "<RecomposeVAppParams deploy=false powerOn=false>"
        f"<SourcedItem><Source href={API}/vAppTemplate/vm-{TEMPLATE_VM[-36:]}>"
        "<VmGeneralParams><Name>web2<Description>skiff op-9<NeedsCustomization>true/"
        "<InstantiationParams><NetworkConnectionSection><Info><PrimaryNetworkConnectionIndex>0"
        "<NetworkConnection network=lab><NetworkConnectionIndex>0<IpAddress>10.1.0.5<IsConnected>true"
        "<IpAddressAllocationMode>MANUAL//"
        "<GuestCustomizationSection><Info><Enabled>true<AdminPasswordEnabled>true<AdminPasswordAuto>false"
        "<AdminPassword>Guest-pw-1<ComputerName>web2//"
        f"<StorageProfile href={API}/vdcStorageProfile/22222222-0000-4000-8000-0000000000cc>/"
        "<AllEULAsAccepted>true/"
    )


def test_a_network_is_added_to_the_list_that_was_read(vcd: Vcd) -> None:
    path = f"{VAPP_PATH}/networkConfigSection/"
    section = etree.fromstring(fixture("vapp-36").encode()).find("{*}NetworkConfigSection")
    assert section is not None
    vcd.answer("GET", path, etree.tostring(section))
    etree.strip_elements(section, "{*}Link", with_tail=False)
    old = [outline(etree.tostring(item)) for item in section.iterchildren("{*}NetworkConfig")]
    vcd.answer("PUT", path, fixture("task-running-36"), status=202)
    vcd.client().add_network(VAPP, BRIDGED)
    assert vcd.last.headers["Content-Type"] == "application/vnd.vmware.vcloud.networkConfigSection+xml"
    sent = etree.fromstring(vcd.last.body)
    *others, new = [outline(etree.tostring(item)) for item in sent.iterchildren("{*}NetworkConfig")]
    assert others == old
    assert new.startswith("<NetworkConfig networkName=acme-net><Configuration><ParentNetwork")


SECRETIVE = NewVm(TEMPLATE_VM, "web2", customization=GuestCustomization(password="Guest-pw-1"))


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (lambda c: c.recompose(VAPP, [SECRETIVE]), f"{VAPP_PATH}/action/recomposeVApp"),
        (lambda c: c.instantiate(VDC, NewVApp("shop", "", TEMPLATE, (SECRETIVE,))), INSTANTIATE),
    ],
)
def test_a_refusal_that_quotes_the_password_of_a_new_vm_does_not_show_it(
    vcd_39: Vcd, command: Callable[[Client], object], path: str
) -> None:
    vcd_39.answer("GET", TEMPLATE_PATH, fixture("template-36"))
    vcd_39.answer("POST", path, error_body("BAD_REQUEST", "Value 'Guest-pw-1' is bad"), status=400)
    with pytest.raises(Refused) as caught:
        command(vcd_39.client())
    assert b"Guest-pw-1" in vcd_39.last.body
    assert "Guest-pw-1" not in f"{caught.value} {caught.value.message}"


def test_a_cancelled_task_is_answered_with_nothing(vcd: Vcd) -> None:
    path = f"/task/{TASK[-36:]}/action/cancel"
    vcd.answer("POST", path, status=204)
    vcd.client().cancel(TASK)
    assert vcd.calls == [f"POST {path}"]


def test_a_task_that_can_not_be_cancelled_is_refused(vcd: Vcd) -> None:
    vcd.answer("POST", f"/task/{TASK[-36:]}/action/cancel", error_body("BAD_REQUEST", "It is over."), status=400)
    with pytest.raises(Refused, match=r"It is over\."):
        vcd.client().cancel(TASK)


TICKET = '<MksTicket xmlns="http://www.vmware.com/vcloud/v1.5">{}</MksTicket>'
SCREEN = f"{VM_PATH}/screen/action/acquireMksTicket"


def test_a_ticket_is_read_whole_and_not_shown(vcd: Vcd) -> None:
    inside = "<Host>10.1.1.1</Host><Vmx>/vmfs/x.vmx</Vmx><Ticket>cst-t--1</Ticket><Port>902</Port>"
    vcd.answer("POST", SCREEN, TICKET.format(inside))
    ticket = vcd.client().mks_ticket(VM_36)
    assert (ticket.host, ticket.vmx, ticket.ticket, ticket.port) == ("10.1.1.1", "/vmfs/x.vmx", "cst-t--1", 902)
    assert "cst-t--1" not in repr(ticket)


@pytest.mark.parametrize(
    "inside",
    [
        "<Host>h</Host><Vmx/><Ticket/><Port>902</Port>",
        "<Host/><Vmx/><Ticket>t</Ticket><Port>902</Port>",
        "<Host>h</Host><Vmx/><Ticket>t</Ticket>",
        "<Host>h</Host><Vmx/><Ticket>t</Ticket><Port>many</Port>",
    ],
)
def test_half_a_ticket_is_no_ticket(vcd: Vcd, inside: str) -> None:
    vcd.answer("POST", SCREEN, TICKET.format(inside))
    with pytest.raises(Unavailable):
        vcd.client().mks_ticket(VM_36)


def test_commands_take_only_urns_of_what_they_are_for(vcd: Vcd) -> None:
    client = vcd.client()
    for command in (client.power_on, client.delete, client.undeploy, client.deploy, client.vm, client.task):
        with pytest.raises(ValueError, match="urn"):
            command(VDC)
    assert vcd.calls == []
