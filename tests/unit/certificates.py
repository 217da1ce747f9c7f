"""Certificates of every kind, made in milliseconds."""

import datetime as dt
import ssl
from dataclasses import dataclass
from typing import Any

from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certified:
    """A certificate and its key; ``issue`` makes another below it."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def issue(self, name: str | x509.Name, **options: Any) -> "Certified":
        return _make(name, self, **options)


def root(name: str = "Root", **options: Any) -> Certified:
    return _make(name, None, authority=True, **options)


def _make(
    name: str | x509.Name,
    issuer: Certified | None,
    *,
    authority: bool = False,
    path_length: int | None = None,
    key: Any = None,
    hash_algorithm: Any = None,
    extensions: tuple[x509.ExtensionType, ...] = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),),
    start: dt.datetime = NOW - DAY,
    end: dt.datetime = NOW + 30 * DAY,
) -> Certified:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if isinstance(name, str) else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        extensions = tuple(one for one in extensions if not isinstance(one, x509.ExtendedKeyUsage))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.UnrecognizedExtension))
    signer = key if issuer is None else issuer.key
    return Certified(builder.sign(signer, hash_algorithm or hashes.SHA256()), key)


def unreadable_pem() -> str:
    """A certificate that cryptography takes, since it reads names late, and OpenSSL does not: its name is no UTF-8."""
    der = root("Unreadable").der.replace(b"Unreadable", b"Unreadabl\xe9")
    return ssl.DER_cert_to_PEM_cert(der)


def twin_of(certified: Certified, issuer: Certified) -> bytes:
    """The same certificate with the other ECDSA signature that verifies, in DER; made by asn1crypto."""
    twin = Certificate.load(certified.der)
    r, s = decode_dss_signature(twin["signature_value"].native)
    twin["signature_value"] = encode_dss_signature(r, issuer.key.curve.group_order - s)
    return bytes(twin.dump())
