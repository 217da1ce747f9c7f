"""Identities by client certificate. OpenSSL has verified the chain in the handshake; here it becomes a name."""

import datetime as dt
import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from causeway.identity.identity import Identity, Kind


@lru_cache(maxsize=8192)
def identity_of(certificate: bytes) -> Identity:
    """The identity of a verified certificate (DER). Devices come back with every message, so it is remembered."""
    try:
        subject = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:
        subject = ""  # OpenSSL took it, so the chain holds; only the name cannot be shown
    return Identity(Kind.CERTIFICATE, hashlib.sha256(certificate).hexdigest(), subject)


def still_trusted(certificate: bytes, roots: tuple[str, ...]) -> bool:
    """Whether ``certificate`` (DER) leads to one of ``roots`` (PEM), which may be roots or intermediates.

    For connections that were made before a root was taken away.
    """
    leaf = x509.load_der_x509_certificate(certificate)
    anchors = [anchor for pem in roots for anchor in x509.load_pem_x509_certificates(pem.encode())]
    if not anchors:
        return False
    verifier = PolicyBuilder().store(Store(anchors)).time(dt.datetime.now(dt.UTC)).build_client_verifier()
    try:
        verifier.verify(leaf, anchors)
    except VerificationError:
        return False
    return True
