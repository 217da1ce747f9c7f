"""The site's own authority: what it issues, with which roles, and what becomes of spoilt files."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from causeway.errors import StateError
from causeway.identity.certificate import still_trusted
from causeway.pki.authority import Authority, Issued, general_name
from causeway.pki.keys import (
    load_private_key,
    load_signing_key,
    load_verification_key,
    new_p256_key,
    new_signing_key,
    private_pem,
)
from causeway.pki.renewal import certificate_is_good
from causeway.pki.roles import Role, peer_has_role, roles_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority.create(folder, "Test authority")


def parsed(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate_pem)


def test_an_authority_is_kept_and_found_again(authority: Authority, folder: Path) -> None:
    again = Authority.open(folder)
    assert again.certificate == authority.certificate
    assert again.pem == (folder / "ca.pem").read_bytes()
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "ca.pem").stat().st_mode & 0o777 == 0o644


def test_a_server_certificate_has_its_names_usage_and_role(authority: Authority) -> None:
    certificate = parsed(authority.issue_server(["gw.example", "192.0.2.1", "::1"], new_p256_key(), Role.GATEWAY))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gw.example"]
    assert [str(name) for name in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "::1"]
    assert certificate.subject.rfc4514_string() == "CN=gw.example"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert roles_of(certificate) == {Role.GATEWAY}


def test_a_server_shows_its_whole_chain_so_that_openssl_searches_none_at_each_handshake(authority: Authority) -> None:
    issued = authority.issue_server(["gw.example"], new_p256_key(), Role.GATEWAY)
    leaf, root = x509.load_pem_x509_certificates(issued.certificate_pem)
    assert leaf.subject.rfc4514_string() == "CN=gw.example"
    assert root == authority.certificate


def test_a_client_certificate_is_for_clients_and_leads_to_the_authority(authority: Authority) -> None:
    certificate = parsed(authority.issue_client("cp1", new_p256_key(), Role.CONNECTION_POINT))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert still_trusted(certificate.public_bytes(Encoding.DER), (authority.pem.decode(),))
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (False, True)


def test_a_certificate_does_not_outlive_its_authority(authority: Authority) -> None:
    forever = dt.timedelta(days=100_000)
    certificate = parsed(authority.issue_client("x", new_p256_key(), Role.DEVICE, lifetime=forever))
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_a_certificate_tolerates_a_clock_that_is_behind(authority: Authority) -> None:
    certificate = parsed(authority.issue_client("x", new_p256_key(), Role.DEVICE))
    assert dt.datetime.now(dt.UTC) - certificate.not_valid_before_utc >= dt.timedelta(minutes=4)


def test_secrets_do_not_show(authority: Authority) -> None:
    issued = authority.issue_client("x", new_p256_key(), Role.DEVICE)
    assert "PRIVATE" not in repr(issued)
    assert "***" in repr(issued)


def test_what_is_issued_is_written_with_rights_for_its_owner(authority: Authority, tmp_path: Path) -> None:
    authority.issue_client("x", new_p256_key(), Role.DEVICE).write(tmp_path / "x.pem", tmp_path / "x.key")
    assert (tmp_path / "x.key").stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(tmp_path / "x.pem", tmp_path / "x.key")


def test_where_there_is_no_authority_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no authority is there; make one with `causeway authority create`"):
        Authority.open(tmp_path)


def test_roles_are_told_apart_by_the_peers_certificate(authority: Authority) -> None:
    peer = {"subjectAltName": (("DNS", "cp1"), ("URI", "urn:causeway:role:connection-point"))}
    assert peer_has_role(peer, Role.CONNECTION_POINT)
    assert not peer_has_role(peer, Role.DEVICE)
    for nobody in (None, {}, {"subjectAltName": (("DNS", "urn:causeway:role:connection-point"),)}):
        assert not peer_has_role(nobody, Role.CONNECTION_POINT)
    assert roles_of(authority.certificate) == frozenset()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("ca.key", b"nonsense", "not a private key in PEM form without a passphrase; restore it from a backup"),
        ("ca.pem", b"nonsense", "not a certificate in PEM form; restore it from a backup"),
        ("ca.key", None, "a private key cannot be read: No such file or directory"),
        ("ca.pem", None, "the authority's certificate cannot be read: No such file or directory"),
        (
            "ca.key",
            private_pem(new_p256_key()),
            "not the certificate of ca.key beside it; restore both from one backup",
        ),
    ],
)
def test_a_spoilt_authority_is_named(
    authority: Authority, folder: Path, tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    for file in ("ca.key", "ca.pem"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StateError) as caught:
        Authority.open(tmp_path)
    assert str(caught.value).endswith(complaint)
    assert str(caught.value).startswith(str(tmp_path))


def test_keys_of_every_kind_that_is_used_are_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(private_pem(new_p256_key()))
    assert isinstance(load_private_key(path), ec.EllipticCurvePrivateKey)
    path.write_bytes(private_pem(rsa.generate_private_key(65537, 2048)))
    assert isinstance(load_private_key(path), rsa.RSAPrivateKey)
    path.write_bytes(Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(StateError, match="a key of another kind than RSA, EC or Ed25519"):
        load_private_key(path)
    path.write_bytes(
        new_p256_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(StateError, match="without a passphrase"):
        load_private_key(path)


def test_the_halves_of_the_sites_key_are_told_apart(tmp_path: Path) -> None:
    private, public = tmp_path / "key", tmp_path / "key.pub"
    key = new_signing_key(private, public)
    assert (private.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    signature = load_signing_key(private).sign(b"x")
    load_verification_key(public).verify(signature, b"x")
    assert key.public_key() == load_verification_key(public)
    with pytest.raises(StateError, match="not a public key in PEM form; copy it again from the site"):
        load_verification_key(private)
    private.write_bytes(private_pem(new_p256_key()))
    with pytest.raises(StateError, match="not an Ed25519 key; restore the site's settings key from a backup"):
        load_signing_key(private)
    other = new_p256_key().public_key()
    public.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(StateError, match="not an Ed25519 key; copy the site's settings key again"):
        load_verification_key(public)


def test_a_certificate_is_renewed_before_its_end_and_for_other_names(
    authority: Authority, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "server.pem"
    assert not certificate_is_good(path, authority, ["a.example"])
    authority.issue_server(["a.example", "127.0.0.1"], new_p256_key(), Role.GATEWAY).write(path, tmp_path / "key")
    assert certificate_is_good(path, authority, ["127.0.0.1", "a.example"])
    assert not certificate_is_good(path, authority, ["a.example"])
    soon = dt.timedelta(days=29)
    issued = authority.issue_client("a.example", new_p256_key(), Role.DEVICE, lifetime=soon)
    issued.write(path, tmp_path / "key")
    assert not certificate_is_good(path, authority, ["a.example"])
    path.write_bytes(b"nonsense")
    with pytest.raises(StateError, match="not a certificate in PEM form; remove it, and it is made anew"):
        certificate_is_good(path, authority, ["a.example"])


@pytest.mark.parametrize(
    "name",
    ["", "bad name", "a..b", "-a.example", "https://gw.example", "*", "gw.*.example", "g\u00fc.example", "a" * 64],
)
def test_what_is_neither_a_dns_name_nor_an_address_gets_no_certificate(name: str) -> None:
    with pytest.raises(ValueError, match="no DNS name"):
        general_name(name)


@pytest.mark.parametrize("name", ["localhost", "gw.example", "*.example", "under_score.example", "xn--g-xka.example"])
def test_a_dns_name_stands_in_a_certificate_as_it_was_given(name: str) -> None:
    assert general_name(name) == x509.DNSName(name)
