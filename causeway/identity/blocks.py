"""What is blocked, in the form in which each decision asks for it."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from causeway.gateway_settings import GatewaySettings
from causeway.identity.denial import Denial
from causeway.identity.identity import Identity, Kind

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Blocks:
    """Everything that one version of the settings blocks; all but fingerprints in lower case."""

    certificates: frozenset[str] = _NOTHING
    devices: frozenset[str] = _NOTHING
    names: frozenset[str] = _NOTHING
    tokens: frozenset[str] = _NOTHING
    tenants: frozenset[str] = _NOTHING

    @classmethod
    def of(cls, settings: GatewaySettings) -> "Blocks":
        """Those of ``settings``."""
        return cls(
            frozenset(settings.blocked_certificates),
            _lower(settings.blocked_devices),
            _lower(settings.blocked_names),
            _lower(settings.blocked_tokens),
            _lower(settings.blocked_tenants),
        )

    def denial(
        self, identity: Identity, names: Set[str] = _NOTHING, digest: str = "", fingerprints: Set[str] = _NOTHING
    ) -> Denial | None:
        """Why ``identity`` is refused; None where nothing blocks it.

        Args:
            identity: who the client is.
            names: in lower case, what the client's certificate calls it.
            digest: SHA-256 of the client's token.
            fingerprints: of the client's certificate and its twins; by default only what the identity says.
        """
        if self.certificates and (blocked := self.certificates & (fingerprints or {identity.fingerprint})):
            return Denial(
                "CMGService_ClientCertificateBlocked"
                if identity.kind is Kind.CERTIFICATE
                else "CMGService_DeviceBlocked",
                f"certificate {min(blocked)} is blocked",
                "causeway site certificates list says whether it or its device is blocked; causeway site certificates "
                "unblock, or causeway site devices unblock, lets it in again.",
            )
        if self.tokens and (identity.token in self.tokens or digest in self.tokens):
            return Denial(
                "CMGService_TokenBlocked",
                f"token {identity.token or digest} is blocked",
                "causeway token unblock, or causeway site blocks remove token, lets it in again; or give the device a "
                "new one.",
            )
        if self.devices and identity.device.lower() in self.devices:
            return Denial(
                "CMGService_DeviceBlocked",
                f"device {identity.device} is blocked",
                "causeway site devices unblock, or causeway site blocks remove, lets it in again.",
            )
        if self.names and (blocked := self.names & (names or {identity.subject.lower()})):
            return Denial(
                "CMGService_DeviceBlocked",
                f"the name {min(blocked)} is blocked",
                "causeway site blocks remove name lets it in again.",
            )
        if self.tenants and identity.tenant.lower() in self.tenants:
            return Denial(
                "CMGService_TenantBlocked",
                f"tenant {identity.tenant} is blocked",
                "causeway site blocks remove tenant lets it in again.",
            )
        return None


def _lower(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value.lower() for value in values)
