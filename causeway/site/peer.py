"""Who is at the other end of a request: what TLS proved, and what a connection point vouches for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from starlette.requests import Request

from causeway.identity.certificate import names_of
from causeway.pki.fingerprints import fingerprints_of
from causeway.pki.roles import Role, roles_of
from causeway.pki.unreadable import UNREADABLE
from causeway.site.trust import TrustedRoots

TLS_STATE = "tls_peer"
"""Where the server leaves the connection's ``TlsPeer`` in the ASGI state."""

_FORWARDED_CERTIFICATE = re.compile(r'Hash=([0-9a-f]{64});Subject="((?:[^"\\]|\\.){0,1024})"')
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_FORWARDED_FOR = 200


@dataclass(frozen=True, slots=True)
class TlsPeer:
    """A client certificate that the handshake verified.

    Attributes:
        certificate: the leaf.
        fingerprint: SHA-256 of its DER, 64 hexadecimal digits.
        fingerprints: the same, and those of its twins.
        subject: its subject, RFC 4514.
        names: what it calls its holder, lower case: common names and DNS names.
        is_connection_point: whether it is a connection point's: it says so, and an authority that may say so issued it.
    """

    certificate: x509.Certificate
    fingerprint: str
    fingerprints: frozenset[str]
    subject: str
    names: frozenset[str]
    is_connection_point: bool


def tls_peer(der: bytes | None, connection_point_roots: TrustedRoots) -> TlsPeer | None:
    """The peer of a verified certificate in DER; None where the client showed none, or one we cannot read.

    Args:
        der: the certificate that the handshake verified.
        connection_point_roots: those whose certificates may say that they are a connection point's.
    """
    if not der:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        return TlsPeer(
            certificate=certificate,
            fingerprint=certificate.fingerprint(SHA256()).hex(),
            fingerprints=fingerprints_of(der),
            subject=certificate.subject.rfc4514_string(),
            names=names_of(der),
            is_connection_point=Role.CONNECTION_POINT in roles_of(certificate)
            and connection_point_roots.vouch_for(certificate, now=datetime.now(UTC)),
        )
    except UNREADABLE:
        return None


@dataclass(frozen=True, slots=True)
class Vouched:
    """A device's certificate that a gateway verified, as its connection point reports it."""

    fingerprint: str
    subject: str


@dataclass(frozen=True, slots=True)
class Client:
    """The client of one request.

    Attributes:
        address: where it comes from; with a connection point between, where that says it comes from.
        request_id: the id that follows the request through every log, or empty where nobody gave one.
        secure: whether the request came over TLS.
        tls: the certificate of this connection.
        vouched: the device's certificate behind a connection point.
    """

    address: str
    request_id: str
    secure: bool
    tls: TlsPeer | None
    vouched: Vouched | None

    @property
    def certificate_fingerprint(self) -> str | None:
        """SHA-256 of the device's certificate, its own or the vouched one; None without one."""
        if self.tls is None:
            return None
        if self.tls.is_connection_point:
            return self.vouched.fingerprint if self.vouched else None
        return self.tls.fingerprint

    @property
    def fingerprints(self) -> frozenset[str]:
        """SHA-256 of every certificate that takes part: the connection's with its twins, and the one behind it.

        Of the one behind it, the gateway has compared the twins: here there is no more than its fingerprint.
        """
        own = frozenset[str]() if self.tls is None else self.tls.fingerprints
        return own if self.vouched is None else own | {self.vouched.fingerprint}

    @property
    def names(self) -> frozenset[str]:
        """What the device's certificate calls it, lower case.

        Of one behind a connection point, the gateway has compared the DNS names: here there are its common names.
        """
        if self.tls is None:
            return frozenset()
        if self.tls.is_connection_point:
            return common_names(self.vouched.subject) if self.vouched else frozenset()
        return self.tls.names

    @property
    def subject(self) -> str | None:
        """The subject of that certificate."""
        if self.tls is None:
            return None
        if self.tls.is_connection_point:
            return self.vouched.subject if self.vouched else None
        return self.tls.subject


@lru_cache(maxsize=8192)
def common_names(subject: str) -> frozenset[str]:
    """The common names in a subject in the form of RFC 4514, lower case; none where it cannot be read."""
    try:
        attributes = x509.Name.from_rfc4514_string(subject).get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return frozenset()
    return frozenset(str(attribute.value).lower() for attribute in attributes)


def client_of(request: Request) -> Client:
    """Decide who sent ``request``.

    The headers of a connection point count only on a connection whose certificate says that it is one; from anybody
    else they are words.
    """
    tls: TlsPeer | None = request.scope.get("state", {}).get(TLS_STATE)
    address = request.client.host if request.client else ""
    secure = request.url.scheme == "https"
    if tls is None or not tls.is_connection_point:
        return Client(address, "", secure, tls, None)
    return Client(
        address=_single(request, "x-forwarded-for")[:_MAX_FORWARDED_FOR] or address,
        request_id=_request_id(_single(request, "x-request-id")),
        secure=secure,
        tls=tls,
        vouched=_vouched(_single(request, "x-forwarded-client-cert")),
    )


def _single(request: Request, name: str) -> str:
    values = request.headers.getlist(name)
    # A connection point sets the header, once; two of them have two readings.
    return values[0] if len(values) == 1 else ""


def _request_id(value: str) -> str:
    return value if _REQUEST_ID.fullmatch(value) else ""


def _vouched(value: str) -> Vouched | None:
    match = _FORWARDED_CERTIFICATE.fullmatch(value)
    # Header values come as Latin-1; a subject is UTF-8.
    return Vouched(match[1], match[2].encode("latin-1").decode("utf-8", "replace")) if match else None
