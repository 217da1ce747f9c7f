"""Tokens that come with a request: the site verifies them itself, by the very settings that it gives to gateways.

A tunnel says what a gateway decided. Nothing here depends on that: who takes a gateway over still has no token.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers

from causeway.gateway_settings import GatewaySettings
from causeway.identity.blocks import Blocks
from causeway.identity.denial import EXPIRED, INVALID, NOT_YET_VALID, Denied
from causeway.identity.entra.steps import INSUFFICIENT, NO_KEYS, NOT_ONBOARDED, KeyMissing
from causeway.identity.identity import Identity, Kind
from causeway.identity.jwt import read_token
from causeway.identity.site_token import Category, read_claims, token_digest
from causeway.identity.tokens import TokenVerifier
from causeway.identity.verified import Verified
from causeway.site.errors import (
    DeviceBlocked,
    EntraKeysUnavailable,
    EntraTokenRefused,
    IdentityMismatch,
    SiteTokenExpired,
    SiteTokenMissing,
    SiteTokenRefused,
    SiteTokenWrong,
)
from causeway.site.token_service.entra_keys import EntraKeys

_SITE_KINDS = frozenset((Kind.SITE_TOKEN, Kind.BULK_TOKEN))


@dataclass(frozen=True, slots=True)
class Presented:
    """A token that was verified, and counts.

    Attributes:
        identity: who bears it, and what kind of token it is.
        digest: SHA-256 of its text, in hexadecimal.
        opens_messages: whether it is one for daily use, and not one that leads to such a token.
    """

    identity: Identity
    digest: str
    opens_messages: bool


class Admission:
    """Verifies tokens by one version of the settings."""

    def __init__(self, settings: GatewaySettings, entra_keys: EntraKeys) -> None:
        self._verifier = TokenVerifier(settings, entra_keys.keys)
        self._entra_keys = entra_keys
        self._blocks = Blocks.of(settings)
        self._headers = settings.token_headers

    def presented(self, headers: Headers, now: float) -> Presented | None:
        """The token in ``headers`` at ``now`` (seconds since 1970); None where there is none.

        Raises:
            SiteTokenRefused: there is one, and it does not count.
            DeviceBlocked: its device is blocked.
        """
        token = self._token_of(headers)
        if not token:
            return None
        try:
            identity = self._verified(token, now).identity
        except Denied as denied:
            raise _REFUSED.get(denied.denial.word, SiteTokenWrong)(denied.denial.details) from denied
        digest = token_digest(token)
        denial = self._blocks.denial(identity, digest=digest)
        if denial is not None:
            raise DeviceBlocked(denial.details)
        return Presented(identity, digest, _opens_messages(token, identity))

    def required(self, headers: Headers, now: float) -> Presented:
        """As ``presented``, where there must be a token.

        Raises:
            SiteTokenMissing, SiteTokenRefused, DeviceBlocked: there is none, or it does not count.
        """
        found = self.presented(headers, now)
        if found is None:
            raise SiteTokenMissing("the directory wants a site token, and none came")
        return found

    def _verified(self, token: bytes, now: float) -> Verified:
        """As ``TokenVerifier.verify``; a key that is not known may be, once the tenant's keys have been fetched."""
        try:
            return self._verifier.verify(token, now)
        except KeyMissing as missing:
            self._entra_keys.wait(missing.tenant_id)
        return self._verifier.verify(token, now)

    def _token_of(self, headers: Headers) -> bytes:
        for where in self._headers:
            for value in headers.getlist(where.name):
                scheme, _, rest = value.strip().partition(" ")
                if not where.scheme:
                    return value.strip().encode("latin-1")
                if scheme.lower() == where.scheme.lower() and rest.strip():
                    return rest.strip().encode("latin-1")
        return b""


def require_own(presented: Presented | None, smsid: str) -> None:
    """See that a device's token is shown by that device.

    Raises:
        IdentityMismatch: it is another device's.
    """
    if presented is None or presented.identity.kind is not Kind.SITE_TOKEN:
        return
    if presented.identity.device != smsid:
        raise IdentityMismatch(f"{smsid} came with the token of {presented.identity.device}")


_REFUSED: dict[str, type[SiteTokenRefused]] = {
    INVALID: SiteTokenWrong,
    EXPIRED: SiteTokenExpired,
    NOT_YET_VALID: SiteTokenExpired,
    INSUFFICIENT: EntraTokenRefused,
    NOT_ONBOARDED: EntraTokenRefused,
    NO_KEYS: EntraKeysUnavailable,
}


def _opens_messages(token: bytes, identity: Identity) -> bool:
    if identity.kind not in _SITE_KINDS:
        return True
    return read_claims(read_token(token)).category is Category.CLIENT
