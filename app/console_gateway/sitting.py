"""One open console: a browser, a cell, and messages passed on between them."""

import asyncio
import time

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from app.cloud.console_seats import Seat
from app.console_gateway.closing import Closing, carried


class Sitting:
    """Somebody at a console. Times are those of `time.monotonic`."""

    def __init__(self, seat: Seat, browser: ServerConnection, cell: ClientConnection) -> None:
        self.seat = seat
        self.browser = browser
        self._cell = cell
        self.opened_at = self.moved_at = time.monotonic()
        self.bytes_to_browser = self.bytes_to_cell = 0
        self._ending: asyncio.Task[None] | None = None

    async def relay(self) -> None:
        """Pass on whole messages both ways until one side closes, and tell the other how."""
        await asyncio.gather(self._up(), self._down())

    async def _up(self) -> None:
        await self._pump(self.browser, self._cell)
        await self._cell.close(*carried(self.browser.close_code, self.browser.close_reason))

    async def _down(self) -> None:
        await self._pump(self._cell, self.browser)
        await self.browser.close(*carried(self._cell.close_code, self._cell.close_reason))

    async def _pump(self, source: Connection, target: Connection) -> None:
        """Nothing is read before the last message is on its way: a slow reader slows the other side down."""
        try:
            while True:
                message = await source.recv()
                self.moved_at = time.monotonic()
                if source is self._cell:
                    self.bytes_to_browser += len(message)
                else:
                    self.bytes_to_cell += len(message)
                await target.send(message)
        except ConnectionClosed:
            return

    def end(self, closing: Closing) -> None:
        """Close it for a reason of ours; at once, or after `close_timeout` where the browser does not react."""
        if self._ending is None:
            self._ending = asyncio.create_task(self.browser.close(closing.code, closing.reason))

    async def let_go(self) -> None:
        """Close the cell, which costs nothing if it is closed already."""
        await self._cell.close()
