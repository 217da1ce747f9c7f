"""The fingerprints under which a certificate may be known to whoever blocks it."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID

from causeway.pki.unreadable import UNREADABLE

_ECDSA = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA1,
    SignatureAlgorithmOID.ECDSA_WITH_SHA224,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    SignatureAlgorithmOID.ECDSA_WITH_SHA3_224,
    SignatureAlgorithmOID.ECDSA_WITH_SHA3_256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA3_384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA3_512,
}
# The orders of the groups of SEC 2, FIPS 186-4 and RFC 5639 that cryptography knows: P-192, P-224, P-256, secp256k1,
# P-384, P-521, and brainpool's of 256, 384 and 512 bits.
_ORDERS = (
    0xFFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7,
    0x8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565,
    0xAADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069,
)
_SEQUENCE, _BIT_STRING = 0x30, 0x03


@lru_cache(maxsize=8192)
def fingerprints_of(certificate: bytes) -> frozenset[str]:
    """SHA-256, in hexadecimal, of a certificate (DER) and of its twins.

    Who has a certificate with an ECDSA signature (r, s) can make another one of it without any key: (r, n - s) is as
    good a signature. A block of either has to hold for both. The certificate does not say in which group its issuer
    signed, so there is one for each group that it may have been; those that are wrong are nobody's fingerprints.
    """
    return frozenset(hashlib.sha256(one).hexdigest() for one in (certificate, *_twins(certificate)))


def _twins(certificate: bytes) -> Iterator[bytes]:
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        if loaded.signature_algorithm_oid not in _ECDSA:
            return
        r, s = decode_dss_signature(loaded.signature)
    except UNREADABLE:
        return  # no signature that verifies
    content = _content(loaded.public_bytes(Encoding.DER)).removesuffix(_signature(loaded.signature))
    for order in _ORDERS:
        if max(r, s) < order:
            yield _encoded(_SEQUENCE, content + _signature(encode_dss_signature(r, order - s)))


def _signature(value: bytes) -> bytes:
    return _encoded(_BIT_STRING, b"\0" + value)


def _content(der: bytes) -> bytes:
    """What stands behind the tag and the length (X.690, 8.1.3)."""
    return der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) :]


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
