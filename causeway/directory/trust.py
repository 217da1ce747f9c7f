"""Which domain controllers' certificates are trusted: those of the machine's roots and of roots of one's own."""

import ssl
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def verifying(roots: Iterable[x509.Certificate]) -> ssl.SSLContext:
    """A client's TLS that verifies the server's certificate and name; there is none that does not."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for root in roots:
        context.load_verify_locations(cadata=root.public_bytes(Encoding.DER))
    return context
