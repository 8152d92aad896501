"""The gateway's server: lets browsers in, keeps count of open consoles, and ends those that must not stay."""

import asyncio
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from app.cloud.console_seats import ConsoleEnd, ConsoleEndedError, Upstream
from app.console_gateway.cell import open_cell
from app.console_gateway.closing import Closing, ClosingError
from app.console_gateway.door import Door
from app.console_gateway.sitting import Sitting
from config import Config

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 5.0
LOOK_TIMEOUT_S = 20.0
UNCHECKED_MOST_S = 60.0
SAYS_EVERY_S = 600.0
_OPEN_TIMEOUT_S = 15.0
_CLOSE_TIMEOUT_S = 3.0
_MESSAGE_BYTES = 1024 * 1024  # keys, a mouse, a pasted text
_QUEUE = 8
_VVC = "vmware-vvc"  # a protocol of VMware's own that nobody here speaks
_HEALTH = "/console/health"
_WIRE = logging.getLogger("app.console_gateway.wire")
_ENDS = {
    ConsoleEnd.UNKNOWN_ID: Closing.UNKNOWN_ID,
    ConsoleEnd.SESSION_OVER: Closing.SESSION_OVER,
    ConsoleEnd.NOT_PERMITTED: Closing.NOT_PERMITTED,
    ConsoleEnd.VM_GONE: Closing.VM_GONE,
}


class Browser(ServerConnection):
    """A browser's connection, and what came of its wish."""

    sitting: Sitting | None = None
    closing: Closing = Closing.BROKEN
    chosen: Subprotocol | None = None


class Gateway:
    """All consoles of this process."""

    def __init__(self, app: "Flask", config: Config) -> None:
        self._config = config
        self._door = Door(app, config.origins)
        self._sittings: set[Sitting] = set()
        self._arriving = 0
        # By account; taken before the cell is opened, so that none is given away twice.
        self._places: Counter[uuid.UUID] = Counter()
        self._holders: set[asyncio.Task[None]] = set()
        self._checked_at = time.monotonic()
        self._opened = self._bytes_to_browser = self._bytes_to_cell = 0
        self._refused: Counter[str] = Counter()

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[Server]:
        """Serve on this machine while the block runs; then close what is open and say why."""
        server = await serve(
            self._sit,
            "127.0.0.1",
            port,
            process_request=self._receive,
            select_subprotocol=lambda browser, _: browser.chosen if isinstance(browser, Browser) else None,
            create_connection=Browser,
            compression=None,
            server_header=None,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=_MESSAGE_BYTES,
            max_queue=_QUEUE,
            logger=_WIRE,
        )
        watch = asyncio.create_task(self._watch())
        try:
            yield server
        finally:
            watch.cancel()
            server.close(code=Closing.RESTART.code, reason=Closing.RESTART.reason)
            await server.wait_closed()
            await asyncio.gather(*self._holders)
            log.info("stopped: %s", self.figures())

    def figures(self) -> dict[str, object]:
        """What the panel's health shows: consoles open now; since the start: opened, refused by reason, bytes."""
        return {
            "open": len(self._sittings),
            "opened": self._opened,
            "refused": dict(self._refused),
            "bytes_to_browsers": self._bytes_to_browser + sum(one.bytes_to_browser for one in self._sittings),
            "bytes_to_cells": self._bytes_to_cell + sum(one.bytes_to_cell for one in self._sittings),
        }

    # ---- A browser comes -------------------------------------------------------------------------------------------

    async def _receive(self, browser: ServerConnection, request: Request) -> Response | None:
        """Answer what is no console, and prepare what is: the cell is open before the browser hears of it."""
        if request.path == _HEALTH:  # nginx forwards /console/ws/ alone
            return browser.respond(HTTPStatus.OK, json.dumps(self.figures()))
        one_time_id = self._door.id_in(request.path)
        if one_time_id is None:
            return self._refuse(browser, HTTPStatus.NOT_FOUND)
        if not self._door.is_ours(request.headers):
            return self._refuse(browser, HTTPStatus.FORBIDDEN)
        offered = _offered(request)
        if offered is None or not isinstance(browser, Browser):
            return self._refuse(browser, HTTPStatus.BAD_REQUEST)
        browser.chosen = offered[0] if offered else None
        self._arriving += 1
        try:
            await self._seat(browser, await self._admit(request, one_time_id), offered)
        except ClosingError as error:
            browser.closing = error.closing
            self._refused[error.closing.name.lower()] += 1
        finally:
            self._arriving -= 1
        return None

    async def _admit(self, request: Request, one_time_id: str) -> Upstream:
        if len(self._sittings) + self._arriving > self._config.console_total:
            raise ClosingError(Closing.TOO_MANY)
        try:
            return await asyncio.to_thread(self._door.admit, request.headers, one_time_id)
        except ConsoleEndedError as ended:
            raise ClosingError(_ENDS[ended.end]) from None
        except Exception:
            log.exception("a console could not be opened")
            raise ClosingError(Closing.BROKEN) from None

    async def _seat(self, browser: Browser, upstream: Upstream, offered: Sequence[Subprotocol]) -> None:
        account_id = upstream.seat.account_id
        if self._places[account_id] >= self._config.console_per_account:
            raise ClosingError(Closing.TOO_MANY)
        self._places[account_id] += 1
        try:
            cell = await open_cell(upstream, offered)
        except BaseException:
            self._places[account_id] -= 1
            raise
        browser.chosen = cell.subprotocol
        browser.sitting = Sitting(upstream.seat, browser, cell)
        self._sittings.add(browser.sitting)
        self._opened += 1
        holder = asyncio.create_task(self._hold(browser.sitting))
        self._holders.add(holder)
        holder.add_done_callback(self._holders.discard)

    def _refuse(self, browser: ServerConnection, status: HTTPStatus) -> Response:
        self._refused[f"http_{status.value}"] += 1
        return browser.respond(status, f"{status.phrase}\n")

    async def _sit(self, browser: ServerConnection) -> None:
        if not isinstance(browser, Browser) or browser.sitting is None:
            closing = browser.closing if isinstance(browser, Browser) else Closing.BROKEN
            await browser.close(closing.code, closing.reason)
            return
        seat = browser.sitting.seat
        log.info("console of vm %s opened, account %s, user %s", seat.vm_id, seat.account_id, seat.user_id)
        await browser.sitting.relay()

    async def _hold(self, sitting: Sitting) -> None:
        """Whatever becomes of a browser, even in the middle of its upgrade: when it is gone, so is its cell."""
        try:
            await sitting.browser.wait_closed()
            await sitting.let_go()
        finally:
            self._sittings.discard(sitting)
            self._places[sitting.seat.account_id] -= 1
        self._bytes_to_browser += sitting.bytes_to_browser
        self._bytes_to_cell += sitting.bytes_to_cell
        lasted_s = time.monotonic() - sitting.opened_at
        code, reason = sitting.browser.close_code, sitting.browser.close_reason
        log.info("console of vm %s closed after %.0f s: %s %s", sitting.seat.vm_id, lasted_s, code, reason)

    # ---- Who must not stay -----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        said_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            await self.look_round()
            if time.monotonic() - said_at > SAYS_EVERY_S:
                said_at = time.monotonic()
                log.info("%s", self.figures())

    async def look_round(self) -> None:
        """End what idles or lasts too long, and whoever lost his right, his session or his machine."""
        self._end_old(time.monotonic())
        seats = {one.seat for one in self._sittings}
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                ends = await asyncio.to_thread(self._door.look_round, seats)
        except Exception:
            log.exception("the rights of open consoles could not be checked")
            if time.monotonic() - self._checked_at > UNCHECKED_MOST_S:
                self._end_all(Closing.UNCHECKED)
            return
        self._checked_at = time.monotonic()
        for one in self._sittings:
            if one.seat in ends:
                one.end(_ENDS[ends[one.seat]])

    def _end_old(self, now: float) -> None:
        for one in self._sittings:
            if now - one.moved_at > self._config.console_idle_min * 60:
                one.end(Closing.IDLE)
            elif now - one.opened_at > self._config.console_max_h * 3600:
                one.end(Closing.TOO_LONG)

    def _end_all(self, closing: Closing) -> None:
        for one in self._sittings:
            one.end(closing)


def _offered(request: Request) -> list[Subprotocol] | None:
    """What the browser can speak and a cell may choose; None if it can speak nothing that we pass on."""
    named = [name.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")]
    kept = [Subprotocol(name) for name in named if name and name != _VVC]
    return None if named and not kept else kept
