"""The byte stream of RFB on a WebSocket, in binary frames or as `uint8utf8`.

In `uint8utf8` a message is text whose characters U+0000 to U+00FF are the bytes. A message may hold
several messages of RFB, or a part of one.
"""

from __future__ import annotations

from websockets.asyncio.server import ServerConnection

from vcdsim.console.wire import WireError

BINARY, TEXT = "binary", "uint8utf8"


class Stream:
    """Reads exactly as many bytes as asked for, whatever the frames; counts what it sends."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self._is_text = socket.subprotocol == TEXT
        self._unread = bytearray()
        self.sent_bytes = 0

    async def send(self, data: bytes) -> None:
        """One message of the WebSocket."""
        self.sent_bytes += len(data)
        await self._socket.send(data.decode("latin-1") if self._is_text else data)

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
