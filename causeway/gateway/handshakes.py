"""Why a TLS handshake failed: one word of few, since it becomes a metric's label (``docs/errors.md``)."""

import ssl

_BY_VERIFY_CODE = {10: "expired", 9: "not_yet_valid", 23: "revoked"}


def failure_reason(error: Exception) -> str:
    """The label for what a handshake failed with."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate_" + _BY_VERIFY_CODE.get(error.verify_code, "untrusted")
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "closed"
    if isinstance(error, ssl.SSLError):
        return "certificate_missing" if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE" else "protocol"
    return "other"
