"""What the document says of client certificates: what they must be like, and which are revoked."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from causeway.configuration import section, setting
from causeway.gateway_settings.values import Fingerprint, UpstreamUrl
from causeway.identity.revocation import RevokedSerials


def _packed(serials: str) -> str:
    RevokedSerials(serials)
    return serials


class SignatureHash(StrEnum):
    """The hash of a certificate's signature."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


@section
class CertificateRulesSection:
    """What client certificates, and those above them, must be like."""

    min_rsa_bits: Annotated[int, Field(ge=2048, le=16384)] = setting("the smallest RSA key", default=2048)
    min_ec_bits: Annotated[int, Field(ge=256, le=521)] = setting("the smallest key of an elliptic curve", default=256)
    hashes: tuple[SignatureHash, ...] = setting("the hashes that signatures may use", default=tuple(SignatureHash))
    trust_list: tuple[Fingerprint, ...] = setting(
        "SHA-256 of authorities' certificates, one of which must be in the chain; empty: any trusted root will do",
        default=(),
    )


@section
class RevocationListSection:
    """One revocation list."""

    issuer: Fingerprint = setting("SHA-256 of the authority's subject and public key, in DER")
    next_update: Annotated[int, Field(ge=0)] = setting("until when it says who is good, in seconds since 1970")
    points: tuple[str, ...] = setting("the URLs that a certificate must name to be covered; empty: all", default=())
    users_only: bool = setting("it covers no certificates of authorities", default=False)
    revoked: Annotated[str, AfterValidator(_packed)] = setting(
        "the first eight bytes of the SHA-256 of each serial number, sorted, in base64"
    )


@section
class RevocationSection:
    """Whether and how revocation is looked at."""

    check: bool = setting("whether it is looked at", default=True)
    accept_unknown_s: Annotated[float, Field(ge=0)] = setting(
        "how long certificates of which nobody can tell are accepted, in seconds", default=0.0
    )
    accept_unpublished: bool = setting(
        "whether certificates are accepted whose authority publishes no list and names no responder", default=True
    )
    revoked_certificates: tuple[Fingerprint, ...] = setting(
        "SHA-256 of client certificates that a responder says are revoked", default=()
    )
    ask_upstream: UpstreamUrl | None = setting(
        "the site, as connection points reach it, that is asked about certificates of which the lists say nothing; "
        "without it nobody is",
        default=None,
    )
    ask_always: bool = setting(
        "the site is asked about every certificate that names a responder, whatever the lists say", default=False
    )
    lists: tuple[RevocationListSection, ...] = setting("all lists that the site knows", default=())
