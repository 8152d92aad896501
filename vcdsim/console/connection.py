"""What is known of a connection to the console, for tests and for the curious."""

from __future__ import annotations

from dataclasses import dataclass

OPEN, CLOSED = "open", "closed"


@dataclass
class Connection:
    """One WebSocket, from the upgrade to its end. `close_code` is what was told, 1006 for a line that was cut."""

    vm_id: str
    subprotocol: str
    origin: str
    state: str = OPEN
    close_code: int | None = None
    close_reason: str = ""
    sent_bytes: int = 0
