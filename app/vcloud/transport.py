"""One HTTP exchange with limits that hold: time in all, size after decompression, no redirects, no environment."""

import http.client
import io
import logging
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError

from app.vcloud.errors import Unavailable
from app.vcloud.xml import BODY_LIMIT_BYTES

log = logging.getLogger(__name__)

KNOWN_AUTHORITIES: str = requests.utils.DEFAULT_CA_BUNDLE_PATH
"""The file of the CAs that are trusted where no other is named."""
_PACKED_CHUNK_BYTES = 16 * 1024  # small: one chunk of a compressed bomb may swell a thousandfold before we count it
_BUFFER_BYTES = 128 * 1024  # a page of a listing is about that long
_HEADERS = {"User-Agent": "Skiff", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
_NO_TRUST = "CERTIFICATE_VERIFY_FAILED", "NO_CERTIFICATE_OR_CRL_FOUND", "TLS CA certificate"  # the last: no such file
_REQUEST_ID_HEADER = "X-VMWARE-VCLOUD-REQUEST-ID"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds we wait.

    `answer_s` is for the whole answer, however slowly it drips; `call_s` for one method of the client with its retries
    and a new login, and must stay below the time an operation's turn may take (60 s). `listing_s` is for all pages of a
    listing: 10,000 machines on a slow line take two minutes.
    """

    connect_s: float = 5.0
    answer_s: float = 30.0
    call_s: float = 45.0
    listing_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Timer:
    """How time passes: tests have one of their own, in which nobody waits."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """Return vCloud's id of the request, if it is one: it goes into logs and onto pages."""
        found = self.headers.get(_REQUEST_ID_HEADER, "")
        return found if re.fullmatch(r"[\w.:-]{1,80}", found, re.ASCII) else None


class Transport:
    """Sends requests over kept connections. `send` may be called by several threads at once.

    Without a `requests.Session`: what that adds (redirects, cookies, the environment's proxies, passwords and
    certificates) is what we do not want, and it costs as much time as the rest of a request.
    """

    def __init__(
        self,
        *,
        verify: bool | str,
        proxy: str | None,
        limits: Limits,
        timer: Timer,
        before_command: Callable[[], None],
    ) -> None:
        self._limits = limits
        self._before_command = before_command
        self._clock, self._wall = timer.clock, timer.wall
        self.ahead_s: float | None = None  # vCloud's clock against ours, to about a second
        self._verify = verify
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = _Adapter()

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        deadline: float,
        body: bytes | None = None,
        command: bool = False,
    ) -> Answer:
        """Return the answer, whatever its status; Unavailable if none came whole and in time.

        For a `command` the error says `sent`, unless it is certain that the request never left.
        """
        started = self._clock()
        left_s = deadline - started
        if left_s <= 0:
            raise Unavailable("no time left for another request")
        outcome: Answer | Unavailable
        try:
            request = _prepared(method, url, headers, body)
            if command:
                self._before_command()  # the last thing before it leaves, whatever has held us up until here
            outcome = self._exchange(request, answer_s=min(self._limits.answer_s, left_s))
            result = f"{outcome.status} {(self._clock() - started) * 1000:.0f} ms request {outcome.request_id or '-'}"
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            outcome = Unavailable(_reason(error), sent=command and not _never_left(error))
            result = f"{type(error).__name__} {(self._clock() - started) * 1000:.0f} ms request -"
        log.info("%s %s %s", method, _loggable(url), result)
        # Raised outside the handler, so that the error does not hold the broken connection as its context.
        if isinstance(outcome, Unavailable):
            raise outcome
        return outcome

    def _exchange(self, request: requests.PreparedRequest, *, answer_s: float) -> Answer:
        response = self._adapter.send(
            request,
            stream=True,
            timeout=(self._limits.connect_s, answer_s),
            verify=self._verify,
            proxies=self._proxies,
        )
        with response:
            said = _moment_s(response.headers.get("Date"))
            self.ahead_s = self.ahead_s if said is None else said - self._wall()
            return Answer(response.status_code, response.headers, self._body(response, self._clock() + answer_s))

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        """Return the body, decompressed; raises if it is larger or slower than allowed."""
        found = self._unpacked(response, deadline) if "Content-Encoding" in response.headers else _plain(response)
        if len(found) > BODY_LIMIT_BYTES:
            raise requests.ConnectionError(f"an answer of more than {BODY_LIMIT_BYTES} bytes")
        return found

    def _unpacked(self, response: requests.Response, deadline: float) -> bytes:
        found = bytearray()
        for chunk in response.iter_content(_PACKED_CHUNK_BYTES):
            found += chunk
            if len(found) > BODY_LIMIT_BYTES:
                break
            if self._clock() > deadline:
                raise requests.ReadTimeout("the answer came too slowly")
        return bytes(found)


def _prepared(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.prepare_method(method)
    request.prepare_url(url, None)
    request.prepare_headers({**_HEADERS, **headers})
    request.prepare_body(body, None)
    return request


def _plain(response: requests.Response) -> bytes:
    """Return a body as it came, and the first byte above the limit. Its deadline is that of the connection."""
    found: bytes = response.raw.read(BODY_LIMIT_BYTES + 1, decode_content=False)
    response.raw.read(1)  # raises if the body ended before its stated length
    return found


def _moment_s(date: str | None) -> float | None:
    """Return what a Date header says, in seconds of Unix time. Old servers send two of them, joined with a comma."""
    try:
        return parsedate_to_datetime((date or "")[:29]).timestamp()
    except (ValueError, OverflowError):
        return None


def _loggable(url: str) -> str:
    """Return path and page of a request: filters hold names of customers and are left out."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query.partition('&filter')[0]}" if parts.query else parts.path


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return "vCloud accepted no connection in time"
    if isinstance(error, (requests.Timeout, TimeoutError)) or "timed out" in str(error):
        return "vCloud did not answer in time"
    cause = _cause(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"no trust in the certificate of vCloud: {_verdict(str(cause))}"[:300]
    if isinstance(cause, ProxyError):
        return f"no connection through the proxy: {cause.original_error}"[:300]
    return f"the connection to vCloud failed: {cause}"[:300]


def _cause(error: Exception) -> Exception:
    """Return what lies under the layers; the upper ones quote the address, and a filter in it names customers."""
    first = error.args[0] if error.args else None
    cause = getattr(first, "reason", None)
    return cause if isinstance(cause, Exception) else error


def _verdict(text: str) -> str:
    """Return what the check of a certificate found, without what is only of use to programmers."""
    found = re.search(r"certificate verify failed: (.+?)\.?\s*\(_ssl", text)
    return found.group(1) if found else text


def _never_left(error: Exception) -> bool:
    """Whether no byte of the request can have reached vCloud. In doubt it may have."""
    no_line = isinstance(_cause(error), (NewConnectionError, ProxyError))
    no_trust = any(sign in str(error) for sign in _NO_TRUST)
    return no_line or no_trust or isinstance(error, requests.ConnectTimeout)


class _TimedReader(io.RawIOBase):
    """Reads a socket until a moment, not until it pauses: a server that sends a byte now and then never pauses."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._until = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int | None:  # type: ignore[override]
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None):
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach()), _BUFFER_BYTES)


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """The adapter of requests, on connections whose answers have a deadline."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002 -- as requests has it
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
