"""All tokens that one version of the settings knows: each goes to the verifier of its issuer."""

from typing import Protocol

from causeway.gateway_settings import GatewaySettings
from causeway.identity.denial import INVALID, Denied
from causeway.identity.entra.verifier import EntraVerifier, KeySource, no_keys
from causeway.identity.jwt import Token, read_token
from causeway.identity.site_token import SiteTokenVerifier
from causeway.identity.verified import Verified


class Verifier(Protocol):
    """Verifies the tokens of one kind of issuer. Its methods are called in a thread and must not block for long."""

    def responsible(self, issuer: str) -> bool:
        """Whether tokens that say ``iss`` are its to verify."""

    def verify(self, token: Token, now: float) -> Verified:
        """The token's bearer.

        Raises:
            Denied: it is not good.
        """

    def still_holds(self, verified: Verified) -> bool:
        """Whether a token verified under earlier settings would be under these; asked on the event loop."""


class TokenVerifier:
    """The verifiers of one version of the settings."""

    def __init__(self, settings: GatewaySettings, entra_keys: KeySource = no_keys) -> None:
        """Take ``settings``, and the keys of Entra tenants, which are not in them."""
        self._verifiers: list[Verifier] = []
        if settings.site_tokens is not None:
            self._verifiers.append(SiteTokenVerifier(settings.site_tokens))
        self._verifiers.append(EntraVerifier(settings.entra_tenants, entra_keys))

    def verify(self, compact: bytes, now: float) -> Verified:
        """Who bears the token ``compact`` at ``now`` (seconds since 1970).

        Raises:
            Denied: it is not good.
        """
        token = read_token(compact)
        for verifier in self._verifiers:
            if verifier.responsible(token.issuer):
                return verifier.verify(token, now)
        raise Denied(
            INVALID,
            f"nobody knows its issuer {token.issuer[:200]!r}",
            "Onboard the Entra tenant, or send the device to the gateway of the site that issued its token.",
        )

    def still_holds(self, verified: Verified) -> bool:
        """Whether what was verified under earlier settings holds under these."""
        return any(
            verifier.responsible(verified.issuer) and verifier.still_holds(verified) for verifier in self._verifiers
        )
