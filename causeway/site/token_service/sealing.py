"""Private token keys lie in the database, which all servers of a site share, and whose backups travel.

So they are sealed with a key that never is in the database: it is derived from the key of the gateway settings, which
every server of the site has in a file of its own anyway.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"causeway token signing keys 1"
_NONCE_BYTES = 12


class Seal:
    """Seals and opens: AES-256-GCM (NIST SP 800-38D) under a key of HKDF-SHA256 (RFC 5869)."""

    def __init__(self, settings_key: Ed25519PrivateKey) -> None:
        secret = HKDF(hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(settings_key.private_bytes_raw())
        self._cipher = AESGCM(secret)

    def close(self, key_id: str, private_key: bytes) -> bytes:
        """``private_key``, readable again only together with the id that it is kept under."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, private_key, key_id.encode())

    def open(self, key_id: str, sealed: bytes) -> bytes | None:
        """What was sealed; None where that was done with another settings key, or the bytes were changed."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key_id.encode())
        except (InvalidTag, ValueError):
            return None
