"""A fake tenant of Entra ID for ``causeway up``: what it publishes, and the tokens that it signs. No sockets.

It is a fake. Its documents, keys and signatures are real OpenID ones, and its tokens have the form of Entra ID's access
tokens of version 1.0 for a device; a gateway verifies them as it does Entra ID's. But it is no Entra ID: it has no
users, no groups, no consent, no conditional access and no sign-in; it signs for no application but one; a device proves
itself by a secret in its folder and not by keys in hardware; no device is ever disabled in it; and what its tokens say
beyond what is verified is invented.
"""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from causeway.errors import StateError
from causeway.files import read_state, write_atomically
from causeway.pki.keys import load_private_key, new_rsa_key, private_pem

NAME = "Fake tenant of causeway up"
CLIENT_APP_ID = "fa4e0000-0000-4000-8000-000000000001"
TOKEN_LIFETIME_S = 3600
_VERSION = "1.0"
_STRICT = ConfigDict(extra="forbid")


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class EntraDevice:
    """A device as the fake tenant knows it: its id there, and the secret that it is known by."""

    device_id: uuid.UUID
    secret: str = field(repr=False)

    @classmethod
    def kept(cls, path: Path) -> "EntraDevice":
        """The one in a file, which is made where it is missing.

        Raises:
            StateError: the file is damaged or cannot be written.
        """
        if not path.exists():
            made = cls(uuid.uuid4(), secrets.token_urlsafe(32))
            write_atomically(path, TypeAdapter(cls).dump_json(made))
        try:
            return TypeAdapter(cls).validate_json(read_state(path, "the device's identity at the fake tenant"))
        except ValidationError:
            raise StateError(f"{path}: damaged; remove the device's folder, and it begins anew") from None


class Unknown(Exception):
    """Nobody who gets a token: another application or resource, a device that is not known, or a wrong secret."""


@dataclass(frozen=True, slots=True)
class FakeTenant:
    """One tenant: its signing key, and the devices in it.

    Attributes:
        origin: ``https://host:port``, where it listens.
        key: signs its tokens.
        devices: those that get tokens, by their id.
    """

    origin: str
    key: rsa.RSAPrivateKey = field(repr=False)
    devices: Mapping[str, EntraDevice]

    @classmethod
    def kept(cls, key_file: Path, origin: str, devices: Mapping[str, EntraDevice]) -> "FakeTenant":
        """The tenant whose key is in a file, which is made where it is missing.

        Raises:
            StateError: the file is damaged or cannot be written.
        """
        if not key_file.exists():
            write_atomically(key_file, private_pem(new_rsa_key()))
        key = load_private_key(key_file)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise StateError(f"{key_file}: not an RSA key; remove it, and the fake tenant begins anew")
        return cls(origin, key, devices)

    @property
    def tenant_id(self) -> str:
        """Its id, which follows from its key, so that one file keeps both."""
        return str(uuid.UUID(bytes=hashlib.sha256(self._public_der).digest()[:16], version=4))

    @property
    def audience(self) -> str:
        """The App ID URI that its tokens are for."""
        return f"api://{self.tenant_id}/causeway"

    @property
    def issuer(self) -> str:
        """What its tokens say in ``iss``, in the form of version 1.0."""
        return f"{self.origin}/{self.tenant_id}/"

    @property
    def metadata_path(self) -> str:
        """Where its metadata is."""
        return f"/{self.tenant_id}/.well-known/openid-configuration"

    @property
    def keys_path(self) -> str:
        """Where its keys are."""
        return f"/{self.tenant_id}/discovery/keys"

    @property
    def token_path(self) -> str:
        """Where it gives out tokens."""
        return f"/{self.tenant_id}/oauth2/token"

    def table(self, authority: Path) -> dict[str, object]:
        """The tenant as the site's configuration says it; ``authority`` is what its TLS certificate leads to."""
        return {
            "tenant_id": self.tenant_id,
            "name": NAME,
            "versions": [_VERSION],
            "audiences": [self.audience],
            "client_app_ids": [CLIENT_APP_ID],
            "accept": ["device"],
            "authority": self.origin,
            "authority_file": str(authority),
        }

    def metadata(self) -> bytes:
        """OpenID Connect Discovery 1.0, as far as verifying tokens and getting them needs it."""
        return _json(
            {
                "issuer": self.issuer,
                "jwks_uri": self.origin + self.keys_path,
                "token_endpoint": self.origin + self.token_path,
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def key_set(self) -> bytes:
        """Its key (RFC 7517)."""
        key = {**RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": self._key_id, "use": "sig"}
        return _json({"keys": [{name: value for name, value in key.items() if name != "key_ops"}]})

    def token(self, asked: Mapping[str, str], now: int) -> bytes:
        """The answer to a request for a token (RFC 6749, 5.1) at ``now``, in seconds since 1970.

        Args:
            asked: the fields ``client_id``, ``resource``, ``device_id`` and ``device_secret``.
            now: the time.

        Raises:
            Unknown: it gets none.
        """
        device = self.devices.get(asked.get("device_id", ""))
        shown = asked.get("device_secret", "").encode()
        if (
            device is None
            or not hmac.compare_digest(device.secret.encode(), shown)
            or (asked.get("client_id"), asked.get("resource")) != (CLIENT_APP_ID, self.audience)
        ):
            raise Unknown
        claims = {
            "aud": self.audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_LIFETIME_S,
            "appid": CLIENT_APP_ID,
            "deviceid": str(device.device_id),
            "tid": self.tenant_id,
            "uti": secrets.token_urlsafe(16),
            "ver": _VERSION,
        }
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self._key_id})
        return _json({"token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S, "access_token": token})

    @property
    def _key_id(self) -> str:
        return hashlib.sha256(self._public_der).hexdigest()[:32]

    @property
    def _public_der(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
