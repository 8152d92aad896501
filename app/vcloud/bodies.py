"""Request bodies. vCloud validates them by its schema: order matters, and unknown elements are refused by version."""

from collections.abc import Mapping

from lxml import etree

from app.vcloud.ids import path_of, template_vm_path
from app.vcloud.query import version_key
from app.vcloud.types import NewVApp, NewVm, VAppNetwork
from app.vcloud.xml import OVF, VCLOUD, Element

_SOURCED_ITEM_SINCE = (5, 6)
_NAMESPACES = {None: VCLOUD, "ovf": OVF}


def media_type(name: str) -> str:
    """Return the content type of a document, `application/vnd.vmware.vcloud.NAME+xml`."""
    return f"application/vnd.vmware.vcloud.{name}+xml"


def instantiate(wish: NewVApp, base: str, version: str) -> bytes:
    """Return InstantiateVAppTemplateParams, neither deployed nor powered on.

    `base` is the API's address, for the references must be hrefs. Below 5.6 there is no SourcedItem: the VMs keep the
    template's names and wiring, and the caller has to reconfigure them.
    """
    root = _root("InstantiateVAppTemplateParams", {"name": wish.name, "deploy": "false", "powerOn": "false"})
    _add(root, "Description", wish.description)
    if wish.network:
        section = _section(_add(root, "InstantiationParams"), "NetworkConfigSection")
        _network_config(section, wish.network, base)
    _add(root, "Source", href=base + path_of(wish.template_urn, "vapptemplate"))
    if version_key(version) >= _SOURCED_ITEM_SINCE:
        for vm in wish.vms:
            _sourced_item(root, vm, base)
    _add(root, "AllEULAsAccepted", "true")
    return _bytes(root)


def deploy(*, power_on: bool, force_customization: bool) -> bytes:
    """Return DeployVAppParams."""
    root = _root("DeployVAppParams", {"powerOn": "true" if power_on else "false"})
    if force_customization:
        root.set("forceCustomization", "true")
    return _bytes(root)


def undeploy(power_action: str) -> bytes:
    """Return UndeployVAppParams; the action is powerOff, shutdown, suspend, force or default."""
    root = _root("UndeployVAppParams")
    _add(root, "UndeployPowerAction", power_action)
    return _bytes(root)


def _sourced_item(root: Element, vm: NewVm, base: str) -> None:
    item = _add(root, "SourcedItem")
    _add(item, "Source", href=base + template_vm_path(vm.template_vm_urn))
    general = _add(item, "VmGeneralParams")
    _add(general, "Name", vm.name)
    _add(general, "NeedsCustomization", "true")
    section = _section(_add(item, "InstantiationParams"), "NetworkConnectionSection")
    _add(section, "PrimaryNetworkConnectionIndex", "0")
    connection = _add(section, "NetworkConnection", network=vm.network or "none")
    _add(connection, "NetworkConnectionIndex", "0")
    _add(connection, "IsConnected", "true" if vm.network else "false")
    _add(connection, "IpAddressAllocationMode", vm.address_mode if vm.network else "NONE")


def _network_config(section: Element, network: VAppNetwork, base: str) -> None:
    config = _add(section, "NetworkConfig", networkName=network.name)
    configuration = _add(config, "Configuration")
    if network.fence_mode != "bridged":
        _ip_scope(_add(_add(configuration, "IpScopes"), "IpScope"), network)
    if network.parent_urn:
        _add(configuration, "ParentNetwork", href=base + path_of(network.parent_urn, "network"))
    _add(configuration, "FenceMode", network.fence_mode)
    if network.fence_mode == "natRouted":
        _nat_service(_add(_add(configuration, "Features"), "NatService"))


def _nat_service(service: Element) -> None:
    """Give each connected VM an external address of its own; what may come in is for the firewall to say."""
    _add(service, "IsEnabled", "true")
    _add(service, "NatType", "ipTranslation")
    _add(service, "Policy", "allowTraffic")


def _ip_scope(scope: Element, network: VAppNetwork) -> None:
    _add(scope, "IsInherited", "false")
    for name in ("gateway", "netmask", "dns1", "dns2", "dns_suffix"):
        if value := getattr(network, name):
            _add(scope, "".join(part.capitalize() for part in name.split("_")), value)
    _add(scope, "IsEnabled", "true")
    if network.range_start and network.range_end:
        addresses = _add(_add(scope, "IpRanges"), "IpRange")
        _add(addresses, "StartAddress", network.range_start)
        _add(addresses, "EndAddress", network.range_end)


def _root(name: str, attributes: Mapping[str, str] | None = None) -> Element:
    return etree.Element(f"{{{VCLOUD}}}{name}", attributes, nsmap=_NAMESPACES)


def _add(parent: Element, name: str, content: str | None = None, **attributes: str) -> Element:
    added = etree.SubElement(parent, f"{{{VCLOUD}}}{name}", attributes)
    added.text = content
    return added


def _section(parent: Element, name: str) -> Element:
    """Add an OVF section; the schema wants ovf:Info first in each, its text is not read."""
    added = _add(parent, name)
    etree.SubElement(added, f"{{{OVF}}}Info")
    return added


def _bytes(root: Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
