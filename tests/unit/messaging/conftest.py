import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

SMSID = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
WHEN = datetime.datetime(2026, 11, 23, 5, 6, 8, tzinfo=datetime.UTC)


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed(key, "PC1")


@pytest.fixture(scope="session")
def other_certificate(other_key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed(other_key, "PC2")


@pytest.fixture
def smsid() -> str:
    return SMSID


@pytest.fixture
def when() -> datetime.datetime:
    return WHEN


def self_signed(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(WHEN)
        .not_valid_after(WHEN + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
