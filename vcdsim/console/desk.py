"""Where connections arrive: the upgrade, whose guest it is, and the clock that drives the guests."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from vcdsim.console.connection import CLOSED, Connection
from vcdsim.console.guest import Guest
from vcdsim.console.linux import Linux
from vcdsim.console.machine import Facts, Machines
from vcdsim.console.session import PoweredOffError, Session
from vcdsim.console.stream import BINARY, TEXT, Stream
from vcdsim.console.system import Power, System
from vcdsim.console.tickets import Ticket, Tickets
from vcdsim.console.windows import Windows
from vcdsim.console.wire import WireError
from vcdsim.faults import CONSOLE_SOCKET, Fault, Faults

if TYPE_CHECKING:
    from vcdsim.console import Console

#: How often guests look at their VM and the clock.
_LOOK_EVERY_S = 0.1
_POWERED_OFF = (1000, "the virtual machine is off")
_MOST_REASON_LETTERS = 100


@dataclass
class _Admitted:
    """A connection between its upgrade and its first byte."""

    ticket: Ticket
    faults: list[Fault] = field(default_factory=list)


class Desk:
    """Serves WebSockets in one event loop, for a console that tells what happens."""

    def __init__(self, console: Console, machines: Machines, tickets: Tickets, faults: Faults) -> None:
        self._console = console
        self._machines = machines
        self._tickets = tickets
        self._faults = faults
        self._admitted: WeakKeyDictionary[ServerConnection, _Admitted] = WeakKeyDictionary()
        self._sockets: dict[ServerConnection, str] = {}

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Everything after the first `;` is the ticket, as it came. 403 unless it gives a right to a VM that is on."""
        faults = self._faults.take(CONSOLE_SOCKET)
        await asyncio.sleep(sum(fault.latency_s for fault in faults))
        for fault in faults:
            if fault.drop_request:
                socket.transport.abort()
            if fault.http_status is not None or fault.drop_request:
                return _refusal(fault.http_status or HTTPStatus.SERVICE_UNAVAILABLE)
        ticket = self._tickets.take(request.path.partition(";")[2])
        if ticket is None or not self._machines.look(ticket.vm_id):
            return _refusal(HTTPStatus.FORBIDDEN)
        self._admitted[socket] = _Admitted(ticket, faults)
        return None

    def choose(self, socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        """Text frames for the legacy generation if the client has them, else binary ones; never `vmware-vvc`."""
        wanted = (TEXT, BINARY) if self._admitted[socket].ticket.vmx else (BINARY,)
        for name in wanted:
            if name in offered:
                return Subprotocol(name)
        del self._admitted[socket]
        raise NegotiationError(f"offer {' or '.join(wanted)}")

    async def serve(self, socket: ServerConnection) -> None:
        """One connection, to its end."""
        admitted = self._admitted.pop(socket)
        vm_id = admitted.ticket.vm_id
        headers = socket.request.headers if socket.request is not None else Headers()
        connection = Connection(vm_id, socket.subprotocol or "", headers.get("Origin", ""))
        self._console.connections.append(connection)
        self._sockets[socket] = vm_id
        try:
            await self._talk(socket, Stream(socket, connection, admitted.faults), admitted.ticket)
        finally:
            del self._sockets[socket]
            connection.state = CLOSED
            connection.close_code, connection.close_reason = socket.close_code, socket.close_reason or ""

    async def close(self, vm_id: str, code: int, reason: str) -> None:
        """End the connections to a VM."""
        for socket in [one for one, seen in self._sockets.items() if seen == vm_id]:
            await socket.close(code, reason)

    async def watch(self) -> None:
        """Let the guests that somebody looks at know the time; close the screens of VMs that are off."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            watched = set(self._sockets.values())
            on = self._machines.look(*watched)
            for facts in on.values():
                self._guest(facts).look(facts)
            for vm_id in (watched - set(on)) & set(self._console.guests):
                self._console.guests[vm_id].go_dark()

    async def _talk(self, socket: ServerConnection, stream: Stream, ticket: Ticket) -> None:
        facts = self._machines.look(ticket.vm_id).get(ticket.vm_id)
        if facts is None:
            await socket.close(*_POWERED_OFF)
            return
        guest = self._guest(facts)
        guest.look(facts)
        with contextlib.suppress(ConnectionClosed):
            try:
                await Session(stream, guest, ticket, self._console.options).run()
            except* ConnectionClosed:
                pass
            except* PoweredOffError:
                await socket.close(*_POWERED_OFF)
            except* TimeoutError:
                await socket.close(1002, "no handshake in time")
            except* (WireError, struct.error) as wrong:
                await socket.close(1002, str(wrong.exceptions[0])[:_MOST_REASON_LETTERS])

    def _guest(self, facts: Facts) -> Guest:
        guest = self._console.guests.get(facts.vm_id)
        if guest is None:
            guest = self._console.guests[facts.vm_id] = Guest(facts, self._boot)
        return guest

    def _boot(self, facts: Facts) -> System:
        machines, vm_id = self._machines, facts.vm_id
        power = Power(lambda: machines.power_off(vm_id), lambda: machines.restart(vm_id))
        return Windows(facts, power) if facts.is_windows else Linux(facts, power)


def _refusal(status: int) -> Response:
    return Response(status, "", Headers({"Content-Length": "0", "Connection": "close"}), b"")
