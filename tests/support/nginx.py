"""A real nginx with our deploy/nginx.conf, on ports of its own."""

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tools.setup import ROOT
from tools.tether import tethered


@dataclass(frozen=True)
class Ports:
    """Where it listens on 127.0.0.1."""

    https: int
    http: int


@contextmanager
def running(nginx: Path, folder: Path, upstreams: Mapping[str, str], *, https: int | None = None) -> Iterator[Ports]:
    """Serve while the block runs. `upstreams`: addresses in the file, and what stands there for them."""
    _self_signed(folder)
    ports = Ports(https=https or free_port(), http=free_port())
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for ours, theirs in {
        "listen 443 ssl": f"listen 127.0.0.1:{ports.https} ssl",
        "listen 80": f"listen 127.0.0.1:{ports.http}",
        "/etc/ssl/skiff": str(folder),
        **upstreams,
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    main = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary}\n{site} }}"
    (folder / "nginx.conf").write_text(main)
    command = [str(nginx), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with (folder / "log").open("wb") as log, subprocess.Popen(tethered(command), stderr=log) as process:
        wait_until(lambda: _accepts(ports.https), f"nginx listens ({folder / 'log'})")
        yield ports
        process.terminate()


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
