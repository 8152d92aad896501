"""Reading one section of a vApp, a VM or a template: the same as in its document, as a document of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vcdsim.api import hrefs
from vcdsim.api.context import Answer, Context
from vcdsim.api.hardware import write_hardware
from vcdsim.api.naming import named
from vcdsim.api.networks import write_connections, write_network_config, write_network_section
from vcdsim.api.routing import route
from vcdsim.api.sections import write_customization, write_lease, write_os, write_snapshot, write_startup
from vcdsim.entities import Template, VApp, Vm
from vcdsim.refusals import not_found

#: By name: what writes the section, called with (context, no parent, entity, address of the entity).
Writers = Mapping[str, Callable[..., Any]]

_OF_TEMPLATE: Writers = {
    "network": write_network_section,
    "networkConfig": write_network_config,
    "leaseSettings": write_lease,
}
_OF_VAPP: Writers = {**_OF_TEMPLATE, "startup": write_startup, "snapshot": write_snapshot}
_OF_TEMPLATE_VM: Writers = {
    "virtualHardware": write_hardware,
    "networkConnection": write_connections,
    "guestCustomization": write_customization,
    "operatingSystem": write_os,
}
_OF_VM: Writers = {**_OF_TEMPLATE_VM, "snapshot": write_snapshot}
_NAMES = "|".join({**_OF_VAPP, **_OF_VM})


@route("GET", f"/api/(?P<tree>vApp|vAppTemplate)/{{ref}}/(?P<name>{_NAMES})Section", "section")
def get_section(ctx: Context, tree: str, ref: str, name: str) -> Answer:
    """The section of that name; `ref` is `vm-UUID`, `vapp-UUID` or `vappTemplate-UUID`."""
    entity, address = named(ctx, tree, ref)
    match entity:
        case Vm():
            writers = _OF_TEMPLATE_VM if entity.is_template else _OF_VM
        case VApp():
            writers = _OF_VAPP
        case Template():
            writers = _OF_TEMPLATE
        case _:
            writers = {}
    if name not in writers:
        raise not_found()
    return ctx.xml(writers[name](ctx, None, entity, address), hrefs.media(f"{name}Section"))
