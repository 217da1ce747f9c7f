"""Values that several parts of the document have in common."""

import re
import ssl
from typing import Annotated
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AfterValidator, BeforeValidator, Field

from causeway.http.headers import HOST

MAX_TRUSTED = 1000
"""Roots and intermediates of client certificates; several times as many as the whole web's."""

_PEM = "-----BEGIN"


def _certificates(pem: str) -> str:
    try:
        # OpenSSL reads more strictly, and is who has to trust them. It is given one at a time: of several it takes
        # what it can.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for certificate in x509.load_pem_x509_certificates(pem.encode()):
            context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))
    except (ValueError, ssl.SSLError) as error:
        raise ValueError("expected certificates in PEM form") from error
    return pem


def _few(pems: object) -> object:
    """Count before anything is read: what OpenSSL takes to trust certificates grows with the square of their number."""
    if not isinstance(pems, list | tuple):
        return pems
    count = max(len(pems), sum(one.count(_PEM) for one in pems if isinstance(one, str)))
    if count > MAX_TRUSTED:
        raise ValueError(f"expected at most {MAX_TRUSTED} certificates, not {count}")
    return tuple(pems)


Certificates = Annotated[str, AfterValidator(_certificates)]
TrustedCertificates = Annotated[tuple[Certificates, ...], BeforeValidator(_few)]


def _upstream_url(url: str) -> str:
    parts = urlsplit(url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not HOST.fullmatch(parts.netloc.encode("utf-8", "replace"))  # else nothing could be asked there
        or not re.fullmatch(r"[\x21-\x7e]+", url)
    ):
        raise ValueError("expected a URL such as https://server.example/path, without user, query or fragment")
    parts.port  # noqa: B018  # raises a ValueError of its own for a port out of range
    return url


UpstreamUrl = Annotated[str, AfterValidator(_upstream_url)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
