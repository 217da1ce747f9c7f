"""Keys and tokens for tests, good ones and such as only an attacker makes."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.gateway_settings import SiteTokens, TokenAlgorithm, TokenKey
from causeway.identity.site_token import SiteTokenClaims, TokenType, sign

NOW = 1_800_000_000
ISSUER = "urn:sccm:oauth2:0d3b5f6e-8b3a-4d43-9d5d-3b1d1a5f2c11"
SMS_ID = "GUID:0A1B2C3D-0000-4000-8000-00000000000A"
THUMBPRINT = "ab" * 32

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def token_key(kid: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **changes: Any) -> TokenKey:
    algorithm = TokenAlgorithm.RS256 if isinstance(private, rsa.RSAPrivateKey) else TokenAlgorithm.ES256
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return TokenKey(**{"kid": kid, "algorithm": algorithm, "public_key": pem, **changes})


SETTINGS = SiteTokens(issuer=ISSUER, keys=(token_key("rsa", RSA_KEY), token_key("ec", EC_KEY)))


def device_claims(**changes: Any) -> SiteTokenClaims:
    return SiteTokenClaims(
        **{
            "type": TokenType.DEVICE,
            "unique_id": "11111111-2222-3333-4444-555555555555",
            "issuer": ISSUER,
            "not_before": NOW - 60,
            "expires": NOW + 8 * 3600,
            "sms_id": SMS_ID,
            "thumbprint": THUMBPRINT,
            "name": "PC1",
            **changes,
        }
    )


def bulk_claims(**changes: Any) -> SiteTokenClaims:
    return device_claims(
        **{
            "type": TokenType.BULK_REGISTRATION,
            "sms_id": "",
            "thumbprint": "",
            "name": "",
            "tenant_id": "h1",
            **changes,
        }
    )


def device_token(**changes: Any) -> bytes:
    return sign(device_claims(**changes), "rsa", RSA_KEY).encode()


def part(value: object) -> bytes:
    """One part of a compact JWS: JSON of ``value``, or bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def compact(header: object, claims: object, signature: bytes = b"x" * 256) -> bytes:
    return b".".join(map(part, (header, claims, signature)))
