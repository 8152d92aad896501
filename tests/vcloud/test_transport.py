"""Limits that hold on a real socket: silence, drip, cut, flood, swelling, redirects, and an environment in the way."""

import gzip
import socket
import threading
import time
from collections.abc import Callable

import pytest

from app.vcloud import Client, Login, Session, Unavailable
from app.vcloud.xml import BODY_LIMIT_BYTES
from tests.vcloud.sockets import DOCUMENT, HEAD, WHOLE, Script, Server, client_of, drip, say, silence
from tests.vcloud.support import VM


@pytest.mark.parametrize(
    "script",
    [silence, drip(b"", HEAD + b"X-Long: " + b"x" * 5000), drip(HEAD + b"Content-Length: 9999\r\n\r\n", DOCUMENT)],
    ids=["silence", "dripping headers", "dripping body"],
)
def test_an_answer_that_takes_too_long_ends_in_time(serve: Callable[[Script], Server], script: Script) -> None:
    started = time.monotonic()
    with client_of(serve(script)) as client, pytest.raises(Unavailable):
        client.vm(VM)
    assert time.monotonic() - started < 15  # three attempts of 0.3 s; the drip alone would take 30 s and more


@pytest.mark.parametrize("script", [silence, drip(b"", HEAD)], ids=["silence", "drip"])
def test_a_command_without_an_answer_may_have_been_accepted(serve: Callable[[Script], Server], script: Script) -> None:
    server = serve(script)
    with client_of(server) as client, pytest.raises(Unavailable) as caught:
        client.power_on(VM)
    assert caught.value.sent
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [HEAD],
        [WHOLE[:-40]],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n<Vm"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"],
        [HEAD + b"Content-Length: 1, 2\r\n\r\nab"],
        [HEAD + b"Content-Length: -5\r\n\r\nab"],
        [HEAD + b"X-Long: " + b"x" * 70_000],
        [HEAD + b"X: y\r\n" * 300 + b"\r\n"],
        [HEAD + b"\xff\xfe: \x00\r\n\r\n"],
        [b"HTTP/1.1 abc\r\n\r\n"],
    ],
    ids=[
        "closed",
        "headers only",
        "cut body",
        "cut chunk",
        "no chunk",
        "another protocol",
        "not gzip",
        "two lengths",
        "negative length",
        "long line",
        "many headers",
        "odd bytes",
        "odd status",
    ],
)
def test_a_broken_answer_is_unavailable(serve: Callable[[Script], Server], parts: list[bytes]) -> None:
    with client_of(serve(say(*parts)), answer_s=10) as client:
        with pytest.raises(Unavailable):
            client.vm(VM)
        with pytest.raises(Unavailable) as caught:
            client.power_on(VM)
    assert caught.value.sent


def test_a_closed_port_was_never_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", Login("a", "b", "c"), session=Session("t", "vcloud", "5.5"))
    with client, pytest.raises(Unavailable) as caught:
        client.power_on(VM)
    assert not caught.value.sent


def test_a_flood_is_stopped_at_the_limit(serve: Callable[[Script], Server]) -> None:
    def flood(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(HEAD + b"\r\n")
        while not over.is_set():
            connection.sendall(b"<" * 65536)

    with client_of(serve(flood), answer_s=10) as client, pytest.raises(Unavailable, match="more than"):
        client.power_on(VM)


def test_what_swells_is_measured_after_it_has_swollen(serve: Callable[[Script], Server]) -> None:
    small = gzip.compress(b" " * (BODY_LIMIT_BYTES + 1))
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(small), small)
    with client_of(serve(say(answer)), answer_s=10) as client, pytest.raises(Unavailable, match="more than"):
        client.power_on(VM)


def test_a_compressed_answer_is_read(serve: Callable[[Script], Server]) -> None:
    small = gzip.compress(DOCUMENT)
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(small), small)
    with client_of(serve(say(answer)), answer_s=10) as client:
        assert client.vm(VM).name == "web1"


def test_a_redirect_is_not_followed_and_gets_no_token(serve: Callable[[Script], Server]) -> None:
    elsewhere = serve(say(WHOLE))
    head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
    with client_of(serve(say(head.encode())), answer_s=10) as client, pytest.raises(Unavailable):
        client.vm(VM)
    assert elsewhere.requests == []


def test_the_environment_does_not_send_us_through_a_proxy(
    serve: Callable[[Script], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(say(WHOLE))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "")
    with client_of(serve(say(WHOLE)), answer_s=10) as client:
        assert client.vm(VM).name == "web1"
    assert proxy.requests == []


def test_a_reset_while_reading_is_passed_over_by_the_next_attempt(serve: Callable[[Script], Server]) -> None:
    answers = iter([b"", WHOLE[:300], WHOLE])

    def script(connection: socket.socket, over: threading.Event) -> None:
        say(next(answers, b""))(connection, over)

    with client_of(serve(script), answer_s=10) as client:
        assert client.vm(VM).name == "web1"


def test_one_authorizing_header_is_sent(serve: Callable[[Script], Server]) -> None:
    server = serve(say(WHOLE))
    with client_of(server, answer_s=10) as client:
        client.vm(VM)
    head = server.requests[0].lower()
    assert head.startswith(b"get /api/vapp/vm-11111111-0000-4000-8000-000000000001 http/1.1\r\n")
    assert head.count(b"authorization:") == 1
    assert b"x-vcloud-authorization: token-1\r\n" in head
