"""Tickets for the console: 30 seconds, once, in the shape of vCD's own."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

LIFETIME_S = 30.0
_RANDOM_BYTES = 96


@dataclass(frozen=True)
class Ticket:
    """The right to one connection. `vmx` is empty in the modern generation."""

    text: str
    vm_id: str
    vmx: str
    ends_at: float


class Tickets:
    """The tickets that are out. Taking one is a single step, so no two connections get it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._out: dict[str, Ticket] = {}

    def issue(self, vm_id: str, vmx: str, thumbprint: str) -> Ticket:
        """A new ticket. As real ones it may hold `/`, `+`, `=`; each of these holds `//`, to find who merges them."""
        noise = base64.b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()
        text = f"cst-{noise[:40]}//{noise[40:]}--tp-{thumbprint}--"
        ticket = Ticket(text, vm_id, vmx, self._now() + LIFETIME_S)
        self._out = {key: one for key, one in self._out.items() if one.ends_at >= self._now()}
        self._out[text] = ticket
        return ticket

    def take(self, text: str) -> Ticket | None:
        """The ticket, which is then used up; None for one that is unknown, used or too old."""
        ticket = self._out.pop(text, None)
        return ticket if ticket is not None and ticket.ends_at >= self._now() else None
