"""Verifies the tokens of all onboarded tenants; gateways and the site use the same code."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from causeway.gateway_settings.entra import EntraTenant
from causeway.identity.denial import Denied
from causeway.identity.entra.documents import TenantKeys
from causeway.identity.entra.steps import NO_KEYS, NOT_ONBOARDED, SKEW_S, STEPS, Case, KeyMissing
from causeway.identity.jwt import Token
from causeway.identity.verified import Verified

KeySource = Callable[[str], TenantKeys | None]
"""The keys of a tenant by its id, as they are now; None where there are none that may be used."""

_ISSUER = re.compile(r"https://[^/\s]+/([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?:/v2\.0|/)?")


def no_keys(_tenant_id: str) -> TenantKeys | None:
    """A source of keys that has none."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraVerified(Verified):
    """A token that is believed because ``tenant`` is set as it is: when that changes, this holds no longer."""

    tenant: EntraTenant


class EntraVerifier:
    """The tenants of one version of the settings."""

    def __init__(self, tenants: Iterable[EntraTenant], keys: KeySource) -> None:
        """Take ``tenants``, and the ``keys`` of them, which may change meanwhile."""
        self._tenants = {tenant.tenant_id: tenant for tenant in tenants}
        self._keys = keys

    def responsible(self, issuer: str) -> bool:
        """Whether ``issuer`` is a tenant of Entra ID, onboarded or not."""
        return _ISSUER.fullmatch(issuer) is not None

    def verify(self, token: Token, now: float) -> Verified:
        """Take the token through every step.

        Raises:
            KeyMissing: its key is not known now; it may be once the tenant's keys have been fetched again.
            Denied: it is not good.
        """
        case = self.case(token, now)
        for step in STEPS:
            step.check(case)
        return EntraVerified(
            case.identity,
            float(token.claims["exp"]) + SKEW_S,
            token.issuer,
            case.text("aud"),
            case.ring.verify(token, now),
            tenant=case.tenant,
        )

    def case(self, token: Token, now: float) -> Case:
        """What the steps look at.

        Raises:
            KeyMissing, Denied: the tenant is not onboarded, or its keys are not there.
        """
        tenant = self.tenant(token)
        keys = self._keys(tenant.tenant_id)
        if keys is None:
            raise KeyMissing(
                NO_KEYS,
                f"the signing keys of the tenant {tenant.label} could not be fetched from {tenant.issuing_url}",
                "The log says why; where a web proxy stands on the way, set proxy in [entra_keys].",
                tenant_id=tenant.tenant_id,
            )
        return Case(token, tenant, keys, now)

    def tenant(self, token: Token) -> EntraTenant:
        """The onboarded tenant whose token it says it is.

        Raises:
            Denied: it is not onboarded, or not enabled.
        """
        issuer = _ISSUER.fullmatch(token.issuer)
        tenant_id = issuer[1].lower() if issuer else ""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            raise Denied(
                NOT_ONBOARDED,
                f"the tenant {tenant_id} is not onboarded",
                "Add an [[entra_tenant]] table for it to the site's configuration, if its devices are to be believed.",
            )
        if not tenant.enabled:
            raise Denied(
                NOT_ONBOARDED, f"the tenant {tenant.label} is onboarded and not enabled", "Set enabled = true."
            )
        return tenant

    def still_holds(self, verified: Verified) -> bool:
        """Whether a token that was verified under other settings, or with older keys, would be now."""
        if not isinstance(verified, EntraVerified):
            return False
        tenant = self._tenants.get(verified.tenant.tenant_id)
        if tenant is None or tenant != verified.tenant:
            return False
        keys = self._keys(tenant.tenant_id)
        # While Entra ID is away for too long, what was verified holds until it expires; no new token is taken.
        return keys is None or any(verified.key in version.keys for version in keys.versions.values())
