"""The screen of a VM: its tickets."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlsplit

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context
from vcdsim.api.routing import route
from vcdsim.entities import ON, Vm
from vcdsim.refusals import not_running


@route("POST", "/api/vApp/vm-{entity_id}/screen/action/acquireMksTicket", "console")
def acquire_mks_ticket(ctx: Context, entity_id: str) -> Answer:
    """A console ticket, at once and only while the VM is on."""
    ticket = ctx.console.ticket(_running(ctx, entity_id), _host(ctx))
    element = xml.root("MksTicket", ctx.version)
    xml.sub(element, "Host", ticket.host)
    xml.sub(element, "Vmx", ticket.vmx or None)
    xml.sub(element, "Ticket", ticket.ticket)
    xml.sub(element, "Port", ticket.port)
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
    name = urlsplit(ctx.base).hostname or ""
    return f"[{name}]" if ":" in name else name
