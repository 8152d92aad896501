"""Product sections of VMs and vApps: kept as they come, given back as they were."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.actions import owner_named
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer
from vcdsim.entities import Task, Vm
from vcdsim.tasks import effect, require_idle, start
from vcdsim.world import World


@route("GET", "/api/vApp/{ref}/productSections", "section")
def get_products(ctx: Context, ref: str) -> Answer:
    """All product sections."""
    owner, media_type = owner_named(ctx, ref), hrefs.media("productSections")
    address = f"{ctx.base}/api/vApp/{ref}/productSections/"
    element = ctx.root("ProductSectionList", media_type, {"href": address})
    link(element, "edit", address, media_type)
    for text in owner.product_sections:
        element.append(etree.fromstring(text, xml.parser()))
    return ctx.xml(element, media_type)


@route("PUT", "/api/vApp/{ref}/productSections", "updateProducts")
def put_products(ctx: Context, ref: str) -> Answer:
    """Replace all product sections."""
    owner = owner_named(ctx, ref)
    require_idle(ctx.world, owner)
    boxes = xml.children(ctx.parse("ProductSectionList"), "ovf:ProductSection")
    texts = [etree.tostring(box, encoding="unicode", with_tail=False) for box in boxes]
    name = "vappUpdateVm" if isinstance(owner, Vm) else "vdcUpdateVapp"
    return task_answer(ctx, start(ctx.world, ctx.user, owner, name, "products", args={"sections": texts}))


@effect("products")
def _changed(world: World, task: Task) -> None:
    owner = world.vms[task.owner_id] if task.owner_kind == "vm" else world.vapps[task.owner_id]
    owner.product_sections = task.args["sections"]
