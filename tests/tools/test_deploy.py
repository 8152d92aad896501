"""The files for production: every setting is explained, and a real nginx does what its file says."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.waiting import wait_until
from tools.setup import ROOT
from tools.tether import tethered

DEPLOY = ROOT / "deploy"


class Upstream(BaseHTTPRequestHandler):
    """Stands in for Skiff: answers with the headers that reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(nginx: Path, tmp_path: Path) -> Iterator[dict[str, int]]:
    """A real nginx with deploy/nginx.conf, on ports of its own: {"https": port, "http": port}."""
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.05}).start()
    _self_signed(tmp_path)
    ports = {"https": _free_port(), "http": _free_port()}
    site = (DEPLOY / "nginx.conf").read_text()
    for ours, theirs in {
        "listen 443 ssl": f"listen 127.0.0.1:{ports['https']} ssl",
        "listen 80": f"listen 127.0.0.1:{ports['http']}",
        "127.0.0.1:8080": f"127.0.0.1:{upstream.server_port}",
        "/etc/ssl/skiff": str(tmp_path),
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    temporary = " ".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = (
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary}\n{site} }}"
    )
    (tmp_path / "nginx.conf").write_text(main)
    command = [str(nginx), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(tethered(command), stderr=log) as process:
        wait_until(lambda: _accepts(ports["https"]), f"nginx listens ({tmp_path / 'log'})")
        yield ports
        process.terminate()
    upstream.shutdown()
    upstream.server_close()


def test_plain_http_is_sent_to_https(proxy: dict[str, int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy["http"])
    connection.request("GET", "/machines?page=2", headers={"Host": "panel.example"})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (308, "https://panel.example/machines?page=2")


def test_what_a_client_claims_about_itself_does_not_reach_skiff(proxy: dict[str, int]) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    status, body = _ask(proxy, "GET", headers={"Host": "panel.example", **lies})
    seen = json.loads(body)
    assert status == 200
    assert [seen[name] for name in lies] == ["127.0.0.1", "https", "panel.example"]


def test_a_body_larger_than_any_form_is_refused_before_skiff(proxy: dict[str, int]) -> None:
    assert _ask(proxy, "POST", headers={"Content-Length": str(2 * 1024 * 1024)})[0] == 413


def test_a_flood_of_sign_ins_is_held_back(proxy: dict[str, int]) -> None:
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


def _ask(
    proxy: dict[str, int], method: str, path: str = "/", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", proxy["https"], context=context, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def _self_signed(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "panel.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*plain))


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
