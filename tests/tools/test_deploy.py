"""The files for production: every setting is explained, and a real nginx does what its file says."""

import http.client
import json
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.nginx import Ports, running
from tools.setup import ROOT

DEPLOY = ROOT / "deploy"


class Upstream(BaseHTTPRequestHandler):
    """Stands in for Skiff: answers with the headers that reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({**self.headers, "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(nginx: Path, tmp_path: Path) -> Iterator[Ports]:
    """The real one before a stand-in for Skiff."""
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.05}).start()
    here = f"127.0.0.1:{upstream.server_port}"
    with running(nginx, tmp_path, {"127.0.0.1:8080": here, "127.0.0.1:8082": here}) as ports:
        yield ports
    upstream.shutdown()
    upstream.server_close()


def test_plain_http_is_sent_to_https(proxy: Ports) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http)
    connection.request("GET", "/machines?page=2", headers={"Host": "panel.example"})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (308, "https://panel.example/machines?page=2")


def test_what_a_client_claims_about_itself_does_not_reach_skiff(proxy: Ports) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    status, body = _ask(proxy, "GET", headers={"Host": "panel.example", **lies})
    seen = json.loads(body)
    assert status == 200
    assert [seen[name] for name in lies] == ["127.0.0.1", "https", "panel.example"]


def test_a_console_is_passed_on_as_a_websocket_with_its_address_as_it_came(proxy: Ports) -> None:
    upgrade = {"Host": "panel.example", "Connection": "Upgrade", "Upgrade": "websocket", "Origin": "https://o"}
    seen = json.loads(_ask(proxy, "GET", "/console/ws/902;aa//bb%2F+=", upgrade)[1])
    assert seen["path"] == "/console/ws/902;aa//bb%2F+="
    assert {name: seen[name] for name in upgrade} == upgrade | {"Connection": "upgrade"}


def test_nothing_but_consoles_reaches_the_gateway() -> None:
    site = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"location ([^{]*) \{[^}]*skiff_console;", site) == ["/console/ws/"]


def test_a_body_larger_than_any_form_is_refused_before_skiff(proxy: Ports) -> None:
    assert _ask(proxy, "POST", headers={"Content-Length": str(2 * 1024 * 1024)})[0] == 413


def test_a_flood_of_sign_ins_is_held_back(proxy: Ports) -> None:
    statuses = [_ask(proxy, "POST", "/sign-in")[0] for _ in range(30)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses


def test_the_example_of_settings_has_every_setting_of_the_config() -> None:
    documented = set(re.findall(r"\[([A-Z_]+)\]", (ROOT / "config.py").read_text()))
    example = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "skiff.env.example").read_text(), re.MULTILINE))
    assert documented == example


def test_a_stopping_worker_is_given_the_time_and_the_signal_it_needs() -> None:
    unit = (DEPLOY / "skiff-worker@.service").read_text()
    assert "KillMode=mixed" in unit
    assert "TimeoutStopSec=90" in unit


def _ask(proxy: Ports, method: str, path: str = "/", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.https, context=context, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body
