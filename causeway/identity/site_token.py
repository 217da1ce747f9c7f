"""Tokens that the site issues: what they say, and their signature.

The form is that of Configuration Manager's tokens, as far as the documentation's sample of a bulk registration token
shows it: ``SCCMTokenCategory``, ``Authority``, ``License``, ``Type``, ``TenantId``, ``UniqueId`` and the registered
claims. What ties a device's token to the device (``SMSID``, ``Thumbprint``, ``Name``) has names of our own.
"""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from causeway.gateway_settings import SiteTokens, TokenAlgorithm
from causeway.identity.denial import EXPIRED, INVALID, NOT_YET_VALID, Denied
from causeway.identity.identity import Identity, Kind
from causeway.identity.jwt import KeyRing, Token, read_token
from causeway.identity.verified import Verified

AUDIENCE = "urn:sccm:service"
ISSUER_PREFIX = "urn:sccm:oauth2:"
CLOCK_SKEW_S = 300

_AUTHORITY = "SCCM"
_FORM = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_LATEST = 2**53


class Category(StrEnum):
    """``SCCMTokenCategory``: whether the bearer is registered."""

    PRE_AUTHENTICATION = "SCCMPreAuthToken"
    CLIENT = "SCCMClientToken"


class TokenType(StrEnum):
    """``Type``: what the token is for."""

    BULK_REGISTRATION = "BulkRegistration"
    DEVICE = "Device"
    USER_DEVICE = "UDA"
    """A device whose user's Entra token was exchanged."""
    SELF_PROVE = "SelfProve"
    """A registered device, for as long as it may be away: what it comes with for a token of the other types."""


_PRE_AUTHENTICATION = frozenset((TokenType.BULK_REGISTRATION, TokenType.SELF_PROVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTokenClaims:
    """What a token of the site says.

    Attributes:
        type: what it is for; the category follows from it.
        unique_id: its own id, by which it is blocked.
        issuer: ``urn:sccm:oauth2:<hierarchy id>``.
        not_before: seconds since 1970.
        expires: seconds since 1970.
        sms_id: ``GUID:…`` of the device; empty for a newcomer.
        thumbprint: SHA-256, in lower-case hexadecimal, of the certificate that the device registered with; empty for a
            newcomer.
        name: the device's name, for logs and blocks; may be empty.
        tenant_id: the hierarchy's id for a bulk registration token, the Entra tenant of a device that came with one.
        user_id: the Entra user's object id where its token was exchanged.
        audience: for whom it is.
    """

    type: TokenType
    unique_id: str
    issuer: str
    not_before: int
    expires: int
    sms_id: str = ""
    thumbprint: str = ""
    name: str = ""
    tenant_id: str = ""
    user_id: str = ""
    audience: str = AUDIENCE

    @property
    def category(self) -> Category:
        """Whether the bearer is registered."""
        return Category.PRE_AUTHENTICATION if self.type in _PRE_AUTHENTICATION else Category.CLIENT

    @property
    def identity(self) -> Identity:
        """Who bears it."""
        if self.type is TokenType.BULK_REGISTRATION:
            return Identity(Kind.BULK_TOKEN, token=self.unique_id.lower())
        return Identity(
            Kind.SITE_TOKEN,
            self.thumbprint,
            self.name,
            device=self.sms_id,
            tenant=self.tenant_id,
            user=self.user_id,
            token=self.unique_id.lower(),
        )

    def as_json(self) -> dict[str, Any]:
        """The token's payload; what is empty is left out."""
        named = {claim: getattr(self, field) for claim, field in _CLAIMS.items()}
        return {
            "SCCMTokenCategory": str(self.category),
            "Authority": _AUTHORITY,
            "License": _AUTHORITY,
            **{claim: value for claim, value in named.items() if value != ""},
        }


_CLAIMS = {
    "Type": "type",
    "TenantId": "tenant_id",
    "UniqueId": "unique_id",
    "SMSID": "sms_id",
    "Thumbprint": "thumbprint",
    "Name": "name",
    "UserId": "user_id",
    "iss": "issuer",
    "aud": "audience",
    "nbf": "not_before",
    "exp": "expires",
}


def sign(claims: SiteTokenClaims, key_id: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """The token: a compact JWS, RS256 or ES256 as the key is. ``x5t`` is the key's id, as in Configuration Manager."""
    algorithm = TokenAlgorithm.RS256 if isinstance(key, rsa.RSAPrivateKey) else TokenAlgorithm.ES256
    payload = json.dumps(claims.as_json(), separators=(",", ":")).encode()
    headers = {"typ": "JWT", "kid": key_id, "x5t": key_id}
    return jwt.PyJWS().encode(payload, key, algorithm=algorithm, headers=headers)


def token_digest(token: bytes) -> str:
    """The SHA-256 of a whole token, by which it can be blocked where only the token is at hand."""
    return hashlib.sha256(token).hexdigest()


def verify(token: bytes, settings: SiteTokens, now: float) -> Identity:
    """Who bears ``token``, at ``now`` (seconds since 1970).

    Raises:
        Denied: it is not one of the site's, or not valid now.
    """
    return SiteTokenVerifier(settings).verify(read_token(token), now).identity


class SiteTokenVerifier:
    """Verifies the tokens of one site; gateways and the site use the same code."""

    def __init__(self, settings: SiteTokens) -> None:
        self._settings = settings
        self._keys = KeyRing(settings.keys)

    def responsible(self, issuer: str) -> bool:
        """Whether the site is ``issuer``."""
        return issuer == self._settings.issuer

    def verify(self, token: Token, now: float) -> Verified:
        """Check signature, then claims, then dates.

        Raises:
            Denied: with the coarse word up to the dates; those are said as they are, since the signature was good.
        """
        key = self._keys.verify(token, now)
        claims = read_claims(token)
        if claims.issuer != self._settings.issuer or claims.audience != self._settings.audience:
            raise Denied(
                INVALID,
                f"it is by {claims.issuer!r} for {claims.audience!r}, not by {self._settings.issuer!r} for "
                f"{self._settings.audience!r}",
                "Send the device to the gateway of the site that issued its token.",
            )
        check_dates(claims.not_before, claims.expires, now)
        expires = float(min(claims.expires + CLOCK_SKEW_S, key.valid_until))
        return Verified(claims.identity, expires, claims.issuer, claims.audience, key)

    def still_holds(self, verified: Verified) -> bool:
        """Whether a token that was verified under other settings would be under these."""
        settings = self._settings
        return (verified.issuer, verified.audience) == (settings.issuer, settings.audience) and (
            verified.key in self._keys
        )


def read_claims(token: Token) -> SiteTokenClaims:
    """The claims of a token of the site; nothing about them is verified here.

    Raises:
        Denied: a claim is missing or of another form.
    """
    claims = token.claims
    if str(token.header.get("typ", "JWT")).upper() != "JWT":
        raise _wrong("typ")
    try:
        kind = TokenType(str(claims.get("Type")))
    except ValueError:
        raise _wrong("Type") from None
    values: dict[str, Any] = {"type": kind}
    optional = {field.name for field in dataclasses.fields(SiteTokenClaims) if field.default == ""}
    for claim, field in _CLAIMS.items():
        value = claims.get(claim)
        if field in ("not_before", "expires"):
            if type(value) is not int or not 0 <= value < _LATEST:
                raise _wrong(claim)
            values[field] = value
        elif field != "type" and not (value is None and field in optional):
            if not isinstance(value, str) or (field != "name" and _FORM.fullmatch(value) is None) or len(value) > 200:
                raise _wrong(claim)
            values[field] = value
    read = SiteTokenClaims(**values)
    if claims.get("SCCMTokenCategory") != read.category or claims.get("Authority") != _AUTHORITY:
        raise _wrong("SCCMTokenCategory or Authority")
    if read.type is not TokenType.BULK_REGISTRATION and not (read.sms_id and _THUMBPRINT.fullmatch(read.thumbprint)):
        raise _wrong("SMSID or Thumbprint")
    return read


def _wrong(claim: str) -> Denied:
    return Denied(
        INVALID,
        f"its claim {claim} is missing or not as the site writes it",
        "Have the device fetch a new token; where the site was updated lately, update the gateways, too.",
    )


def check_dates(not_before: int, expires: int, now: float) -> None:
    """Check the time that a token is valid for, with the skew that clocks may have.

    Raises:
        Denied: it is not valid yet, or no longer.
    """
    if now >= expires + CLOCK_SKEW_S:
        raise Denied(
            EXPIRED,
            f"it expired {now - expires:.0f} s ago",
            "The device fetches a new one on the internal network, or registers again with a bulk registration token.",
        )
    if now < not_before - CLOCK_SKEW_S:
        raise Denied(
            NOT_YET_VALID,
            f"it is valid in {not_before - now:.0f} s only",
            "Check the clocks of the site, of the gateway and of whoever issued the token.",
            retry_after=float(not_before - CLOCK_SKEW_S),
        )
