"""The console of a simulated vCloud: tickets here, and behind `Console.serve` the socket, the protocol and the guests.

What it speaks needs `websockets`, Pillow and, for a certificate of its own, `cryptography`; they are loaded only
when it is served.
"""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from vcdsim.console.connection import Connection
from vcdsim.console.machine import Machines
from vcdsim.console.options import LEGACY, MODERN, ConsoleOptions
from vcdsim.console.tickets import Tickets

if TYPE_CHECKING:
    from vcdsim.console.guest import Guest
    from vcdsim.console.listener import Listener
    from vcdsim.entities import Vm
    from vcdsim.faults import Faults
    from vcdsim.world import World

__all__ = ["LEGACY", "MODERN", "Connection", "Console", "ConsoleOptions", "MksTicket"]

#: ESXi's port, which goes into the path of the address.
_MKS_PORT = 902
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  it is no address to listen on


class MksTicket(NamedTuple):
    """The four values of vCloud's answer; `host` carries a port unless it is 443."""

    host: str
    vmx: str
    ticket: str
    port: int


class Console:
    """Tickets, and while `serve` runs what is behind them. `options` may be changed at any time."""

    def __init__(self, world: Callable[[], World], lock: AbstractContextManager[bool], faults: Faults) -> None:
        self.options = ConsoleOptions()
        #: Of every connection so far, in order.
        self.connections: list[Connection] = []
        self._machines = Machines(world, lock)
        self._faults = faults
        self._tickets = Tickets(lambda: world().now())
        #: By the id of the VM; of those somebody has looked at.
        self.guests: dict[str, Guest] = {}
        self._listener: Listener | None = None
        self._address = ""
        self._thumbprint = _thumbprint(b"")
        #: The certificate that clients are to trust, while TLS is served.
        self.certificate: Path | None = None

    def ticket(self, vm: Vm, asked_host: str) -> MksTicket:
        """A ticket for a VM that is on; `asked_host` is the name this vCloud was addressed by."""
        vmx = f"/vmfs/volumes/vcdsim/{vm.name} ({vm.id})/{vm.name}.vmx" if self.options.generation == LEGACY else ""
        ticket = self._tickets.issue(vm.id, vmx, self._thumbprint)
        return MksTicket(self._address.replace("*", asked_host) or asked_host, vmx, ticket.text, _MKS_PORT)

    @contextmanager
    def serve(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        tls: bool = True,
        certificate: Path | None = None,
        public_name: str = "",
    ) -> Iterator[str]:
        """Serve while the block runs, from a thread; gives `wss://HOST:PORT`, or `ws://` without `tls`.

        The certificate is kept in `certificate`, its key beside it in `.key`; they are made if they are not there,
        and in a temporary folder when no file is named. Tickets name `public_name` (a host, perhaps with a port)
        instead of the address listened on. OSError when the port is taken.
        """
        from vcdsim.console.desk import Desk
        from vcdsim.console.listener import Listener

        with ExitStack() as stack:
            context = self._tls(certificate, public_name, stack) if tls else None
            desk = Desk(self, self._machines, self._tickets, self._faults)
            listener = Listener(desk)
            port = stack.enter_context(listener.listening(host, port, context))
            own = f"[{host}]" if ":" in host else host
            self._address = public_name or _with_port("*" if host in _EVERYWHERE else own, port)
            self._listener = listener
            try:
                yield f"{'wss' if tls else 'ws'}://{self._address.replace('*', 'localhost')}"
            finally:
                self._listener = self.certificate = None

    def _tls(self, file: Path | None, public_name: str, stack: ExitStack) -> ssl.SSLContext:
        if file is None:
            file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vcdsim-"))) / "console.pem"
        key_file = file.with_name(f"{file.name}.key")
        if not file.exists():
            from vcdsim.console import certificate

            certificate.make(file, key_file, urlsplit(f"//{public_name}").hostname or "")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key_file)
        self._thumbprint = _thumbprint(ssl.PEM_cert_to_DER_cert(file.read_text("ascii")))
        self.certificate = file
        return context

    def received(self, vm_id: str) -> str:
        """What was typed into the VM's guest since this vCloud began: `\\n` for Enter, `\\t`, `\\b`."""
        guest = self.guests.get(vm_id)
        return guest.received if guest is not None else ""

    def events(self, vm_id: str) -> list[tuple[str, str]]:
        """What happened to the guest, (kind, what), such as `("key", "scan 42 down")` or `("boot", "")`."""
        guest = self.guests.get(vm_id)
        return list(guest.events) if guest is not None else []

    def close(self, vm_id: str, code: int = 1001, reason: str = "") -> None:
        """Close the connections to the VM, as a cell does that stops."""
        if self._listener is not None:
            self._listener.call(self._listener.desk.close(vm_id, code, reason))


def _thumbprint(certificate: bytes) -> str:
    """SHA-1 with colons, as tickets carry it."""
    return hashlib.sha1(certificate, usedforsecurity=False).digest().hex(":").upper()


def _with_port(host: str, port: int) -> str:
    return host if port == 443 else f"{host}:{port}"
