"""vApps: create, read, change, delete, and the sections of a vApp."""

from __future__ import annotations

from vcdsim import composing, leases, startup
from vcdsim import vapps as rules
from vcdsim.api import hrefs, read_vapps, xml
from vcdsim.api import read_sections as sections
from vcdsim.api.context import Answer, Context
from vcdsim.api.documents import write_vapp
from vcdsim.api.routing import route
from vcdsim.api.tasks import task_answer
from vcdsim.entities import VApp


@route("POST", "/api/vdc/{entity_id}/action/instantiateVAppTemplate", "instantiate")
def instantiate(ctx: Context, entity_id: str) -> Answer:
    """201 with the new vApp, still unresolved, and its task."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    order, template_id = read_vapps.sourced_order(ctx.parse("InstantiateVAppTemplateParams"))
    template = ctx.world.template(template_id, ctx.user)
    return _created(ctx, composing.instantiate(ctx.world, ctx.user, vdc, template, order))


@route("POST", "/api/vdc/{entity_id}/action/composeVApp", "compose")
def compose(ctx: Context, entity_id: str) -> Answer:
    """201 with a new vApp of the items named; without any it is empty."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    order = read_vapps.vapp_order(ctx.parse("ComposeVAppParams"))
    return _created(ctx, composing.compose(ctx.world, ctx.user, vdc, order))


@route("POST", "/api/vdc/{entity_id}/action/cloneVApp", "clone")
def clone(ctx: Context, entity_id: str) -> Answer:
    """201 with a copy of a vApp, and its task."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    order, source_id = read_vapps.sourced_order(ctx.parse("CloneVAppParams"))
    return _created(ctx, composing.clone(ctx.world, ctx.user, vdc, ctx.world.vapp(source_id, ctx.user), order))


@route("POST", "/api/vApp/vapp-{entity_id}/action/recomposeVApp", "recompose")
def recompose(ctx: Context, entity_id: str) -> Answer:
    """Add, change and delete VMs, rename."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    element = ctx.parse("RecomposeVAppParams")
    order, delete_ids = read_vapps.recompose_order(element)
    changes = read_vapps.reconfigure_items(ctx.world, vapp, element)
    return task_answer(ctx, composing.recompose(ctx.world, ctx.user, vapp, order, delete_ids, changes=changes))


@route("POST", "/api/vdc/{entity_id}/action/instantiateVmFromTemplate", "createVm", since=(32, 0))
def instantiate_vm(ctx: Context, entity_id: str) -> Answer:
    """One VM of a template, in a vApp of its own."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    order = read_vapps.template_vm_order(ctx.parse("InstantiateVmTemplateParams"))
    return task_answer(ctx, composing.create_vm(ctx.world, ctx.user, vdc, order))


@route("POST", "/api/vdc/{entity_id}/action/createVm", "createVm", since=(32, 0))
def create_vm(ctx: Context, entity_id: str) -> Answer:
    """One VM from nothing, in a vApp of its own."""
    vdc = ctx.world.vdc(entity_id, ctx.user)
    order = read_vapps.blank_vm_order(ctx.parse("CreateVmParams"))
    return task_answer(ctx, composing.create_vm(ctx.world, ctx.user, vdc, order))


def _created(ctx: Context, vapp: VApp) -> Answer:
    location = ctx.href("vapp", vapp.id)
    return ctx.xml(write_vapp(ctx, vapp), hrefs.MEDIA["vapp"], status=201, location=location)


@route("GET", "/api/vApp/vapp-{entity_id}", "vapp")
def get_vapp(ctx: Context, entity_id: str) -> Answer:
    """A vApp with its VMs."""
    return ctx.xml(write_vapp(ctx, ctx.world.vapp(entity_id, ctx.user)), hrefs.MEDIA["vapp"])


@route("PUT", "/api/vApp/vapp-{entity_id}", "update")
def put_vapp(ctx: Context, entity_id: str) -> Answer:
    """Rename, or change the description."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    element = ctx.parse("VApp")
    name, description = element.get("name") or vapp.name, xml.value(element, "Description")
    return task_answer(ctx, rules.update_vapp(ctx.world, ctx.user, vapp, name=name, description=description))


@route("DELETE", "/api/vApp/vapp-{entity_id}", "delete")
def delete_vapp(ctx: Context, entity_id: str) -> Answer:
    """Delete an undeployed vApp, with `?force=true` any."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    return task_answer(ctx, rules.delete_vapp(ctx.world, ctx.user, vapp, force=ctx.is_forced))


@route("PUT", "/api/vApp/vapp-{entity_id}/networkConfigSection", "updateNetworks")
def put_networks(ctx: Context, entity_id: str) -> Answer:
    """Replace the whole list of networks."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    orders = sections.network_orders(ctx.parse("NetworkConfigSection"))
    return task_answer(ctx, rules.replace_networks(ctx.world, ctx.user, vapp, orders))


@route("PUT", "/api/vApp/vapp-{entity_id}/leaseSettingsSection", "updateLease")
def put_lease(ctx: Context, entity_id: str) -> Answer:
    """Set the leases, in seconds, and begin them anew; 0 means for ever."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    element = ctx.parse("LeaseSettingsSection")
    deployment_s, storage_s = (xml.integer(element, f"{one}LeaseInSeconds") for one in ("Deployment", "Storage"))
    return task_answer(ctx, leases.renew(ctx.world, ctx.user, vapp, deployment_s=deployment_s, storage_s=storage_s))


@route("PUT", "/api/vApp/vapp-{entity_id}/startupSection", "updateStartup")
def put_startup(ctx: Context, entity_id: str) -> Answer:
    """Set start and stop order of the VMs named."""
    vapp = ctx.world.vapp(entity_id, ctx.user)
    items = [
        {"id": "", **{str(key).rpartition("}")[2]: str(text) for key, text in item.items()}}
        for item in xml.children(ctx.parse("ovf:StartupSection"), "ovf:Item")
    ]
    return task_answer(ctx, startup.update(ctx.world, ctx.user, vapp, items))
