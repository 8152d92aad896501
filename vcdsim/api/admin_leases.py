"""The lease settings of an organization: within its document, and as a document of their own."""

from __future__ import annotations

from lxml import etree

from vcdsim import administration as rules
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context
from vcdsim.api.routing import route
from vcdsim.people import Org

_MEDIA = hrefs.media("admin.vAppLeaseSettings")
_PATH = "/api/admin/org/{entity_id}/settings/vAppLeaseSettings"


@route("GET", _PATH, "leaseSettings")
def get_leases(ctx: Context, entity_id: str) -> Answer:
    """What new vApps get, and what happens at the end."""
    return ctx.xml(write_leases(ctx, None, ctx.world.org(entity_id, ctx.user)), _MEDIA)


@route("PUT", _PATH, "updateLeaseSettings")
def put_leases(ctx: Context, entity_id: str) -> Answer:
    """Change that; vApps that are there keep the lengths they have."""
    org = ctx.world.org(entity_id, ctx.user)
    element = ctx.parse("VAppLeaseSettings")
    rules.require_admin(ctx.world, ctx.user, org)
    read_leases(element, org)
    ctx.world.changed()
    return ctx.xml(write_leases(ctx, None, org), _MEDIA)


def read_leases(element: etree._Element, org: Org) -> None:
    """Take over a `<VAppLeaseSettings>`; what is absent stays as it is."""
    for name, key in (("DeploymentLeaseSeconds", "deployment_lease_s"), ("StorageLeaseSeconds", "storage_lease_s")):
        seconds = xml.integer(element, name)
        if seconds is not None:
            setattr(org, key, rules.checked_lease(seconds))
    org.is_deleted_at_end = xml.yes(element, "DeleteOnStorageLeaseExpiration", default=org.is_deleted_at_end)
    org.is_powered_off_at_end = xml.yes(element, "PowerOffOnRuntimeLeaseExpiration", default=org.is_powered_off_at_end)


def write_leases(ctx: Context, parent: etree._Element | None, org: Org) -> etree._Element:
    """`<VAppLeaseSettings>`, as a child or as a root."""
    attributes = {"href": f"{ctx.href('adminorg', org.id)}/settings/vAppLeaseSettings", "type": _MEDIA}
    element = xml.element_in(parent, "VAppLeaseSettings", ctx.version, attributes)
    xml.sub(element, "DeleteOnStorageLeaseExpiration", org.is_deleted_at_end)
    xml.sub(element, "DeploymentLeaseSeconds", org.deployment_lease_s)
    xml.sub(element, "StorageLeaseSeconds", org.storage_lease_s)
    if ctx.since(27, 0):
        xml.sub(element, "PowerOffOnRuntimeLeaseExpiration", org.is_powered_off_at_end)
    return element
