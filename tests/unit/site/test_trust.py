import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from causeway.errors import OperatorError
from causeway.pki.authority import Authority
from causeway.pki.keys import CertificateKey
from causeway.site.trust import TrustedRoots, is_valid_at, read_certificates

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC) + DAY  # an authority that a test makes minutes after the import has begun by then


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def issue(
    issuer: x509.Name,
    issuer_key: CertificateKey,
    key: rsa.RSAPrivateKey,
    *extensions: x509.ExtensionType,
    end: dt.datetime = NOW + 10 * DAY,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("pc1"))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 5 * DAY)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def test_a_bare_certificate_of_a_trusted_root_is_believed(authority: Authority, key: rsa.RSAPrivateKey) -> None:
    certificate = issue(authority.certificate.subject, authority.key, key)

    assert TrustedRoots([authority.certificate]).vouch_for(certificate, now=NOW)


def test_without_roots_nothing_is_believed(authority: Authority) -> None:
    assert not TrustedRoots([]).vouch_for(authority.certificate, now=NOW)


def test_an_expired_certificate_is_not_believed(authority: Authority, key: rsa.RSAPrivateKey) -> None:
    certificate = issue(authority.certificate.subject, authority.key, key, end=NOW - 2 * MINUTE)

    assert not TrustedRoots([authority.certificate]).vouch_for(certificate, now=NOW)
    assert TrustedRoots([authority.certificate]).vouch_for(certificate, now=NOW - 3 * MINUTE)
    assert not is_valid_at(certificate, NOW)
    assert is_valid_at(certificate, NOW - 3 * MINUTE)


def test_an_authority_of_the_same_name_is_another_one(
    authority: Authority, key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    impostor = Authority.create(tmp_path, "Test authority")
    certificate = issue(impostor.certificate.subject, impostor.key, key)

    assert not TrustedRoots([authority.certificate]).vouch_for(certificate, now=NOW)


def test_a_device_is_no_authority(authority: Authority, key: rsa.RSAPrivateKey) -> None:
    device = issue(authority.certificate.subject, authority.key, key)
    below = issue(device.subject, key, key)

    assert not TrustedRoots([authority.certificate, device]).vouch_for(below, now=NOW)


@pytest.mark.parametrize(
    ("usage", "believed"),
    [
        (ExtendedKeyUsageOID.CLIENT_AUTH, True),
        (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, True),
        (ExtendedKeyUsageOID.SERVER_AUTH, False),
        (ExtendedKeyUsageOID.CODE_SIGNING, False),
    ],
)
def test_a_certificate_for_something_else_is_not_believed(
    authority: Authority, key: rsa.RSAPrivateKey, usage: x509.ObjectIdentifier, believed: bool
) -> None:
    certificate = issue(authority.certificate.subject, authority.key, key, x509.ExtendedKeyUsage([usage]))

    assert TrustedRoots([authority.certificate]).vouch_for(certificate, now=NOW) is believed


def test_a_self_signed_certificate_is_believed_only_where_it_is_listed(
    authority: Authority, key: rsa.RSAPrivateKey
) -> None:
    alone = issue(name("pc1"), key, key)

    assert not TrustedRoots([authority.certificate]).vouch_for(alone, now=NOW)
    assert TrustedRoots([alone]).vouch_for(alone, now=NOW)


def test_files_without_certificates_are_named(tmp_path: Path, authority: Authority) -> None:
    bundle, empty = tmp_path / "bundle.pem", tmp_path / "empty.pem"
    bundle.write_bytes(authority.pem * 2)
    empty.write_text("nothing")

    assert len(read_certificates([bundle])) == 2
    with pytest.raises(OperatorError, match=r"empty\.pem"):
        read_certificates([bundle, empty])
    with pytest.raises(OperatorError, match=r"missing\.pem"):
        read_certificates([tmp_path / "missing.pem"])
