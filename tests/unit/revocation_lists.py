"""Revocation lists of every kind, made in milliseconds."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.certificates import DAY, NOW, Certified


def crl(
    issuer: Certified,
    *revoked: int,
    released: Iterable[int] = (),
    number: int | None = 1,
    base: int | None = None,
    this_update: dt.datetime = NOW - DAY,
    next_update: dt.datetime = NOW + DAY,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    entry_extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    hash_algorithm: Any = None,
    encoding: Encoding = Encoding.DER,
) -> bytes:
    """A list in DER of what ``issuer`` revoked, by serial number."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    removed = (x509.CRLReason(x509.ReasonFlags.remove_from_crl), False)
    entries: list[tuple[int, Iterable[tuple[x509.ExtensionType, bool]]]] = [
        *((serial, entry_extensions) for serial in revoked),
        *((serial, [removed]) for serial in released),
    ]
    for serial, its in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY)
        for extension, critical in its:
            entry = entry.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hash_algorithm or hashes.SHA256()).public_bytes(encoding)
