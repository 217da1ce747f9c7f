"""What the site says of one certificate, signed as the document is: nobody on the way can make a revoked one good."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from causeway.gateway_settings.errors import SettingsInvalid, SettingsSignatureWrong

STATUS_ENDPOINT = "causeway/certificate-status"
"""The name by which a gateway asks for it through the tunnel; nothing that is published may have it."""

STATUS_PATH = "/causeway/certificate-status"
MAX_CERTIFICATE_BYTES = 32 * 1024
MAX_STATUS_BYTES = 8 * 1024

_TYPE = "causeway-certificate-status"
_ALGORITHM = "EdDSA"


class Standing(StrEnum):
    """How a certificate stands."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """The site's answer.

    Attributes:
        fingerprint: SHA-256 of the certificate, in hexadecimal.
        standing: how it stands.
        until: when to ask again, in seconds since 1970.
        details: who said so, or why nobody could; for logs.
    """

    fingerprint: str
    standing: Standing
    until: float
    details: str = ""


def sign_status(status: CertificateStatus, key: Ed25519PrivateKey) -> bytes:
    """The answer as a compact JWS."""
    content = {
        "certificate": status.fingerprint,
        "status": status.standing,
        "until": status.until,
        "details": status.details,
    }
    payload = json.dumps(content, separators=(",", ":")).encode()
    return jwt.PyJWS().encode(payload, key, algorithm=_ALGORITHM, headers={"typ": _TYPE}).encode()


def verify_status(signed: bytes, key: Ed25519PublicKey) -> CertificateStatus:
    """The answer, if ``key`` signed it.

    Raises:
        SettingsSignatureWrong: not a JWS, of another type or algorithm, or signed by another key.
        SettingsInvalid: the signature holds but the content does not fit.
    """
    if len(signed) > MAX_STATUS_BYTES:
        raise SettingsInvalid(f"the answer has more than {MAX_STATUS_BYTES} bytes")
    try:
        decoded = jwt.PyJWS().decode_complete(signed, key, algorithms=[_ALGORITHM])
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SettingsSignatureWrong("the answer is not signed by the pinned site key") from error
    if decoded["header"].get("typ") != _TYPE:
        raise SettingsSignatureWrong("the answer is signed, but as something else")
    try:
        content = json.loads(decoded["payload"])
        fingerprint, details, until = content["certificate"], content["details"], float(content["until"])
        standing = Standing(content["status"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise SettingsInvalid("the answer does not say what it should") from error
    if not isinstance(fingerprint, str) or not isinstance(details, str) or not math.isfinite(until):
        raise SettingsInvalid("the answer does not say what it should")
    return CertificateStatus(fingerprint, standing, until, details)
