"""Keep the newest document on disk, so that a gateway starts alone and never goes back."""

import fcntl
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from causeway.errors import StateError
from causeway.files import PRIVATE_FILE, read_state, write_atomically
from causeway.gateway_settings.document import GatewaySettings
from causeway.gateway_settings.errors import SettingsError, SettingsOlder
from causeway.gateway_settings.signing import verify


class SettingsStore:
    """The file with the newest signed document. Several workers share it."""

    def __init__(self, path: Path, key: Ed25519PublicKey) -> None:
        self.path = path
        self._key = key
        self.current: GatewaySettings | None = None
        self.signed = b""

    def load(self) -> GatewaySettings | None:
        """Take the document on disk, if there is one and it is newer than what is in memory.

        Raises:
            StateError: the file is corrupt or signed by another key.
        """
        if self.path.exists():
            signed = read_state(self.path, "the gateway settings")
            try:
                settings = verify(signed, self._key)
            except SettingsError as error:
                raise StateError(
                    f"{self.path}: corrupt gateway settings: {error}; remove it, a connection point brings them again"
                ) from error
            if self.current is None or settings.version > self.current.version:
                self.current, self.signed = settings, signed
        return self.current

    def offer(self, signed: bytes) -> GatewaySettings | None:
        """Take ``signed`` if it is newer; keep it on disk before it is in force. None where it is what we have already.

        Raises:
            SettingsSignatureWrong, SettingsInvalid: see ``verify``.
            SettingsOlder: its version is not above the one in force.
            StateError: it cannot be kept on disk, and so is not in force.
        """
        if signed == self.signed:
            return None
        settings = verify(signed, self._key)
        if self.current is not None and settings.version <= self.current.version:
            raise SettingsOlder(f"version {settings.version} was offered, version {self.current.version} is in force")
        self._keep(settings, signed)
        self.current, self.signed = settings, signed
        return settings

    def _keep(self, settings: GatewaySettings, signed: bytes) -> None:
        try:
            lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
        except OSError as error:
            raise StateError(f"{self.path}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another worker may have kept a newer one between our look and this lock.
            try:
                kept = verify(self.path.read_bytes(), self._key)
            except (OSError, SettingsError):
                kept = None
            if kept is None or kept.version < settings.version:
                write_atomically(self.path, signed)
        finally:
            os.close(lock)
