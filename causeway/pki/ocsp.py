"""Asks a responder whether one certificate was revoked, and reads its answer (OCSP, RFC 6960)."""

import datetime as dt
import secrets
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from causeway.errors import Cause, CausewayError
from causeway.pki.issuers import may_sign
from causeway.pki.unreadable import UNREADABLE

REQUEST_HEADERS = {"Content-Type": "application/ocsp-request"}
"""What a question to a responder is sent with (RFC 6960, appendix A.1)."""
MAX_ANSWER_BYTES = 64 * 1024

_CLOCK_SKEW = dt.timedelta(minutes=5)
_BROKEN_HASHES = (hashes.MD5, hashes.SHA1)
_NONCE_BYTES = 16
_MOST_CERTIFICATES = 8
# Responders know certificates by this hash, and many by no other; nothing rests on its strength.
_NAMED_BY = hashes.SHA1()  # noqa: S303


class OcspAnswerInvalid(CausewayError):
    """An answer of a responder that says nothing that could be relied on."""

    cause = Cause.SITE
    word = "OcspAnswerInvalid"


class OcspStatus(StrEnum):
    """What a responder says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """An answer whose signature has been verified, and which is new enough.

    Attributes:
        status: of the certificate.
        next_update: until when that is so, UTC; None where the responder does not say.
    """

    status: OcspStatus
    next_update: dt.datetime | None


def ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[bytes, bytes]:
    """A request (DER) for one certificate, and the nonce that is in it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _NAMED_BY)
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
    return request.public_bytes(Encoding.DER), nonce


def read_ocsp_answer(
    data: bytes, certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes, *, now: dt.datetime
) -> OcspAnswer:
    """The answer in ``data`` (DER) for ``certificate``.

    Raises:
        OcspAnswerInvalid: malformed, no success, of another certificate, not signed by ``issuer`` or one whom it
            delegated, too old, or an answer to another request.
    """
    if len(data) > MAX_ANSWER_BYTES:
        raise OcspAnswerInvalid(f"it has more than {MAX_ANSWER_BYTES} bytes")
    try:
        return _read(ocsp.load_der_ocsp_response(data), certificate, issuer, nonce, now)
    except UNREADABLE as error:
        raise OcspAnswerInvalid(f"it is malformed: {str(error)[:200]}") from error


def _read(
    response: ocsp.OCSPResponse,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    nonce: bytes,
    now: dt.datetime,
) -> OcspAnswer:
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise OcspAnswerInvalid(f"the responder says {response.response_status.name.lower().replace('_', ' ')}")
    _verify(response, _signer(response, issuer, now))
    named = _name(certificate, issuer)
    single = next((one for one in response.responses if _names(one) == named), None)
    if single is None:
        raise OcspAnswerInvalid("it is for another certificate")
    for extension in response.extensions:
        if extension.critical and not isinstance(extension.value, x509.OCSPNonce):
            raise OcspAnswerInvalid(f"it has a critical extension that is not known, {extension.oid.dotted_string}")
    _is_new(response, single, nonce, now)
    return OcspAnswer(_STATUSES[single.certificate_status], single.next_update_utc)


_STATUSES = {
    ocsp.OCSPCertStatus.GOOD: OcspStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: OcspStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: OcspStatus.UNKNOWN,
}


def _name(certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[int, bytes, bytes]:
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _NAMED_BY).build()
    return request.serial_number, request.issuer_name_hash, request.issuer_key_hash


def _names(single: ocsp.OCSPSingleResponse) -> tuple[int, bytes, bytes] | None:
    if single.hash_algorithm.name != _NAMED_BY.name:
        return None
    return single.serial_number, single.issuer_name_hash, single.issuer_key_hash


def _is_new(response: ocsp.OCSPResponse, single: ocsp.OCSPSingleResponse, nonce: bytes, now: dt.datetime) -> None:
    """Refuse answers to other requests, and old ones: without a nonce, only its end says that it is not one."""
    try:
        echoed = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        echoed = None
    if echoed is not None and echoed != nonce:
        raise OcspAnswerInvalid("it answers another request")
    if single.this_update_utc > now + _CLOCK_SKEW:
        raise OcspAnswerInvalid(f"it is of {single.this_update_utc:%Y-%m-%d %H:%M}Z, which is to come")
    if single.next_update_utc is None:
        if echoed is None:
            raise OcspAnswerInvalid("it has neither a nonce nor an end, so it may be of any age")
    elif single.next_update_utc <= now:
        raise OcspAnswerInvalid(f"it ended at {single.next_update_utc:%Y-%m-%d %H:%M:%S}Z")


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: dt.datetime) -> x509.Certificate:
    """The issuer itself, or one whom it delegated (RFC 6960, 4.2.2.2)."""
    if _is_responder(response, issuer):
        return issuer
    for candidate in response.certificates[:_MOST_CERTIFICATES]:
        if _is_responder(response, candidate):
            _is_delegated(candidate, issuer, now)
            return candidate
    raise OcspAnswerInvalid("it brings no certificate of its signer")


def _is_responder(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    return response.responder_key_hash == key


def _is_delegated(candidate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> None:
    try:
        candidate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise OcspAnswerInvalid("its signer is not of the authority that issued the certificate") from error
    try:
        usages = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usages = None
    if usages is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        raise OcspAnswerInvalid("its signer may not sign answers of a responder")
    if not may_sign(candidate, lambda usage: usage.digital_signature):
        raise OcspAnswerInvalid("its signer may not sign")
    if not candidate.not_valid_before_utc <= now <= candidate.not_valid_after_utc:
        raise OcspAnswerInvalid("its signer's certificate is not valid at this time")


def _verify(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    algorithm = response.signature_hash_algorithm
    if isinstance(algorithm, _BROKEN_HASHES):
        raise OcspAnswerInvalid(f"it is signed with {algorithm.name}")
    key, signature, signed = signer.public_key(), response.signature, response.tbs_response_bytes
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm is not None:
                key.verify(signature, signed, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() if algorithm is not None:
                key.verify(signature, signed, ec.ECDSA(algorithm))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, signed)
            case _:
                raise OcspAnswerInvalid("it is signed in a way that is not taken")
    except InvalidSignature as error:
        raise OcspAnswerInvalid("its signature is wrong") from error
