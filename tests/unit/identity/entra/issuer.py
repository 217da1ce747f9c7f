"""A tenant, its documents and its tokens, made in memory."""

import base64
import json
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.entra.documents import TenantKeys, parse_keys

TENANT_ID = "11111111-2222-4333-8444-555555555555"
AUDIENCE = "api://causeway.example/mp"
APP = "c11e0000-0000-4000-8000-000000000001"
ISSUERS = {
    TokenVersion.V1: f"https://sts.windows.net/{TENANT_ID}/",
    TokenVersion.V2: f"https://login.microsoftonline.com/{TENANT_ID}/v2.0",
}
KID = "key-1"


@cache
def key(number: int = 1) -> rsa.RSAPrivateKey:
    """A key of the issuer, by number; 0 is somebody else's."""
    assert number >= 0
    return rsa.generate_private_key(65537, 2048)


def tenant(**options: Any) -> EntraTenant:
    return EntraTenant(**{"tenant_id": TENANT_ID, "audiences": (AUDIENCE,), "client_app_ids": (APP,), **options})


def jwk(kid: str = KID, number: int = 1, **fields: Any) -> dict[str, Any]:
    numbers = key(number).public_key().public_numbers()

    def text(value: int) -> str:
        return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()

    return {"kty": "RSA", "use": "sig", "kid": kid, "n": text(numbers.n), "e": text(numbers.e), **fields}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys or (jwk(),)}).encode()


def published(*keys: dict[str, Any]) -> TenantKeys:
    """What the tenant publishes now, the same keys for both versions."""
    document = key_set(*keys)
    return TenantKeys(
        {str(version): parse_keys(document, tenant(), issuer) for version, issuer in ISSUERS.items()}, time.time()
    )


def token(
    version: TokenVersion = TokenVersion.V1, *, number: int = 1, header: dict[str, Any] | None = None, **claims: Any
) -> bytes:
    """A device's token with ``claims`` set, or left out where they are None."""
    now = int(time.time())
    payload = {
        "iss": ISSUERS[version],
        "aud": AUDIENCE,
        "tid": TENANT_ID,
        "ver": str(version),
        "appid" if version is TokenVersion.V1 else "azp": APP,
        "deviceid": "DE71CE00-0000-4000-8000-000000000001",
        "nbf": now - 10,
        "exp": now + 3600,
        **claims,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    signed = b".".join(
        part(document) for document in ({"typ": "JWT", "alg": "RS256", "kid": KID, **(header or {})}, payload)
    )
    return signed + b"." + encoded(key(number).sign(signed, padding.PKCS1v15(), SHA256()))


def part(document: dict[str, Any]) -> bytes:
    return encoded(json.dumps({name: value for name, value in document.items() if value is not None}).encode())


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def user_token(version: TokenVersion = TokenVersion.V1, **claims: Any) -> bytes:
    """A user's token."""
    return token(
        version, **{"scp": "openid user_impersonation", "oid": "0B1D0000-0000-4000-8000-000000000001", **claims}
    )
