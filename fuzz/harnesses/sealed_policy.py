"""Enveloped policy bodies: DER from outside, decrypted with the client's key, or refused."""

import datetime as dt
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from causeway.messaging.enveloped import ContentCipher, KeyEncryption, is_enveloped, seal, unseal
from causeway.messaging.errors import MessagingError

_MAX_BYTES = 64 * 1024
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def check(data: bytes) -> bool:
    """Unseal ``data``; with a first byte of 1 to 4, its rest is first written over a good body from a position on."""
    certificate, key = _recipient()
    sealed = data[1:]
    if data[:1] and 1 <= data[0] <= len(_KINDS) and len(data) > 3:
        good = _good(data[0] - 1)
        position = int.from_bytes(data[1:3], "big") % len(good)
        patch = data[3:]
        sealed = good[:position] + patch + good[position + len(patch) :]
    is_enveloped(sealed)
    try:
        unseal(sealed, certificate, key, max_bytes=_MAX_BYTES)
    except MessagingError:
        return False
    return True


_KINDS = [(cipher, encryption) for cipher in ContentCipher for encryption in KeyEncryption]


@cache
def _good(kind: int) -> bytes:
    cipher, encryption = _KINDS[kind]
    return seal(b"<Policy/>", _recipient()[0], cipher=cipher, key_encryption=encryption)


@cache
def _recipient() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PC1")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(_START).not_valid_after(_START + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()), key
