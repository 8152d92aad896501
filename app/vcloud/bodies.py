"""Request bodies. vCloud validates them by its schema: order matters, and unknown elements are refused by version."""

from collections.abc import Mapping, Sequence

from lxml import etree

from app.vcloud.customization import customize
from app.vcloud.errors import Refused
from app.vcloud.ids import path_of, template_vm_path
from app.vcloud.query import version_key
from app.vcloud.reconfigure import without_links
from app.vcloud.types import VAppNetwork
from app.vcloud.wiring import wire
from app.vcloud.wishes import NewVApp, NewVm, Wiring
from app.vcloud.xml import OVF, VCLOUD, Element, children, text

GENERAL_PARAMS_SINCE = (5, 6)  # the same that brought SourcedItem to instantiating
_NAMESPACES = {None: VCLOUD, "ovf": OVF}
_STILL = {"deploy": "false", "powerOn": "false"}  # each step of a creation can then fail alone


def media_type(name: str) -> str:
    """Return the content type of a document, `application/vnd.vmware.vcloud.NAME+xml`."""
    return f"application/vnd.vmware.vcloud.{name}+xml"


def instantiate(wish: NewVApp, inner: Mapping[str, tuple[VAppNetwork, ...]], base: str, version: str) -> bytes:
    """Return InstantiateVAppTemplateParams, neither deployed nor powered on.

    `inner`: the networks inside the template that each of its VMs, by urn, is wired to. They are supplied for the VMs
    that keep their wiring, since vCloud does not find the network of such a card otherwise. `base` is the API's
    address, for the references must be hrefs. Below 5.6 there is no SourcedItem: the VMs keep the template's names and
    wiring, and the caller has to reconfigure them.
    """
    sourced = wish.vms if version_key(version) >= GENERAL_PARAMS_SINCE else ()
    networks = {network.name: network for network in (wish.network,) if network}
    for urn in inner.keys() - {vm.template_vm_urn for vm in sourced}:
        networks = {network.name: network for network in inner[urn]} | networks
    root = _root("InstantiateVAppTemplateParams", {"name": wish.name} | _STILL)
    _add(root, "Description", wish.description)
    if networks:
        section = _section(_add(root, "InstantiationParams"), "NetworkConfigSection")
        for _, network in sorted(networks.items()):
            _network_config(section, network, base)
    _add(root, "Source", href=base + path_of(wish.template_urn, "vapptemplate"))
    for vm in sourced:
        _sourced_item(root, vm, base, version)
    _add(root, "AllEULAsAccepted", "true")
    return _bytes(root)


def recompose(vms: Sequence[NewVm], base: str, version: str) -> bytes:
    """Return RecomposeVAppParams that add VMs, neither deployed nor powered on; the vApp has their networks already."""
    root = _root("RecomposeVAppParams", _STILL)
    for vm in vms:
        _sourced_item(root, vm, base, version)
    _add(root, "AllEULAsAccepted", "true")
    return _bytes(root)


def network_config(section: Element, network: VAppNetwork, base: str) -> bytes:
    """Return the NetworkConfigSection that was fetched with one network more; Refused if its name is taken.

    The others go back as they came: a network that is left out is removed, a changed one is torn down.
    """
    root = without_links(section)
    if any(old.get("networkName") == network.name for old in children(root, "NetworkConfig")):
        raise Refused(f"the vApp has a network {network.name} already", minor_code="DUPLICATE_NAME")
    _network_config(root, network, base)
    return _bytes(root)


def renamed_vapp(vapp: Element, name: str) -> bytes:
    """Return the VApp to put, made from the fetched one: a description that is left out would be lost."""
    root = _root("VApp", {"name": name})
    _add(root, "Description", text(vapp, "Description"))
    return _bytes(root)


def create_snapshot(*, memory: bool, quiesce: bool) -> bytes:
    """Return CreateSnapshotParams."""
    return _bytes(_root("CreateSnapshotParams", {"memory": _word(memory), "quiesce": _word(quiesce)}))


def deploy(*, power_on: bool, force_customization: bool) -> bytes:
    """Return DeployVAppParams."""
    root = _root("DeployVAppParams", {"powerOn": _word(power_on)})
    if force_customization:
        root.set("forceCustomization", "true")
    return _bytes(root)


def undeploy(power_action: str) -> bytes:
    """Return UndeployVAppParams; the action is powerOff, shutdown, suspend, force or default."""
    root = _root("UndeployVAppParams")
    _add(root, "UndeployPowerAction", power_action)
    return _bytes(root)


def _sourced_item(root: Element, vm: NewVm, base: str, version: str) -> None:
    """Below 5.6 the name of the reference is that of the new VM, and there is no place for a description."""
    item = _add(root, "SourcedItem")
    source = _add(item, "Source", href=base + template_vm_path(vm.template_vm_urn))
    if version_key(version) >= GENERAL_PARAMS_SINCE:
        general = _add(item, "VmGeneralParams")
        _add(general, "Name", vm.name)
        if vm.description:
            _add(general, "Description", vm.description)
        _add(general, "NeedsCustomization", "true")
    else:
        source.set("name", vm.name)
    params = _add(item, "InstantiationParams")
    wire(_section(params, "NetworkConnectionSection"), dict(enumerate(vm.cards or (Wiring(),))))
    if vm.customization is not None:
        customize(_section(params, "GuestCustomizationSection"), vm.customization)
    if vm.storage_profile_urn is not None:
        _add(item, "StorageProfile", href=base + path_of(vm.storage_profile_urn, "vdcstorageprofile"))


def _network_config(section: Element, network: VAppNetwork, base: str) -> None:
    """Add a network behind the others of the section."""
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


def _word(value: bool) -> str:  # noqa: FBT001 -- it is the value
    return "true" if value else "false"


def _bytes(root: Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
