"""Sign and verify the document: a JSON Web Signature (RFC 7515) with Ed25519 (RFC 8037), in compact form."""

import dataclasses
import json

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES, GatewaySettings
from causeway.gateway_settings.errors import SettingsInvalid, SettingsSignatureWrong

_TYPE = "causeway-gateway-settings"
_ALGORITHM = "EdDSA"
_ADAPTER = TypeAdapter(GatewaySettings)


def sign(settings: GatewaySettings, key: Ed25519PrivateKey) -> bytes:
    """The document as a compact JWS: three base64url parts with dots between them."""
    payload = json.dumps(dataclasses.asdict(settings), separators=(",", ":"), sort_keys=True).encode()
    return jwt.PyJWS().encode(payload, key, algorithm=_ALGORITHM, headers={"typ": _TYPE}).encode()


def verify(signed: bytes, key: Ed25519PublicKey) -> GatewaySettings:
    """The document, if ``key`` signed it and this version understands it.

    Raises:
        SettingsSignatureWrong: not a JWS, of another type or algorithm, or signed by another key.
        SettingsInvalid: the signature holds but the content does not fit.
    """
    if len(signed) > MAX_DOCUMENT_BYTES:
        raise SettingsInvalid(f"the document has {len(signed)} bytes; the limit is {MAX_DOCUMENT_BYTES}")
    try:
        decoded = jwt.PyJWS().decode_complete(signed, key, algorithms=[_ALGORITHM])
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SettingsSignatureWrong("the document is not signed by the pinned site key") from error
    if decoded["header"].get("typ") != _TYPE:
        raise SettingsSignatureWrong("the document is signed, but as something else")
    try:
        return _ADAPTER.validate_json(decoded["payload"])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsInvalid(f"{where}: {first['msg']}") from error
