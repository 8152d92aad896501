"""The byte stream of RFB on a WebSocket, in binary frames or as `uint8utf8`.

In `uint8utf8` a message is text whose characters U+0000 to U+00FF are the bytes. A message may hold
several messages of RFB, or a part of one.
"""

from __future__ import annotations

import os

from websockets.asyncio.server import ServerConnection

from vcdsim.console.connection import Connection
from vcdsim.console.wire import WireError
from vcdsim.faults import Fault

_MOST_MESSAGE_BYTES = 1 << 16
BINARY, TEXT = "binary", "uint8utf8"


class Stream:
    """Reads exactly as many bytes as asked for, whatever the frames; counts what it sends, and spoils it."""

    def __init__(self, socket: ServerConnection, connection: Connection, faults: list[Fault]) -> None:
        self._socket = socket
        self._connection = connection
        self._faults = faults
        self._is_text = socket.subprotocol == TEXT
        self._unread = bytearray()

    async def send(self, data: bytes) -> None:
        """One message of the WebSocket; more, when it would be a very long one."""
        for fault in self._faults:
            data = self._spoilt(data, fault)
        self._connection.sent_bytes += len(data)
        for start in range(0, len(data), _MOST_MESSAGE_BYTES):
            part = data[start : start + _MOST_MESSAGE_BYTES]
            await self._socket.send(part.decode("latin-1") if self._is_text else part)
        for fault in self._faults:
            if fault.cut_after is not None and self._connection.sent_bytes >= fault.cut_after:
                await self._end(fault.close_code)

    async def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self._unread) < count:
            self._unread += self._bytes(await self._socket.recv())
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken

    async def take_text(self) -> str:
        """The next message as a whole: as text it may hold any character, in binary it is Latin-1."""
        message = await self._socket.recv()
        return message if isinstance(message, str) else message.decode("latin-1")

    def _bytes(self, message: str | bytes) -> bytes:
        if isinstance(message, bytes):
            return message
        try:
            return message.encode("latin-1")
        except UnicodeEncodeError:
            raise WireError("a character above U+00FF is no byte") from None

    def _spoilt(self, data: bytes, fault: Fault) -> bytes:
        for limit in (fault.truncate_to, fault.cut_after):
            if limit is not None:
                data = data[: max(0, limit - self._connection.sent_bytes)]
        if fault.garble_after is not None:
            good = max(0, fault.garble_after - self._connection.sent_bytes)
            data = data[:good] + os.urandom(len(data[good:]))
        return data

    async def _end(self, code: int | None) -> None:
        if code is None:
            self._socket.transport.abort()
        else:
            await self._socket.close(code)
