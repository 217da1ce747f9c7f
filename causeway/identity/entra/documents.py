"""What a tenant publishes about its tokens: OpenID metadata and the key set. Bytes in, values out; no sockets.

Sources: OpenID Connect Discovery 1.0 (metadata), RFC 7517 and 7518 (keys), and Microsoft's claims reference for the
property ``issuer`` of a key, which binds the key to one issuer.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.errors import Cause, CausewayError
from causeway.gateway_settings import TokenAlgorithm, TokenKey
from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.jwt import MAX_RSA_BITS, MIN_RSA_BITS, KeyRing

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_KEYS = 100
_MAX_EXPONENT_BITS = 32
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,2048}")
_KID = re.compile(r"[\x21-\x7e]{1,200}")


class KeysUnusable(CausewayError):
    """A tenant's keys could not be had: unreachable, not trusted, or not what the documents' standards say."""

    cause = Cause.GATEWAY
    word = "EntraKeys"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is read of ``.well-known/openid-configuration``."""

    issuer: str
    keys_url: str


@dataclass(frozen=True, slots=True)
class VersionKeys:
    """One version's issuer, exactly as tokens name it, and its keys."""

    issuer: str
    keys: KeyRing


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """What verifying a tenant's tokens needs, by their version; and when (seconds since 1970) it was fetched.

    There is at least one version.
    """

    versions: Mapping[str, VersionKeys]
    fetched_at: float


def metadata_url(tenant: EntraTenant, version: TokenVersion) -> str:
    """Where the metadata of that version's tokens is."""
    path = "/v2.0" if version is TokenVersion.V2 else ""
    return f"{tenant.issuing_url}/{tenant.tenant_id}{path}/.well-known/openid-configuration"


def parse_metadata(body: bytes, tenant: EntraTenant) -> Metadata:
    """Read the metadata of ``tenant``.

    Raises:
        KeysUnusable: malformed, for another tenant, or its keys are on another server than the one that was asked.
    """
    document = _object(body, "the metadata")
    issuer, keys_url = document.get("issuer"), document.get("jwks_uri")
    if not isinstance(issuer, str) or not isinstance(keys_url, str) or max(len(issuer), len(keys_url)) > 2048:
        raise KeysUnusable("the metadata has no issuer or no jwks_uri")
    if tenant.tenant_id not in issuer.lower():
        raise KeysUnusable("the metadata's issuer is of another tenant")
    if not re.fullmatch(r"[\x21-\x7e]+", keys_url) or _origin(keys_url) != _origin(tenant.issuing_url):
        raise KeysUnusable("the metadata's jwks_uri leads to another server")
    return Metadata(issuer, keys_url)


def parse_keys(body: bytes, tenant: EntraTenant, issuer: str) -> VersionKeys:
    """Read a key set; keys of other kinds, for other uses or of other tenants are passed over.

    Raises:
        KeysUnusable: malformed, too many keys, or none that can be used.
    """
    entries = _object(body, "the key set").get("keys")
    if not isinstance(entries, list):
        raise KeysUnusable("the key set has no keys")
    if len(entries) > MAX_KEYS:
        raise KeysUnusable(f"the key set has {len(entries)} keys; the limit is {MAX_KEYS}")
    keys: dict[str, TokenKey] = {}
    for entry in entries:
        if isinstance(entry, dict) and _is_for(entry, tenant):
            kid, pem = entry.get("kid"), _rsa_key(entry)
            if isinstance(kid, str) and _KID.fullmatch(kid) and pem:
                keys[kid] = TokenKey(kid=kid, algorithm=TokenAlgorithm.RS256, public_key=pem)
    if not keys:
        raise KeysUnusable("the key set has no RSA key for signatures")
    return VersionKeys(issuer, KeyRing(keys.values()))


def _is_for(entry: Mapping[str, Any], tenant: EntraTenant) -> bool:
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return False
    bound_to = entry.get("issuer", tenant.tenant_id)
    return isinstance(bound_to, str) and tenant.tenant_id in bound_to.replace("{tenantid}", tenant.tenant_id).lower()


def _rsa_key(entry: Mapping[str, Any]) -> str:
    """The key in PEM form; empty where it is none, or of a size that is not safe."""
    try:
        modulus, exponent = _integer(entry.get("n")), _integer(entry.get("e"))
        if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or exponent.bit_length() > _MAX_EXPONENT_BITS:
            return ""
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    except ValueError:
        return ""


def _integer(text: object) -> int:
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _object(body: bytes, what: str) -> dict[str, Any]:
    if len(body) > MAX_DOCUMENT_BYTES:
        raise KeysUnusable(f"{what} has more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysUnusable(f"{what} is not JSON") from None
    if not isinstance(document, dict):
        raise KeysUnusable(f"{what} is not a JSON object")
    return document


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else None)
    except ValueError:
        return "", "", None
