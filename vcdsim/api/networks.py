"""The network parts of documents: IP scopes, a vApp's NetworkConfigSection, a VM's connections."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Context, link
from vcdsim.entities import IpScope, Template, VApp, VAppNetwork, Vm


def write_scopes(configuration: etree._Element, scope: IpScope, *, is_inherited: bool) -> None:
    """`<IpScopes>` with one scope."""
    box = xml.sub(xml.sub(configuration, "IpScopes"), "IpScope")
    xml.sub(box, "IsInherited", is_inherited)
    xml.sub(box, "Gateway", scope.gateway)
    xml.sub(box, "Netmask", scope.netmask)
    for name, text in (("Dns1", scope.dns1), ("Dns2", scope.dns2), ("DnsSuffix", scope.dns_suffix)):
        if text:
            xml.sub(box, name, text)
    xml.sub(box, "IsEnabled", True)
    if scope.ranges:
        ranges = xml.sub(box, "IpRanges")
        for one in scope.ranges:
            item = xml.sub(ranges, "IpRange")
            xml.sub(item, "StartAddress", one.start)
            xml.sub(item, "EndAddress", one.end)


def write_network_section(
    ctx: Context, parent: etree._Element | None, owner: VApp | Template, address: str
) -> etree._Element:
    """`<ovf:NetworkSection>`: only names; as a child or as a root."""
    media_type = hrefs.media("networkSection")
    section = xml.ovf_section(ctx.version, parent, "ovf:NetworkSection", f"{address}/networkSection/", media_type)
    xml.sub(section, "ovf:Info", "The list of logical networks")
    for network in owner.networks:
        item = xml.sub(section, "ovf:Network", None, {"ovf:name": network.name})
        xml.sub(item, "ovf:Description", network.description or None)
    return section


def write_network_config(
    ctx: Context, parent: etree._Element | None, owner: VApp | Template, address: str
) -> etree._Element:
    """`<NetworkConfigSection>`, as a child or as a root."""
    media_type = hrefs.media("networkConfigSection")
    section = section_element(ctx, parent, "NetworkConfigSection", f"{address}/networkConfigSection/", media_type)
    xml.sub(section, "ovf:Info", "The configuration parameters for logical networks")
    if isinstance(owner, VApp):
        link(section, "edit", f"{address}/networkConfigSection/", media_type)
    for network in owner.networks:
        _write_config(ctx, section, network)
    return section


def section_element(
    ctx: Context, parent: etree._Element | None, name: str, href: str, media_type: str
) -> etree._Element:
    """A section of vCloud's own namespace, as a child or as a root."""
    attributes = {"href": href, "type": media_type, "ovf:required": "false"}
    return xml.element_in(parent, name, ctx.version, attributes)


def _write_config(ctx: Context, section: etree._Element, network: VAppNetwork) -> None:
    config = xml.sub(section, "NetworkConfig", None, {"networkName": network.name})
    xml.sub(config, "Description", network.description)
    _write_configuration(ctx, config, network)
    xml.sub(config, "IsDeployed", network.is_deployed)


def _write_configuration(ctx: Context, parent: etree._Element, network: VAppNetwork) -> None:
    configuration = xml.sub(parent, "Configuration")
    write_scopes(configuration, network.scope, is_inherited=network.fence_mode == "bridged")
    if network.parent_id is not None:
        outer = ctx.world.networks[network.parent_id]
        attributes = {"href": ctx.href("network", outer.id), "id": outer.id, "name": outer.name}
        xml.sub(configuration, "ParentNetwork", None, attributes)
    xml.sub(configuration, "FenceMode", network.fence_mode)
    xml.sub(configuration, "RetainNetInfoAcrossDeployments", network.retain_addresses)
    if network.fence_mode == "natRouted":
        _write_features(configuration, network)


def _write_features(configuration: etree._Element, network: VAppNetwork) -> None:
    """Automatic one-to-one NAT for every VM is what gives the external addresses."""
    nat = xml.sub(xml.sub(configuration, "Features"), "NatService")
    xml.sub(nat, "IsEnabled", True)
    xml.sub(nat, "NatType", "ipTranslation")
    xml.sub(nat, "Policy", "allowTraffic")
    if network.router_ip is not None:
        xml.sub(xml.sub(configuration, "RouterInfo"), "ExternalIp", network.router_ip)


def write_connections(ctx: Context, parent: etree._Element | None, vm: Vm, address: str) -> etree._Element:
    """`<NetworkConnectionSection>` of a VM, as a child or as a root."""
    media_type = hrefs.media("networkConnectionSection")
    section = section_element(
        ctx, parent, "NetworkConnectionSection", f"{address}/networkConnectionSection/", media_type
    )
    xml.sub(section, "ovf:Info", "Specifies the available VM network connections")
    if vm.nics:
        xml.sub(section, "PrimaryNetworkConnectionIndex", vm.primary_nic)
    for nic in vm.nics:
        attributes = {"network": nic.network, "needsCustomization": xml.flag(vm.needs_customization)}
        box = xml.sub(section, "NetworkConnection", None, attributes)
        xml.sub(box, "NetworkConnectionIndex", nic.index)
        if nic.ip is not None:
            xml.sub(box, "IpAddress", nic.ip)
        if ctx.since(34, 0) and nic.ip is not None:
            xml.sub(box, "IpType", "IPV_4")
        if nic.external_ip is not None:
            xml.sub(box, "ExternalIpAddress", nic.external_ip)
        xml.sub(box, "IsConnected", nic.is_connected)
        xml.sub(box, "MACAddress", nic.mac)
        xml.sub(box, "IpAddressAllocationMode", nic.mode)
        if ctx.since(34, 0):
            xml.sub(box, "SecondaryIpAddressAllocationMode", "NONE")
        if ctx.since(9, 0):
            xml.sub(box, "NetworkAdapterType", nic.adapter)
    if not vm.is_template:
        link(section, "edit", f"{address}/networkConnectionSection/", media_type)
    return section


def write_vapp_network(ctx: Context, vapp: VApp, network: VAppNetwork) -> etree._Element:
    """The document of one vApp network."""
    attributes = {
        "deployed": xml.flag(network.is_deployed),
        "name": network.name,
        "id": hrefs.urn("network", network.id),
        "href": ctx.href("network", network.id),
    }
    element = ctx.root("VAppNetwork", hrefs.media("vAppNetwork"), attributes)
    link(element, "up", ctx.href("vapp", vapp.id), hrefs.MEDIA["vapp"])
    xml.sub(element, "Description", network.description)
    _write_configuration(ctx, element, network)
    return element
