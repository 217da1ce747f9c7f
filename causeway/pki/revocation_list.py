"""Reads certificate revocation lists (RFC 5280, 5): base and delta, of a known authority, in bounded time and memory.

What a list says of itself that is not understood makes it useless: whoever skips it may take a revoked certificate for
a good one. So an unknown critical extension, an indirect list, or one of some reasons only, is refused.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from causeway.errors import Cause, CausewayError
from causeway.pki.issuers import issuer_id, may_sign
from causeway.pki.serials import serial_digest
from causeway.pki.unreadable import UNREADABLE

MAX_LIST_BYTES = 64 * 1024 * 1024
"""Some 1,200,000 entries with a reason each, read within five seconds. Larger ones are not read at all."""

_CLOCK_SKEW = dt.timedelta(minutes=5)
_BROKEN_HASHES = (hashes.MD5, hashes.SHA1)
_PEM = b"-----BEGIN X509 CRL-----"
_MAX_POINTS = 64
_KNOWN = (
    x509.AuthorityKeyIdentifier,
    x509.CRLNumber,
    x509.DeltaCRLIndicator,
    x509.FreshestCRL,
    x509.IssuingDistributionPoint,
)


class RevocationListInvalid(CausewayError):
    """A revocation list that cannot be used; what was known before stays."""

    cause = Cause.SITE
    word = "RevocationListInvalid"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature has been verified.

    Attributes:
        issuer: see ``issuer_id``.
        number: rises with every list of an issuer; -1 where the list has none.
        base_number: of the list that a delta adds to; None for a list that is whole.
        this_update: when it was issued, UTC.
        next_update: when the next one is due, UTC.
        points: where it covers only certificates that name one of these URLs; empty where it covers all.
        users_only: it covers no certificates of authorities.
        freshest: URLs of delta lists for it.
        revoked: digests of serial numbers, see ``serial_digest``.
        released: digests of those that a delta takes off the list.
    """

    issuer: str
    number: int
    base_number: int | None
    this_update: dt.datetime
    next_update: dt.datetime
    points: frozenset[str]
    users_only: bool
    freshest: tuple[str, ...]
    revoked: frozenset[int]
    released: frozenset[int]

    def with_delta(self, delta: "RevocationList") -> "RevocationList":
        """The list with what ``delta`` adds and takes off; as it is where the delta does not fit (5.2.4)."""
        fits = (
            self.base_number is None
            and delta.base_number is not None
            and delta.issuer == self.issuer
            and (delta.points, delta.users_only) == (self.points, self.users_only)
            and delta.base_number <= self.number < delta.number
            and delta.this_update >= self.this_update
        )
        if not fits:
            return self
        return replace(
            self,
            number=delta.number,
            this_update=delta.this_update,
            revoked=(self.revoked - delta.released) | delta.revoked,
        )


def read_revocation_list(data: bytes, issuers: Iterable[x509.Certificate], *, now: dt.datetime) -> RevocationList:
    """The list in ``data`` (DER or PEM), if one of ``issuers`` signed it. It may have ended; see ``next_update``.

    Raises:
        RevocationListInvalid: too large, malformed, of no authority that is known, not signed by it, from the future,
            without an end, or with something in it that cannot be understood.
    """
    if len(data) > MAX_LIST_BYTES:
        raise RevocationListInvalid(f"it has more than {MAX_LIST_BYTES} bytes")
    try:
        parsed = x509.load_pem_x509_crl(data) if _PEM in data[:4096] else x509.load_der_x509_crl(data)
        return _read(parsed, issuers, now)
    except UNREADABLE as error:
        raise RevocationListInvalid(f"it is malformed: {str(error)[:200]}") from error


def _read(
    parsed: x509.CertificateRevocationList, issuers: Iterable[x509.Certificate], now: dt.datetime
) -> RevocationList:
    issuer = _signer(parsed, issuers)
    this_update, next_update = parsed.last_update_utc, parsed.next_update_utc
    if next_update is None:
        raise RevocationListInvalid("it does not say when the next one is due")
    if this_update > now + _CLOCK_SKEW:
        raise RevocationListInvalid(f"it is of {this_update:%Y-%m-%d %H:%M}Z, which is to come")
    for extension in parsed.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise RevocationListInvalid(f"it has a critical extension that is not known, {extension.oid.dotted_string}")
    revoked, released = _entries(parsed)
    number, base = _value(parsed, x509.CRLNumber), _value(parsed, x509.DeltaCRLIndicator)
    freshest, scope = _value(parsed, x509.FreshestCRL), _value(parsed, x509.IssuingDistributionPoint)
    return RevocationList(
        issuer=issuer_id(issuer),
        number=-1 if number is None else number.crl_number,
        base_number=None if base is None else base.crl_number,
        this_update=this_update,
        next_update=next_update,
        points=_points(scope),
        users_only=scope is not None and scope.only_contains_user_certs,
        freshest=() if freshest is None else urls_of(freshest),
        revoked=revoked,
        released=released,
    )


def _signer(parsed: x509.CertificateRevocationList, issuers: Iterable[x509.Certificate]) -> x509.Certificate:
    if isinstance(parsed.signature_hash_algorithm, _BROKEN_HASHES):
        raise RevocationListInvalid(f"it is signed with {parsed.signature_hash_algorithm.name}")
    named = [one for one in issuers if one.subject == parsed.issuer]
    if not named:
        raise RevocationListInvalid(f"it is of {parsed.issuer.rfc4514_string()[:200]}, which is not trusted")
    for issuer in named:
        if may_sign(issuer, lambda usage: usage.crl_sign) and _is_signed_by(parsed, issuer):
            return issuer
    raise RevocationListInvalid(f"it is not signed by {named[0].subject.rfc4514_string()[:200]}")


def _is_signed_by(parsed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return parsed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other keys raise TypeError
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _entries(parsed: x509.CertificateRevocationList) -> tuple[frozenset[int], frozenset[int]]:
    revoked: set[int] = set()
    released: set[int] = set()
    for entry in parsed:
        reason = None
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CRLReason):
                reason = extension.value.reason
            elif extension.critical or isinstance(extension.value, x509.CertificateIssuer):
                raise RevocationListInvalid("it has entries of other authorities, or with what is not known")
        (released if reason is x509.ReasonFlags.remove_from_crl else revoked).add(serial_digest(entry.serial_number))
    return frozenset(revoked), frozenset(released)


def _points(scope: x509.IssuingDistributionPoint | None) -> frozenset[str]:
    """The URLs that the list is for.

    Raises:
        RevocationListInvalid: it covers certificates in a way that cannot be told from them.
    """
    if scope is None:
        return frozenset()
    if scope.indirect_crl:
        raise RevocationListInvalid("it is an indirect list")
    if scope.only_some_reasons or scope.only_contains_attribute_certs or scope.only_contains_ca_certs:
        raise RevocationListInvalid("it covers only some reasons, or no certificates of clients")
    if scope.relative_name is not None:
        raise RevocationListInvalid("it is for a distribution point without a URL")
    if scope.full_name is None:
        return frozenset()
    urls = _urls(scope.full_name)
    if not urls:
        raise RevocationListInvalid("it is for a distribution point without a URL")
    return frozenset(urls)


_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def _value(parsed: x509.CertificateRevocationList, kind: type[_Extension]) -> _Extension | None:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def urls_of(points: x509.CRLDistributionPoints | x509.FreshestCRL) -> tuple[str, ...]:
    """The http(s) URLs of distribution points whose lists the issuer itself signs, in order."""
    found: list[str] = []
    for point in list(points)[:_MAX_POINTS]:
        if point.full_name and not point.crl_issuer and not point.reasons:
            found += _urls(point.full_name)
    return tuple(dict.fromkeys(found))


def _urls(names: Iterable[x509.GeneralName]) -> list[str]:
    return [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.lower().startswith(("http://", "https://"))
    ]
