"""Who may come in by certificate: decided in the handshake, and again when the settings change."""

import contextlib
import datetime as dt
import hashlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from causeway.pki.keys import load_private_key, new_p256_key, private_pem
from tests.system.certificates import Pair, certificates
from tests.system.data_path.path import MUTUAL, DataPath
from tests.system.processes import wait_until

TARGET = f"{MUTUAL}/SMS_MP/x"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def fingerprint_of(pair: Pair) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: certificates("stranger").client("PC1"), "certificate_untrusted"),
        (lambda: certificates("site").expired("old"), "certificate_expired"),
    ],
    ids=["another_authority", "expired"],
)
def test_a_certificate_that_is_not_good_is_refused_in_the_handshake(
    path: DataPath, make: Callable[[], Pair], reason: str, version: ssl.TLSVersion
) -> None:
    name = "causeway_gateway_handshake_failures_total"
    before = path.gateway.metric(name, reason=reason)
    logged = len(path.gateway.events("handshake failed", reason=reason))
    with pytest.raises((ssl.SSLError, ConnectionError)), path.connect(make(), version=version) as client:
        client.ask("GET", "/app/x")  # in TLS 1.3 the client learns of it with the first bytes
    path.gateway.wait_for("handshake failed", reason=reason, count=logged + 1, peer="127.0.0.1")
    assert len(path.gateway.events("handshake failed", reason=reason)) == logged + 1
    assert path.gateway.metric(name, reason=reason) == before + 1


def test_a_server_certificate_does_not_make_a_client(path: DataPath) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)), path.connect(path.gateway_pair) as client:
        client.ask("GET", "/app/x")


def test_whoever_speaks_no_tls_is_counted_and_closed(path: DataPath) -> None:
    name = "causeway_gateway_handshake_failures_total"
    before = path.gateway.metric(name, reason="protocol")
    with socket.create_connection(("127.0.0.1", path.port), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in sock.recv(100)
    wait_until(lambda: path.gateway.metric(name, reason="protocol") == before + 1)


def test_a_blocked_certificate_is_refused_on_the_connection_that_it_has(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    other = path.certificates.client("PC2")
    clients = path.connect_to_every_worker(path.device)
    others = path.connect_to_every_worker(other)
    for client in (*clients, *others):
        assert client.ask("GET", TARGET).status == 200
    path.change_everywhere(blocked_certificates=(fingerprint_of(path.device),))
    for client in clients:
        for target in (TARGET, "/app/x"):
            answer = client.ask("GET", target)
            assert (answer.status, answer.reason) == (403, "CMGService_ClientCertificateBlocked")
        (logged,) = path.gateway.wait_for("refused", request_id=answer.request_id)
        assert logged["client"] == "CN=PC1"
        assert fingerprint_of(path.device) in logged["details"]
    for client in others:
        assert client.ask("GET", TARGET).status == 200
    with path.connect(path.device) as client:
        assert client.ask("GET", TARGET).reason == "CMGService_ClientCertificateBlocked"
    path.change_everywhere(blocked_certificates=())
    for client in clients:
        assert client.ask("GET", TARGET).status == 200
        client.close()
    for client in others:
        client.close()


def test_a_removed_root_is_gone_for_connections_that_stand_and_for_new_ones(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    second = certificates("second")
    guest = second.client("GUEST1")
    both = (*path.settings.trusted_roots, "Gerät für Gäste\n" + second.authority.pem.decode())
    path.change_everywhere(trusted_roots=both)
    guests = path.connect_to_every_worker(guest)
    idle_guests = path.connect_to_every_worker(guest)
    residents = path.connect_to_every_worker(path.device)
    for client in (*guests, *residents):
        assert client.ask("GET", TARGET).status == 200
    path.change_everywhere(trusted_roots=both[:1])
    for client in guests:
        answer = client.ask("GET", TARGET)
        assert (answer.status, answer.reason) == (403, "CMGService_ClientCertificateUntrusted")
        assert client.wait_for_end() == b""
    with pytest.raises((ssl.SSLError, ConnectionError)), path.connect(guest) as client:
        client.ask("GET", "/app/x")
    path.change_everywhere(service_name="another")  # a change of something else does not bring it back
    for client in idle_guests:
        assert client.ask("GET", TARGET).reason == "CMGService_ClientCertificateUntrusted"
    for client in residents:
        assert client.ask("GET", TARGET).status == 200
    path.change_everywhere(trusted_roots=both)
    with path.connect(guest) as client:
        assert client.ask("GET", TARGET).status == 200
    for client in (*guests, *idle_guests, *residents):
        client.close()


def test_without_trusted_roots_no_certificate_is_asked_for(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    path.change_everywhere(trusted_roots=())
    with path.connect(path.device) as client:
        assert client.ask("GET", "/app/x").status == 200
        assert client.ask("GET", TARGET).reason == "CMGConnector_ClientCertificateRequired"


def test_a_certificate_that_openssl_takes_and_nobody_can_read_whole_is_refused_with_a_word(
    own_path: Callable[..., DataPath], tmp_path: Path
) -> None:
    path = own_path(workers=1)
    folder = path.certificates.folder
    issuer = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer, key, start = load_private_key(folder / "ca.key"), new_p256_key(), dt.datetime.now(dt.UTC)
    assert isinstance(signer, rsa.RSAPrivateKey)
    # An ediPartyName (RFC 5280, 4.2.1.6).
    odd = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3008a506a1040c025043"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PC1")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - dt.timedelta(days=1))
        .not_valid_after(start + dt.timedelta(days=1))
        .add_extension(odd, critical=False)
        .sign(signer, SHA256())
    )
    pair = Pair(tmp_path / "odd.pem", tmp_path / "odd.key")
    pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    pair.key.write_bytes(private_pem(key))
    path.change_everywhere(blocked_names=("another",))  # so that names are read
    for _ in range(2):
        with path.connect(pair) as client:
            for _ in range(2):
                answer = client.ask("GET", TARGET)
                assert (answer.status, answer.reason) == (403, "CMGService_ClientCertificateInvalid")
    assert not path.gateway.events("internal error")
    assert "Traceback" not in path.gateway.text()
