"""Where connections arrive: the upgrade, whose guest it is, and the clock that drives the guests."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Sequence
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from vcdsim.console.connection import CLOSED, Connection
from vcdsim.console.guest import Guest
from vcdsim.console.linux import Linux
from vcdsim.console.machine import Facts, Machines
from vcdsim.console.options import ConsoleOptions
from vcdsim.console.session import Session
from vcdsim.console.stream import BINARY, TEXT, Stream
from vcdsim.console.system import Power, System
from vcdsim.console.tickets import Ticket, Tickets
from vcdsim.console.wire import WireError

#: How often guests look at their VM and the clock.
_LOOK_EVERY_S = 0.1
_POWERED_OFF = (1000, "the virtual machine is off")


class Desk:
    """Serves WebSockets in one event loop; other threads may read the guests and the connections."""

    def __init__(
        self,
        tickets: Tickets,
        machines: Machines,
        options: ConsoleOptions,
        guests: dict[str, Guest],
        connections: list[Connection],
    ) -> None:
        self._guests = guests
        self._connections = connections
        self._tickets = tickets
        self._machines = machines
        self._options = options
        self._admitted: dict[ServerConnection, Ticket] = {}
        self._sockets: dict[ServerConnection, str] = {}

    def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Everything after the first `;` is the ticket, as it came. 403 unless it gives a right to a VM that is on."""
        ticket = self._tickets.take(request.path.partition(";")[2])
        if ticket is None or not self._machines.look(ticket.vm_id):
            return socket.respond(HTTPStatus.FORBIDDEN, "")
        self._admitted[socket] = ticket
        return None

    def choose(self, socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        """Text frames for the legacy generation if the client has them, else binary ones; never `vmware-vvc`."""
        wanted = (TEXT, BINARY) if self._admitted[socket].vmx else (BINARY,)
        for name in wanted:
            if name in offered:
                return Subprotocol(name)
        del self._admitted[socket]
        raise NegotiationError(f"offer {' or '.join(wanted)}")

    async def serve(self, socket: ServerConnection) -> None:
        """One connection, to its end."""
        ticket = self._admitted.pop(socket)
        stream = Stream(socket)
        headers = socket.request.headers if socket.request is not None else {}
        connection = Connection(ticket.vm_id, socket.subprotocol or "", headers.get("Origin", ""))
        self._connections.append(connection)
        self._sockets[socket] = ticket.vm_id
        try:
            await self._talk(socket, stream, ticket)
        finally:
            del self._sockets[socket]
            connection.state, connection.sent_bytes = CLOSED, stream.sent_bytes
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
            for vm_id in watched - set(on):
                await self.close(vm_id, *_POWERED_OFF)
            for facts in on.values():
                self._guest(facts).look(facts)

    async def _talk(self, socket: ServerConnection, stream: Stream, ticket: Ticket) -> None:
        facts = self._machines.look(ticket.vm_id).get(ticket.vm_id)
        if facts is None:
            await socket.close(*_POWERED_OFF)
            return
        with contextlib.suppress(ConnectionClosed):
            try:
                await Session(stream, self._guest(facts), ticket, self._options).run()
            except* ConnectionClosed:
                pass
            except* (WireError, struct.error) as wrong:
                await socket.close(1002, str(wrong.exceptions[0])[:100])

    def _guest(self, facts: Facts) -> Guest:
        guest = self._guests.get(facts.vm_id)
        if guest is None:
            guest = self._guests[facts.vm_id] = Guest(facts, self._boot)
        return guest

    def _boot(self, facts: Facts) -> System:
        return Linux(
            facts, Power(lambda: self._machines.power_off(facts.vm_id), lambda: self._machines.restart(facts.vm_id))
        )
