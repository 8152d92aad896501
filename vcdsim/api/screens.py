"""The screen of a VM: its tickets. There is no console behind them yet."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context
from vcdsim.api.routing import route
from vcdsim.entities import ON, Vm
from vcdsim.refusals import not_running

_CONSOLE_PORT = 902


@route("POST", "/api/vApp/vm-{entity_id}/screen/action/acquireMksTicket", "console")
def acquire_mks_ticket(ctx: Context, entity_id: str) -> Answer:
    """A console ticket, at once and only while the VM is on."""
    _running(ctx, entity_id)
    element = xml.root("MksTicket", ctx.version)
    xml.sub(element, "Host", _host(ctx))
    xml.sub(element, "Vmx")
    xml.sub(element, "Ticket", secrets.token_hex(16))
    xml.sub(element, "Port", _CONSOLE_PORT)
    return ctx.xml(element, hrefs.media("mksTicket"))


@route("POST", "/api/vApp/vm-{entity_id}/screen/action/acquireTicket", "console")
def acquire_ticket(ctx: Context, entity_id: str) -> Answer:
    """The ticket of the plug-in of 5.1 and before, as an address of its own scheme."""
    _running(ctx, entity_id)
    element = xml.root("ScreenTicket", ctx.version)
    element.text = f"mks://{_host(ctx)}/vm-{entity_id}?ticket={quote(secrets.token_urlsafe(24))}"
    return ctx.xml(element, hrefs.media("screenTicket"))


def _running(ctx: Context, entity_id: str) -> Vm:
    vm = ctx.world.vm(entity_id, ctx.user)
    if vm.power != ON:
        raise not_running("VM", vm.name)
    return vm


def _host(ctx: Context) -> str:
    return ctx.base.rpartition("/")[2].partition(":")[0]
