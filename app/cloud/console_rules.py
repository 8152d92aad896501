"""When a machine has a screen to show, and to which hosts a console may lead. Pure: no database, no clock, no web."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from app.cloud.rules import Action, VmState

PORT = 443
"""Where a cell answers when it does not say otherwise."""


class ConsoleMode(StrEnum):
    """How a browser reaches the cell; a setting of the handler."""

    GATEWAY = "gateway"
    DIRECT = "direct"  # the cell has a certificate that browsers trust, and customers can reach it


class ConsoleBlock(StrEnum):
    """Why there is no console now; each has a sentence in `app.texts`, and some a button."""

    OFF = "off"  # can be started
    SUSPENDED = "suspended"  # can be resumed
    STARTING = "starting"  # wait: an operation switches it on
    STOPPING = "stopping"  # wait: an operation switches it off or deletes it
    NOT_READY = "not_ready"  # being built, failed, unknown
    GONE = "gone"  # deleted, here or in vCloud
    TOO_MANY = "too_many"  # this person asked for too many in a minute
    GATEWAY_DOWN = "gateway_down"  # our own process does not answer
    VCLOUD_AWAY = "vcloud_away"  # vCloud does not answer, or not in time
    VCLOUD_BUSY = "vcloud_busy"  # it finishes something else with this machine first
    REFUSED = "refused"  # it gives out no ticket: most often the machine is just going off
    HOST_UNKNOWN = "host_unknown"  # the ticket leads to a host that staff have not allowed


_BY_STATE = {
    VmState.ON: None,
    VmState.OFF: ConsoleBlock.OFF,
    VmState.PARTLY_OFF: ConsoleBlock.OFF,
    VmState.SUSPENDED: ConsoleBlock.SUSPENDED,
    VmState.RECYCLED: ConsoleBlock.GONE,
    VmState.GONE: ConsoleBlock.GONE,
}
_BRINGS_UP = {Action.START, Action.RESUME}
# Not `shut_down`: a guest that hangs while it stops is what one wants to look at.
_TAKES_DOWN = {Action.POWER_OFF, Action.SUSPEND, Action.DELETE, Action.ERASE}


def block_of(state: VmState, running_kind: str | None) -> ConsoleBlock | None:
    """Why a machine in this state has no screen; None if it has one.

    `running_kind` is the kind of the operation at work on it, if any.
    """
    block = _BY_STATE.get(state, ConsoleBlock.NOT_READY)
    if block is not ConsoleBlock.GONE and running_kind in _TAKES_DOWN:
        return ConsoleBlock.STOPPING
    if block in (ConsoleBlock.OFF, ConsoleBlock.SUSPENDED) and running_kind in _BRINGS_UP:
        return ConsoleBlock.STARTING
    return block


@dataclass(frozen=True)
class Address:
    """Where a cell's consoles answer: a name in small letters or an IP address, and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it stands in an address: an IPv6 one in brackets, the usual port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


def address_of(text: str) -> Address:
    """Read `host`, `host:port`, an IPv6 address bare or in brackets; ValueError for anything else."""
    name, port = text, ""
    if found := re.fullmatch(r"\[(.*:.*)\](?::(\d{1,5}))?", text, re.ASCII):
        name, port = found[1], found[2] or ""
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
        if not re.fullmatch(r"\d{1,5}", port, re.ASCII):
            raise ValueError("no port")
    number = int(port or PORT)
    if not 0 < number < 65536:
        raise ValueError("no port")
    if ":" in name:
        return Address(str(ipaddress.IPv6Address(name)), number)
    name = name.lower().removesuffix(".")
    if len(name) > 253 or not re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", name, re.ASCII):
        raise ValueError("no host")
    return Address(name, number)


def allowed_addresses(api_url: str, console_hosts: Iterable[str]) -> set[Address]:
    """Where a console of this vCloud may lead: where its API answers, and the `host[:port]`s that staff allowed."""
    parts = urlsplit(api_url)
    own = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return {address_of(host) for host in (f"{own}:{parts.port or PORT}", *console_hosts)}
