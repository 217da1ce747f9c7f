"""The gateway settings: what the site publishes, connection points carry, and gateways obey."""

from causeway.gateway_settings.document import (
    Authentication,
    Endpoint,
    GatewaySettings,
    SiteTokens,
    TokenAlgorithm,
    TokenHeader,
    TokenKey,
)
from causeway.gateway_settings.errors import SettingsError, SettingsInvalid, SettingsOlder, SettingsSignatureWrong
from causeway.gateway_settings.signing import sign, verify
from causeway.gateway_settings.store import SettingsStore

__all__ = [
    "Authentication",
    "Endpoint",
    "GatewaySettings",
    "SettingsError",
    "SettingsInvalid",
    "SettingsOlder",
    "SettingsSignatureWrong",
    "SettingsStore",
    "SiteTokens",
    "TokenAlgorithm",
    "TokenHeader",
    "TokenKey",
    "sign",
    "verify",
]
