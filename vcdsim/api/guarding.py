"""Which right a request needs, and which links a user without it does not get to see."""

from __future__ import annotations

import re

from lxml import etree

from vcdsim import rights
from vcdsim.administration import denied
from vcdsim.api import xml
from vcdsim.api.context import Context
from vcdsim.entities import VApp
from vcdsim.rights import Right

_PATH = re.compile(r"/api/vApp/(?P<kind>vm|vapp)-(?P<id>[0-9a-f-]{36})")
_VDC_PATH = re.compile(r"/api/vdc/(?P<id>[0-9a-f-]{36})/(action/|disk)")
_POWER = "powerOn powerOff shutdown reboot reset suspend deploy undeploy discardSuspendedState customize"
#: By operation; what is not here is an edit.
_NEEDS = {
    **dict.fromkeys(_POWER.split(), rights.POWER),
    **dict.fromkeys(("createSnapshot", "revertSnapshot", "removeSnapshots"), rights.SNAPSHOT),
    **dict.fromkeys(("instantiate", "compose", "recompose", "createVm", "createDisk"), rights.CREATE),
    "clone": rights.COPY,
    "delete": rights.DELETE,
    "changeAccess": rights.SHARE,
    "changeOwner": rights.OWNER,
    "console": rights.CONSOLE,
}
#: By the rel of a link, or by what it begins with.
_OF_RELS = {
    **dict.fromkeys(("power", "deploy", "undeploy", "discardState", "customizeAtNextPowerOn"), rights.POWER),
    **dict.fromkeys(("edit", "media", "disk"), rights.EDIT),
    "remove": rights.DELETE,
    "recompose": rights.CREATE,
    "reconfigureVm": rights.HARDWARE,
    "snapshot": rights.SNAPSHOT,
    "screen": rights.CONSOLE,
    "controlAccess": rights.SHARE,
}


def guard(ctx: Context, method: str, operation: str) -> None:
    """Refuse what the user's role or the vApp's sharing does not allow; what is not seen the handler refuses."""
    if not rights.is_limited(ctx.user):
        return
    if ctx.path.startswith("/api/admin"):
        raise denied()
    if method == "GET":
        return
    right = _needed(ctx.path, operation)
    if found := _PATH.match(ctx.path):
        vapp = _vapp_of(ctx, found["kind"], found["id"])
        if vapp is not None and ctx.world.may_see(ctx.user, vapp) and not rights.allows(ctx.user, right, vapp):
            raise rights.lacking(right, found["id"])
    elif (found := _VDC_PATH.match(ctx.path)) and not rights.allows(ctx.user, right, None):
        raise rights.lacking(right, found["id"])


def _needed(path: str, operation: str) -> Right:
    if "/virtualHardwareSection" in path or path.endswith("/reconfigureVm"):
        return rights.HARDWARE
    return _NEEDS.get(operation, rights.EDIT)


def _vapp_of(ctx: Context, kind: str, entity_id: str) -> VApp | None:
    if kind == "vm":
        vm = ctx.world.vms.get(entity_id)
        return None if vm is None else ctx.world.vapps[vm.container_id]
    return ctx.world.vapps.get(entity_id)


def prune_links(ctx: Context, element: etree._Element, vapp: VApp) -> None:
    """Take the links out that lead to what the user may not do with the vApp."""
    if not rights.is_limited(ctx.user):
        return
    for link in list(element.iter(xml.tag("Link"))):
        right = _OF_RELS.get((link.get("rel") or "").partition(":")[0])
        parent = link.getparent()
        if right is not None and parent is not None and not rights.allows(ctx.user, right, vapp):
            parent.remove(link)
