"""Certificates and keys in the forms that other programs take."""

from collections.abc import Sequence
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from causeway.pki.chain import Chain
from causeway.pki.keys import CertificateKey


class PfxEncryption(StrEnum):
    """How a PFX file is encrypted."""

    MODERN = "modern"
    """AES-256 with PBKDF2 and a SHA-256 MAC: OpenSSL 3, Windows Server 2019 (and Windows 10 1709) and later."""
    LEGACY = "legacy"
    """Triple DES with a SHA-1 MAC: what older Windows reads, and nothing to carry over a network."""


def pem_chain(certificates: Sequence[x509.Certificate]) -> bytes:
    """Certificates one after another, in PEM."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def key_pem(key: CertificateKey, passphrase: bytes | None) -> bytes:
    """A key in PKCS #8 PEM, encrypted where there is a passphrase."""
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def pfx(chain: Chain, key: CertificateKey, passphrase: bytes, encryption: PfxEncryption, *, name: str) -> bytes:
    """A PFX with the key, the certificate and its whole chain; ``name`` is the friendly name that Windows shows."""
    form = PrivateFormat.PKCS12.encryption_builder()
    if encryption is PfxEncryption.MODERN:
        form = form.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    else:
        form = form.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())  # noqa: S303
    return pkcs12.serialize_key_and_certificates(
        name.encode(), key, chain.leaf, chain.certificates[1:], form.build(passphrase)
    )
