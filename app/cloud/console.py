"""The web console: who gets a ticket for a screen, and why there is none.

A page asks `grant` when it opens: the ticket of vCloud is good for 30 s. Through the gateway (the usual way) it waits
sealed under a one-time id, which is all that the browser gets; what the gateway does with it is in `console_seats`.
"""

import http.client
import json
import logging
import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app import clock, vcloud
from app.accounts import audit
from app.accounts.models import AuditEntry
from app.accounts.rules import Actor, Permission, can
from app.cloud import gateway
from app.cloud.console_models import ConsoleGrant, hash_of
from app.cloud.console_rules import Address, ConsoleBlock, ConsoleMode, address_of, allowed_addresses, block_of
from app.cloud.models import Vm
from app.cloud.wishes import own_vm, running_operation
from app.db import db, transaction
from app.errors import AppError

log = logging.getLogger(__name__)

LIMITS = vcloud.Limits(connect_s=3, answer_s=5, call_s=5)
"""A person waits for the answer, and a thread of the web server with him."""
GOOD_FOR = timedelta(seconds=25)
"""vCloud takes a ticket for 30 s; what is left is for the way."""
MOST_IN_A_MINUTE = 12
AUDITED = "console.open"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the gateway counts: consoles open now, and what there was since its start."""

    open: int
    opened: int
    refused: dict[str, int]  # by reason
    bytes_to_browsers: int
    bytes_to_cells: int


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Our own process beside the panel: browsers reach it at SCHEME://HOST (with a path), the panel at `port`."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class ConsoleAccess:
    """What the page of a console needs: the socket's address is always SCHEME://HOST/PORT;TICKET.

    `vmx` is empty from vCloud 10.4 on. Through the gateway `ticket` is the one-time id.
    """

    vm_name: str
    vmx: str
    host: str
    port: int
    ticket: str = field(repr=False)
    mode: ConsoleMode
    scheme: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Screen:
    """What is known of the machine before vCloud is asked, as values."""

    name: str
    urn: str
    account_id: uuid.UUID
    service_id: uuid.UUID
    mode: ConsoleMode
    allowed: set[Address]


def preflight(actor: Actor, vm_id: uuid.UUID, way: Gateway) -> ConsoleBlock | None:
    """Why there would be no console now, as far as that is known without asking vCloud; None if nothing is in the way.

    Raises AppError `not_permitted`, or NotFoundError for another customer's machine.
    """
    try:
        _screen(actor, vm_id, way)
    except AppError as error:
        if error.code == "console_blocked":
            return ConsoleBlock(str(error.params["reason"]))
        raise
    return None


def sockets(vm_id: uuid.UUID, way: Gateway) -> list[str]:
    """Where the page of this machine's console may open a socket: what its policy allows besides its own address."""
    handler = db.session.get_one(Vm, vm_id).vdc.service.handler
    if handler.console_mode == ConsoleMode.DIRECT:
        return sorted(f"wss://{one}" for one in allowed_addresses(handler.api_url, handler.console_hosts))
    return [f"{way.scheme}://{way.host.partition('/')[0]}"]


def grant(actor: Actor, session_id: uuid.UUID, vm_id: uuid.UUID, way: Gateway) -> ConsoleAccess:
    """Ask vCloud for the screen of a machine, for the person of this session; it takes 5 s at most.

    Raises AppError `console_blocked` with a ConsoleBlock as `reason`, and `name`; `not_permitted`, or NotFoundError.
    """
    screen = _screen(actor, vm_id, way)
    asked_at = clock.now()
    ticket = _ask(screen)
    address = _require_allowed(ticket, screen)
    access = _access(ticket, address, screen, way, asked_at + GOOD_FOR)
    with transaction():
        own_vm(actor, vm_id)  # it took a while: still there, still his?
        if screen.mode is ConsoleMode.GATEWAY:
            row = ConsoleGrant(
                id_hash=hash_of(access.ticket),
                vm_id=vm_id,
                account_id=screen.account_id,
                user_id=actor.user_id,
                session_id=session_id,
                expires_at=access.expires_at,
            )
            row.address = f"wss://{address}/{ticket.port};{ticket.ticket}"
            db.session.add(row)
        audit.record(actor, AUDITED, object_id=vm_id, name=screen.name, mode=screen.mode.value)
    return access


def _screen(actor: Actor, vm_id: uuid.UUID, way: Gateway) -> _Screen:
    """Everything that can be in the way before vCloud is asked."""
    if not can(actor, Permission.VM_CHANGE):  # who types at a screen can change everything behind it
        raise AppError("not_permitted", 403)
    vm = own_vm(actor, vm_id)
    running = running_operation(vm_id)
    block = block_of(vm.state, running.kind if running else None)
    handler = vm.vdc.service.handler
    screen = _Screen(
        name=vm.shown_name,
        urn=vm.urn,
        account_id=vm.vdc.service.account_id,
        service_id=vm.vdc.service_id,
        mode=ConsoleMode(handler.console_mode),
        allowed=allowed_addresses(handler.api_url, handler.console_hosts),
    )
    if block is None and _asked_lately(actor, screen.account_id) >= MOST_IN_A_MINUTE:
        block = ConsoleBlock.TOO_MANY
    db.session.rollback()  # nothing slow inside a transaction, not even inside one that only reads
    if block is None and screen.mode is ConsoleMode.GATEWAY and not answers(way.port):
        block = ConsoleBlock.GATEWAY_DOWN
    if block is not None:
        raise _blocked(block, screen)
    return screen


def answers(port: int) -> bool:
    """Whether the console gateway on this machine answers."""
    return _health(port, timeout_s=1.0) is not None


def figures(port: int, *, timeout_s: float) -> Figures | None:
    """What the console gateway on this machine has counted; None if it does not answer."""
    try:
        counted = json.loads(_health(port, timeout_s=timeout_s) or "")
        return Figures(**{name: counted[name] for name in Figures.__annotations__})
    except (ValueError, LookupError, TypeError):
        return None


def _health(port: int, *, timeout_s: float) -> bytes | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/console/health")
        answer = connection.getresponse()
        return answer.read() if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _asked_lately(actor: Actor, account_id: uuid.UUID) -> int:
    lately = select(func.count(AuditEntry.id)).where(
        AuditEntry.account_id == account_id,
        AuditEntry.at > clock.now() - timedelta(minutes=1),
        AuditEntry.action == AUDITED,
        AuditEntry.user_id == actor.user_id,
    )
    return db.session.scalar(lately) or 0


_BLOCKS: dict[type[vcloud.VcloudError], ConsoleBlock] = {
    vcloud.Unavailable: ConsoleBlock.VCLOUD_AWAY,
    vcloud.Busy: ConsoleBlock.VCLOUD_BUSY,
    vcloud.NotFound: ConsoleBlock.GONE,
}


def _ask(screen: _Screen) -> vcloud.MksTicket:
    try:
        with gateway.client(screen.service_id, limits=LIMITS) as client:
            ticket = client.mks_ticket(screen.urn)
    except vcloud.VcloudError as error:
        log.warning("no console of %s: %s", screen.urn, error)
        raise _blocked(_BLOCKS.get(type(error), ConsoleBlock.REFUSED), screen) from None
    # What goes into an address must be of letters that do so as they are, and `#` ends one.
    if not re.fullmatch(r"[!-\"$-~]{1,2048}", ticket.ticket, re.ASCII) or not 0 <= ticket.port < 65536:
        log.warning("no console of %s: its ticket is none", screen.urn)
        raise _blocked(ConsoleBlock.REFUSED, screen)
    return ticket


def _require_allowed(ticket: vcloud.MksTicket, screen: _Screen) -> Address:
    """Only where staff said that this vCloud's consoles are: what it answers must not lead us anywhere else."""
    try:
        address = address_of(ticket.host)
    except ValueError:
        address = None
    if address is None or address not in screen.allowed:
        log.warning("no console of %s: %s is not among the console hosts", screen.urn, ascii(ticket.host[:255]))
        raise _blocked(ConsoleBlock.HOST_UNKNOWN, screen)
    return address


def _access(
    ticket: vcloud.MksTicket, address: Address, screen: _Screen, way: Gateway, expires_at: datetime
) -> ConsoleAccess:
    is_direct = screen.mode is ConsoleMode.DIRECT
    return ConsoleAccess(
        vm_name=screen.name,
        vmx=ticket.vmx,
        host=str(address) if is_direct else way.host,
        port=ticket.port,
        ticket=ticket.ticket if is_direct else secrets.token_urlsafe(32),
        mode=screen.mode,
        scheme="wss" if is_direct else way.scheme,
        expires_at=expires_at,
    )


def _blocked(block: ConsoleBlock, screen: _Screen) -> AppError:
    return AppError("console_blocked", reason=block.value, name=screen.name)
