"""A proxy is one we were told of, and it gets no more than a proxy must."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.vcloud import Client, Limits, Login, Session, Unavailable
from tests.vcloud.sockets import WHOLE, Script, Server, say, silence
from tests.vcloud.support import HASTY, VM
from tests.vcloud.test_tls import Authority

Serve = Callable[[Script], Server]


def client_by(proxy: Server | str, url: str, *, verify: bool | str = True) -> Client:
    address = proxy if isinstance(proxy, str) else proxy.url.removesuffix("/api")
    session = Session("token-1", "vcloud", "5.5")
    return Client(url, Login("acme", "u", "p"), session=session, verify=verify, proxy=address, timer=HASTY)


def pass_on(connection: socket.socket, host: str, port: int) -> None:
    """Carry bytes both ways until one side has enough."""
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    with socket.create_connection((host, port)) as other:
        back = threading.Thread(target=copy, args=(other, connection))
        back.start()
        copy(connection, other)
        back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_plain_request_goes_through_the_proxy(serve: Serve) -> None:
    proxy = serve(say(WHOLE))
    with client_by(proxy, "http://vcd.example/api") as client:
        assert client.vm(VM).name == "web1"
    assert proxy.requests[0].startswith(b"GET http://vcd.example/api/vApp/vm-")


def test_a_proxy_sees_nothing_of_a_request_over_tls(serve: Serve, tmp_path: Path) -> None:
    ours = Authority(tmp_path, "ours")
    vcloud = Server(say(WHOLE), ours.context())
    port = int(vcloud.url.rpartition(":")[2].removesuffix("/api"))
    proxy = serve(lambda connection, _: pass_on(connection, "127.0.0.1", port))
    try:
        with client_by(proxy, vcloud.url, verify=str(ours.file)) as client:
            assert client.vm(VM).name == "web1"
    finally:
        vcloud.close()
    assert proxy.requests[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"token-1" not in b"".join(proxy.requests)
    assert b"token-1" in vcloud.requests[0]


@pytest.mark.parametrize("url", ["http://vcd.example/api", "https://vcd.example/api"])
def test_a_proxy_that_is_not_there_is_told_apart_and_nothing_was_sent(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with client_by(f"http://127.0.0.1:{port}", url) as client, pytest.raises(Unavailable, match="proxy") as caught:
        client.power_on(VM)
    assert not caught.value.sent


def test_a_proxy_that_refuses_lets_nothing_through(serve: Serve) -> None:
    proxy = serve(say(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
    with client_by(proxy, "https://vcd.example/api") as client, pytest.raises(Unavailable, match="407") as caught:
        client.power_on(VM)
    assert not caught.value.sent


def test_a_silent_proxy_is_given_up_in_time(serve: Serve) -> None:
    proxy = serve(silence)
    address, session = proxy.url.removesuffix("/api"), Session("t", "vcloud", "5.5")
    limits = Limits(connect_s=0.2, answer_s=0.3, call_s=5.0)
    client = Client(
        "https://vcd.example", Login("a", "b", "c"), session=session, proxy=address, limits=limits, timer=HASTY
    )
    with client, pytest.raises(Unavailable):
        client.vm(VM)
