"""What a certificate of the site's authority is for, written into it as a URI of its subject alternative name.

A device holds a certificate of the same authority as a connection point, so the chain alone cannot tell them apart.
"""

from enum import StrEnum
from typing import Any

from cryptography import x509


class Role(StrEnum):
    """The roles that the site's authority certifies; the value is the URI in the certificate."""

    CONNECTION_POINT = "urn:causeway:role:connection-point"
    SITE_SYSTEM = "urn:causeway:role:site-system"
    GATEWAY = "urn:causeway:role:gateway"
    DEVICE = "urn:causeway:role:device"
    FAKE_TENANT = "urn:causeway:role:fake-tenant"


def roles_of(certificate: x509.Certificate) -> frozenset[str]:
    """The role URIs in a parsed certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(names.get_values_for_type(x509.UniformResourceIdentifier))


def peer_has_role(peercert: dict[str, Any] | None, role: Role) -> bool:
    """Whether the verified certificate of a TLS peer (``SSLObject.getpeercert()``) carries ``role``."""
    names = (peercert or {}).get("subjectAltName", ())
    return ("URI", str(role)) in names
