"""The way to a cell: one WebSocket over TLS that is verified as the handler says. No word of it holds the ticket."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Origin, Subprotocol

from app.cloud.console_seats import Upstream
from app.console_gateway.closing import Closing, ClosingError

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 8.0
CLOSE_TIMEOUT_S = 3.0
MESSAGE_BYTES = 16 * 1024 * 1024  # an update of a screen; a picture in it has 4 MB at most
QUEUE = 4  # messages that wait for a slow browser; then the cell has to wait
_KEEPALIVE_S = 60
_QUIET = logging.getLogger("app.console_gateway.wire")
_QUIET.setLevel(logging.CRITICAL)  # at DEBUG the library logs request lines, and ours hold tickets


class _Connect(connect):
    """Goes where it was told and nowhere else: a redirect is a refusal."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_cell(upstream: Upstream, offered: Sequence[Subprotocol]) -> ClientConnection:
    """Open the console of one machine; raises ClosingError."""
    host = urlsplit(upstream.address).netloc
    try:
        context = await asyncio.to_thread(_trusting, upstream.ca_file)
        cell = await _Connect(
            upstream.address,
            origin=Origin(f"https://{host}"),
            subprotocols=offered or None,
            compression=None,
            user_agent_header="Skiff",
            proxy=upstream.proxy,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # no cell promises to answer
            max_size=MESSAGE_BYTES,
            max_queue=QUEUE,
            logger=_QUIET,
            ssl=context,
        )
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        closing, why = _explain(error)
        log.warning("no console of vm %s: %s: %s: %s", upstream.seat.vm_id, host, closing.reason, why)
        raise ClosingError(closing) from None
    _keep_alive(cell)
    if offered and cell.subprotocol is None:
        await cell.close()
        raise ClosingError(Closing.CELL_REFUSED)
    return cell


def _explain(error: OSError | WebSocketException) -> tuple[Closing, str]:
    """The error's own words may quote the address, and with it the ticket."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Closing.CELL_UNTRUSTED, error.verify_message
    if isinstance(error, InvalidStatus):
        return Closing.CELL_REFUSED, f"HTTP {error.response.status_code}"
    return Closing.CELL_AWAY, type(error).__name__


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    """What decides about certificates; reading the file takes too long to be done for each console."""
    return _context(ca_file, Path(ca_file).stat().st_mtime_ns if ca_file else 0)


@lru_cache(maxsize=64)
def _context(ca_file: str | None, _changed_at_ns: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _keep_alive(cell: ClientConnection) -> None:
    """Have the kernel notice a cell that went away without a word."""
    line: socket.socket = cell.transport.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_S)
