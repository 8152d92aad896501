"""The console's thread: an event loop with the WebSocket server, for as long as a block runs."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from websockets.asyncio.server import Server, serve

from vcdsim.console.desk import Desk

_MOST_MESSAGE_BYTES = 1 << 20
_CALL_TIMEOUT_S = 10.0
#: How long a client is waited for that does not answer a closing.
_CLOSE_TIMEOUT_S = 2.0
#: What clients do wrong is told by `Console.connections`, not in a log.
_QUIET = logging.getLogger("vcdsim.console")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_Result = TypeVar("_Result")


class Listener:
    """An event loop in a thread, where a desk is served."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def listening(self, host: str, port: int, tls: ssl.SSLContext | None) -> Iterator[int]:
        """Listen while the block runs; gives the port, OSError when it is taken. Port 0 picks a free one."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            server = self.call(self._start(host, port, tls))
            watch = asyncio.run_coroutine_threadsafe(self.desk.watch(), self._loop)
            try:
                yield int(next(iter(server.sockets)).getsockname()[1])
            finally:
                watch.cancel()
                self.call(_stop(server))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def call(self, what: Coroutine[Any, Any, _Result]) -> _Result:
        """Have the loop do something, and wait for it."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_CALL_TIMEOUT_S)

    async def _start(self, host: str, port: int, tls: ssl.SSLContext | None) -> Server:
        return await serve(
            self.desk.serve,
            host,
            port,
            ssl=tls,
            process_request=self.desk.admit,
            select_subprotocol=self.desk.choose,
            compression=None,
            max_size=_MOST_MESSAGE_BYTES,
            ping_interval=None,
            close_timeout=_CLOSE_TIMEOUT_S,
            server_header="vcdsim",
            logger=_QUIET,
        )


async def _stop(server: Server) -> None:
    server.close()
    await server.wait_closed()
