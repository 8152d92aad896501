"""What the path of a request stands for: the one place that turns a tree and a reference into an entity."""

from __future__ import annotations

from vcdsim.api.context import Context
from vcdsim.metadata import Carrier
from vcdsim.refusals import not_found


def named(ctx: Context, tree: str, ref: str) -> tuple[Carrier, str]:
    """(entity, its address) that `/api/{tree}/{ref}` stands for, with `vm-`, `vapp-` before the id where paths have it.

    The 403 of what the user does not see, 404 for a tree there is not.
    """
    world, user = ctx.world, ctx.user
    kind, _, entity_id = ref.partition("-")
    found: Carrier
    match tree, kind:
        case "vApp", "vm":
            found = world.vm(entity_id, user)
        case "vApp", "vapp":
            found = world.vapp(entity_id, user)
        case "vAppTemplate", "vm":
            found = world.template_vm(entity_id, user)
        case "vAppTemplate", "vappTemplate":
            found = world.template(entity_id, user)
        case "disk", _:
            found = world.disk(ref, user)
        case "media", _:
            found = world.medium(ref, user)
        case (("vdc" | "admin/vdc"), _):
            found = world.vdc(ref, user)
        case (("org" | "admin/org"), _):
            found = world.org(ref, user)
        case (("catalog" | "admin/catalog"), _):
            found = world.catalog(ref, user)
        case (("network" | "admin/network"), _):
            found = world.network(ref, user)
        case _:
            raise not_found()
    return found, f"{ctx.base}/api/{tree}/{ref}"
