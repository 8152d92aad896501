"""How a console ends: close codes and reasons, ours and those of cells. The table is in the package's docstring."""

from enum import Enum

_REASON_BYTES = 123
_OURS = range(4400, 4600)
_ABNORMAL = (1006, 1015)
_SENDABLE = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


class Closing(Enum):
    """Why we close a console: the code, and a reason in English for logs and programmers."""

    BROKEN = (1011, "the panel made a mistake")
    UNCHECKED = (1011, "rights cannot be checked")
    RESTART = (1012, "the console gateway is started anew")
    SESSION_OVER = (4401, "the session is over")
    NOT_PERMITTED = (4403, "not permitted any more")
    UNKNOWN_ID = (4404, "unknown, used or too old")
    IDLE = (4408, "nothing moved for too long")
    VM_GONE = (4410, "the server is gone")
    TOO_MANY = (4429, "too many consoles are open")
    TOO_LONG = (4440, "open for too long")
    CELL_AWAY = (4502, "vCloud's console does not answer")
    CELL_REFUSED = (4503, "vCloud's console refuses")
    CELL_LOST = (4504, "the line to vCloud's console was lost")
    CELL_UNTRUSTED = (4526, "the certificate of vCloud's console is not trusted")

    @property
    def code(self) -> int:
        """The WebSocket close code."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """What stands beside it."""
        return self.value[1]


class ClosingError(Exception):
    """There is no console for this browser; `closing` says why."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.reason)
        self.closing = closing


def carried(code: int | None, reason: str | None) -> tuple[int, str]:
    """What to tell one side when the other has closed like this: the same, unless it must not be sent."""
    if code is None or code in _ABNORMAL:
        return Closing.CELL_LOST.value
    if code in _OURS:
        code = 1008  # what these mean is for us to say
    elif code not in _SENDABLE and code not in range(3000, 5000):
        code = 1000
    words = "".join(sign for sign in reason or "" if sign.isprintable())
    return code, words.encode()[:_REASON_BYTES].decode(errors="ignore")
