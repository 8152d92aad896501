"""TLS on a real socket, with a CA made here: who is trusted gets our token, and nobody else."""

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.vcloud import Client, Login, Session, Unavailable
from tests.vcloud.sockets import WHOLE, Server, say
from tests.vcloud.support import HASTY, VM

SESSION = Session("token-1", "vcloud", "5.5")
Key = ec.EllipticCurvePrivateKey


class Authority:
    """A CA of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        made = self._builder(self._name, self._key, days=(0, 9)).add_extension(constraints, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        made = made.add_extension(x509.KeyUsage(**usage), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def _builder(self, name: x509.Name, key: Key, *, days: tuple[int, int]) -> x509.CertificateBuilder:
        start, end = (datetime.now(UTC) + timedelta(days=day) for day in days)
        number = x509.random_serial_number()
        return x509.CertificateBuilder(self._name, name, key.public_key(), number, start, end)

    def context(self, address: str = "127.0.0.1", days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """Return what a server with a certificate of this CA needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cell")])
        made = self._builder(name, key, days=days).add_extension(names, critical=False)
        signed = made.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._folder / "server.pem").write_bytes(secret + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "server.pem")
        return context


USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def serve_tls() -> Iterator[Callable[[ssl.SSLContext], Server]]:
    servers: list[Server] = []

    def start(context: ssl.SSLContext) -> Server:
        servers.append(Server(say(WHOLE), context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def client_of(server: Server, *, verify: bool | str) -> Client:
    return Client(server.url, Login("acme", "u", "p"), session=SESSION, verify=verify, timer=HASTY)


def refusal(server: Server, *, verify: bool | str) -> Unavailable:
    with client_of(server, verify=verify) as client, pytest.raises(Unavailable) as caught:
        client.power_on(VM)
    assert not caught.value.sent
    assert server.requests == []
    return caught.value


def test_a_certificate_of_our_ca_is_trusted(ours: Authority, serve_tls: Callable[[ssl.SSLContext], Server]) -> None:
    with client_of(serve_tls(ours.context()), verify=str(ours.file)) as client:
        assert client.vm(VM).name == "web1"


def test_a_certificate_of_another_ca_gets_no_token(
    ours: Authority, tmp_path: Path, serve_tls: Callable[[ssl.SSLContext], Server]
) -> None:
    server = serve_tls(Authority(tmp_path, "theirs").context())
    said = "no trust in the certificate of vCloud: unable to get local issuer certificate"
    assert refusal(server, verify=str(ours.file)).message == said
    assert refusal(server, verify=True).message == said  # nor by the CAs the world knows


@pytest.mark.parametrize(
    ("days", "said"),
    [((-9, -1), "certificate has expired"), ((1, 9), "certificate is not yet valid")],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_out_of_its_time_gets_no_token(
    ours: Authority, serve_tls: Callable[[ssl.SSLContext], Server], days: tuple[int, int], said: str
) -> None:
    server = serve_tls(ours.context(days=days))
    assert refusal(server, verify=str(ours.file)).message == f"no trust in the certificate of vCloud: {said}"


def test_a_certificate_of_another_host_gets_no_token(
    ours: Authority, serve_tls: Callable[[ssl.SSLContext], Server]
) -> None:
    server = serve_tls(ours.context("192.0.2.1"))
    assert "not valid for '127.0.0.1'" in refusal(server, verify=str(ours.file)).message


def test_a_certificate_that_changes_is_looked_at_again(
    ours: Authority, tmp_path: Path, serve_tls: Callable[[ssl.SSLContext], Server]
) -> None:
    with client_of(serve_tls(ours.context()), verify=str(ours.file)) as client:
        assert client.vm(VM).name == "web1"
    refusal(serve_tls(Authority(tmp_path, "theirs").context()), verify=str(ours.file))


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_ca_file_that_is_none_trusts_nobody(
    ours: Authority, tmp_path: Path, serve_tls: Callable[[ssl.SSLContext], Server], content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    refusal(serve_tls(ours.context()), verify=str(file))


def test_only_who_asks_for_it_trusts_anybody(
    ours: Authority, serve_tls: Callable[[ssl.SSLContext], Server], recwarn: pytest.WarningsRecorder
) -> None:
    with client_of(serve_tls(ours.context()), verify=False) as client:
        assert client.vm(VM).name == "web1"
    assert recwarn.pop().category.__name__ == "InsecureRequestWarning"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_protocol_is_not_spoken(ours: Authority, serve_tls: Callable[[ssl.SSLContext], Server]) -> None:
    context = ours.context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with client_of(serve_tls(context), verify=str(ours.file)) as client, pytest.raises(Unavailable):
        client.vm(VM)
