"""What a certificate itself must be like: readable, in its time, with a good key, for clients."""

import re
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from causeway.gateway_settings.status import CertificateStatus
from causeway.identity.denial import Denied
from causeway.pki.issuers import may_sign
from causeway.pki.revocation_list import urls_of
from causeway.pki.unreadable import UNREADABLE

_INVALID = "CMGService_ClientCertificateInvalid"
_EXPIRED = "CMGService_ClientCertificateExpired"
_WEAK = "CMGService_ClientCertificateWeak"
_USAGE = "CMGService_ClientCertificateUsage"

_CLIENT_USAGES = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_TEXTS = (x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier)
_MOST_NAMES = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class CertificateRules:
    """What a client's certificate and those above it must be like.

    Attributes:
        min_rsa_bits: of an RSA key.
        min_ec_bits: of an elliptic curve's key.
        hashes: of signatures, by name, such as ``sha256``.
        trust_list: SHA-256 of certificates, of which one must be in the chain; empty where any root will do.
    """

    min_rsa_bits: int = 2048
    min_ec_bits: int = 256
    hashes: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    trust_list: frozenset[str] = frozenset()


@dataclass(slots=True)
class Case:
    """What is learnt of one certificate on the way through the steps."""

    certificate: x509.Certificate
    now: float
    good_until: float
    answer: CertificateStatus | None = None
    asks: bool = False
    chain: tuple[x509.Certificate, ...] = ()
    unchecked: bool = False


def read(der: bytes, now: float) -> Case:
    """Read what may be hostile: whoever can get a certificate from a trusted authority wrote it.

    Raises:
        Denied: it has no single reading.
    """
    action = "have it issued anew"
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = [*certificate.subject, *certificate.issuer]
        alternative = extension_of(certificate, x509.SubjectAlternativeName)
        texts = [str(name.value) for name in names] + _texts(alternative)
        unknown = [
            one.oid.dotted_string
            for one in certificate.extensions
            if one.critical and isinstance(one.value, x509.UnrecognizedExtension)
        ]
        certificate.public_key()
    except UNREADABLE as error:
        raise Denied(_INVALID, f"it cannot be read: {str(error)[:200]}", action) from error
    if len(texts) > _MOST_NAMES:
        raise Denied(_INVALID, f"it has {len(texts)} names; {_MOST_NAMES} are taken", action)
    if any(_CONTROL.search(text) for text in texts):
        raise Denied(_INVALID, "a name in it has control characters", action)
    if unknown:
        raise Denied(_INVALID, f"it has a critical extension that is not known, {unknown[0]}", action)
    return Case(certificate, now, certificate.not_valid_after_utc.timestamp())


def _texts(names: x509.SubjectAlternativeName | None) -> list[str]:
    return [str(name.value) for name in names or () if isinstance(name, _TEXTS)]


def extension_of(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """An extension by its type."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def places_of(certificate: x509.Certificate) -> frozenset[str]:
    """Where a certificate says that one may ask whether it is revoked."""
    points = extension_of(certificate, x509.CRLDistributionPoints)
    access = extension_of(certificate, x509.AuthorityInformationAccess)
    return frozenset((*(urls_of(points) if points else ()), *(ocsp_urls(access) if access else ())))


def responders_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The OCSP responders that a certificate names."""
    access = extension_of(certificate, x509.AuthorityInformationAccess)
    return () if access is None else ocsp_urls(access)


def ocsp_urls(access: x509.AuthorityInformationAccess) -> tuple[str, ...]:
    """The OCSP responders that a certificate names."""
    return tuple(
        one.access_location.value
        for one in access
        if one.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    )


def in_time(certificate: x509.Certificate, case: Case, what: str, action: str) -> None:
    """Whether ``now`` is in a certificate's time; the case is good no longer than it.

    Raises:
        Denied: it is not.
    """
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if case.now < start.timestamp():
        raise Denied(_EXPIRED, f"{what} is not valid before {start:%Y-%m-%d %H:%M}Z", action)
    if case.now >= end.timestamp():
        raise Denied(_EXPIRED, f"{what} ended at {end:%Y-%m-%d %H:%M}Z", action)
    case.good_until = min(case.good_until, end.timestamp())


def dates(_rules: CertificateRules, case: Case) -> str:
    """Whether the client's certificate is in its time."""
    in_time(case.certificate, case, "the certificate", "renew it; where it is valid, set the clocks right")
    return f"valid until {case.certificate.not_valid_after_utc:%Y-%m-%d %H:%M}Z"


def key(rules: CertificateRules, case: Case) -> str:
    """Whether its key and its issuer's signature are of today's strength."""
    is_strong(rules, case.certificate, "it")
    is_signed_well(rules, case.certificate, "it")
    return _describe_key(case.certificate)


def usage(_rules: CertificateRules, case: Case) -> str:
    """Whether it is for clients, who sign in the handshake."""
    action = "issue one for client authentication"
    if not may_sign(case.certificate, lambda allowed: allowed.digital_signature):
        raise Denied(_USAGE, "its key usage does not allow digital signatures", action)
    usages = extension_of(case.certificate, x509.ExtendedKeyUsage)
    if usages is not None and not _CLIENT_USAGES & set(usages):
        raise Denied(_USAGE, "its extended key usage does not have client authentication", action)
    return "client authentication" if usages is not None else "not limited"


def is_strong(rules: CertificateRules, certificate: x509.Certificate, what: str) -> None:
    """Whether a key is large enough.

    Raises:
        Denied: it is not.
    """
    public = certificate.public_key()
    match public:
        case rsa.RSAPublicKey():
            least = rules.min_rsa_bits
        case ec.EllipticCurvePublicKey():
            least = rules.min_ec_bits
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return
        case _:
            raise Denied(_WEAK, f"{what} has a key of a kind that is not taken", "issue one with another key")
    if public.key_size < least:
        raise Denied(
            _WEAK, f"{what} has a key of {public.key_size} bits; {least} are wanted", "issue one with a larger key"
        )


def is_signed_well(rules: CertificateRules, certificate: x509.Certificate, what: str) -> None:
    """Whether a signature's hash is one of those that are taken.

    Raises:
        Denied: it is not.
    """
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        name = certificate.signature_algorithm_oid.dotted_string
    else:
        if algorithm is None or algorithm.name in rules.hashes:  # Ed25519 and Ed448 bring their own
            return
        name = algorithm.name
    raise Denied(_WEAK, f"{what} is signed with {name}", "have it issued anew, signed with SHA-256")


def _describe_key(certificate: x509.Certificate) -> str:
    public, algorithm = certificate.public_key(), certificate.signature_hash_algorithm
    size = f" {public.key_size}" if isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else ""
    return (
        f"{type(public).__name__.removesuffix('PublicKey')}{size}, signed with {algorithm.name if algorithm else 'it'}"
    )
