"""Consoles under test: the gateway in a thread, a cell that does as it is told, and browsers."""

import asyncio
import contextlib
import json
import secrets
import ssl
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.request import urlopen

from flask import Flask
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from app import clock
from app.cloud.console_models import ConsoleGrant, hash_of
from app.cloud.console_seats import Seat
from app.console_gateway.server import Gateway
from app.console_gateway.sitting import Sitting
from app.db import db, transaction
from config import Config
from tests.support.waiting import wait_until

T = TypeVar("T")
PATIENCE_S = 10.0


class Loop:
    """An event loop in a thread of its own; `hold` keeps something of it open while a block of the test runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done there, and wait."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(PATIENCE_S)

    @contextmanager
    def hold(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter an asynchronous block there, and leave it at the end of this one."""
        entered = self.do(manager.__aenter__())
        try:
            yield entered
        finally:
            self.do(manager.__aexit__(None, None, None))


@dataclass
class Cell:
    """A cell: sends everything back. `port` 0 while it is down."""

    certificate: Path
    port: int = 0
    speaks: Sequence[str] = ("binary",)
    status: int | None = None  # refuses every console with it
    location: str = ""  # and sends there
    hesitates: asyncio.Event | None = None  # answers no upgrade before it is set
    requests: list[Request] = field(default_factory=list)
    open: set[ServerConnection] = field(default_factory=set)
    sent: int = 0  # messages of a flood that found room on the way

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Cell"]:
        """Answer on a port of this machine, over TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.certificate.with_name(f"{self.certificate.name}.key"))
        server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            ssl=context,
            process_request=self._look,
            select_subprotocol=lambda _, offered: next((one for one in offered if one in self.speaks), None),
            compression=None,
            close_timeout=1,
        )
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
        self.port = 0

    async def _look(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.hesitates is not None:
            await self.hesitates.wait()
        if self.status is None:
            return None
        response = connection.respond(self.status, "no\n")
        response.headers["Location"] = self.location
        return response

    async def _serve(self, browser: ServerConnection) -> None:
        self.open.add(browser)
        try:
            async for message in browser:
                if isinstance(message, bytes) and message.startswith(b"close "):
                    _, code, reason = message.decode().split(" ", 2)
                    await browser.send(b"last words")
                    await browser.close(int(code), reason)
                elif message == b"drop":
                    browser.transport.abort()
                elif message == b"flood":
                    for self.sent in range(1, 2000):
                        await browser.send(bytes(64 * 1024))
                else:
                    await browser.send(message)
        except ConnectionClosed:
            pass
        finally:
            self.open.discard(browser)


@dataclass
class Booth:
    """The gateway as tests see it."""

    gateway: Gateway
    port: int
    loop: Loop
    origin: str

    def connect(
        self,
        one_time_id: str,
        cookie: str | None,
        *,
        origin: str | None = "",
        offers: Sequence[str] = ("binary", "vmware-vvc", "uint8utf8"),
        path: str = "",
        open_timeout: float = PATIENCE_S,
        max_queue: int = 16,
    ) -> ClientConnection:
        """Open a console as a browser does; `origin` empty: that of the panel."""
        return connect(
            f"ws://127.0.0.1:{self.port}{path or f'/console/ws/902;{one_time_id}'}",
            origin=Origin(self.origin if origin == "" else origin) if origin is not None else None,
            subprotocols=[Subprotocol(one) for one in offers] or None,
            additional_headers={"Cookie": cookie} if cookie else None,
            compression=None,
            proxy=None,
            open_timeout=open_timeout,
            close_timeout=2,
            max_size=None,
            max_queue=max_queue,
        )

    def ending(self, one_time_id: str, cookie: str | None, **options: Any) -> tuple[int | None, str | None]:
        """How a console ends that does not get going."""
        with self.connect(one_time_id, cookie, **options) as browser:
            return ending(browser)

    def look_round(self) -> None:
        """What the gateway does every few seconds, now."""
        self.loop.do(self.gateway.look_round())

    def health(self) -> Any:
        """What the panel is told."""
        with urlopen(f"http://127.0.0.1:{self.port}/console/health", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    @property
    def sittings(self) -> set[Sitting]:
        """The consoles that are open."""
        return self.gateway._sittings

    @property
    def refused(self) -> object:
        """How many were refused, by reason."""
        return self.gateway.figures()["refused"]

    def empties(self) -> None:
        """Wait until nobody sits here any more."""
        wait_until(lambda: not self.sittings, "all consoles are closed")


@contextmanager
def booth(app: Flask, config: Config, loop: Loop) -> Iterator[Booth]:
    """A gateway in this loop while the block runs."""
    gateway = Gateway(app, config)
    with loop.hold(gateway.serving(0)) as server:
        yield Booth(gateway, server.sockets[0].getsockname()[1], loop, config.public_url)


def ending(browser: ClientConnection) -> tuple[int | None, str | None]:
    """Wait until a console is closed; code and reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            browser.recv(PATIENCE_S)
    return browser.close_code, browser.close_reason


def granted(seat: Seat, address: str, *, good_for_s: float = 25) -> str:
    """A one-time id behind which this address waits, as a page would have got it."""
    one_time_id = secrets.token_urlsafe(32)
    with transaction():
        row = ConsoleGrant(
            id_hash=hash_of(one_time_id),
            vm_id=seat.vm_id,
            account_id=seat.account_id,
            user_id=seat.user_id,
            session_id=seat.session_id,
            expires_at=clock.now() + timedelta(seconds=good_for_s),
        )
        row.address = address
        db.session.add(row)
    return one_time_id
