"""What a device keeps between its contacts: identity, cookie, policies, times. A folder, for one process at a time."""

import fcntl
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from causeway.errors import StateError
from causeway.files import PRIVATE_FILE, make_private_folder, write_atomically
from causeway.messaging.errors import MessagingError
from causeway.messaging.policy import ClientSettings, parse_policy_body

_STATE_FILE = "state.json"
_LOCK_FILE = "lock"
_STRICT = ConfigDict(extra="forbid")


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class StoredPolicy:
    """A policy that was assigned. ``body`` is its document, or empty where the device does not fetch it.

    ``conditional`` policies hold under conditions that this device does not evaluate; they are kept and not applied.
    """

    assignment_id: str
    policy_id: str
    version: str
    hash_ex: str = ""
    category: str = ""
    conditional: bool = False
    body: str = ""


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class DeviceState:
    """Everything that survives a restart.

    ``identity`` is the SMSID, empty before the first registration; ``registered`` is whether the site said yes to it.
    ``fingerprint`` is of the registration certificate that the identity was given to. The four times are those of the
    last success, or None.
    """

    identity: str = ""
    registered: bool = False
    approval: str = ""
    fingerprint: str = ""
    site_code: str = ""
    server_cookie: str = ""
    policies: tuple[StoredPolicy, ...] = ()
    message_serial: int = 0
    registered_at: AwareDatetime | None = None
    policy_at: AwareDatetime | None = None
    heartbeat_at: AwareDatetime | None = None
    inventory_at: AwareDatetime | None = None

    def for_certificate(self, fingerprint: str) -> "DeviceState":
        """Return the state of a device with that registration certificate: with another one it starts over."""
        if self.fingerprint in {"", fingerprint}:
            return replace(self, fingerprint=fingerprint)
        return DeviceState(fingerprint=fingerprint, site_code=self.site_code)

    def client_settings(self) -> ClientSettings:
        """Return the settings that the policies carry, or the defaults. Of several the last one holds."""
        found = ClientSettings()
        for policy in self.policies:
            if policy.conditional or not policy.body:
                continue
            try:
                found = ClientSettings.from_body(parse_policy_body(policy.body.encode("utf-8"))) or found
            except MessagingError:
                # A policy of a kind that is not for us; its hash was checked when it came.
                continue
        return found


_ADAPTER = TypeAdapter(DeviceState)


@dataclass(slots=True)
class StateFolder:
    """The folder, held against other processes while it is open. Files in it are for their owner only."""

    path: Path
    _lock: int | None = None

    def __enter__(self) -> Self:
        """Make the folder if there is none, and take it.

        Raises:
            StateError: it cannot be made or written to, or another process has it.
        """
        make_private_folder(self.path)
        lock_file = self.path / _LOCK_FILE
        try:
            descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise StateError(f"{lock_file}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StateError(
                f"{self.path}: another process works with this device's state; stop it or choose another folder"
            ) from None
        self._lock = descriptor
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self) -> DeviceState:
        """Return the state, a new one when there is none.

        Raises:
            StateError: the file is damaged or unreadable; the message names it and what to do.
        """
        file = self.path / _STATE_FILE
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return DeviceState()
        except OSError as error:
            raise StateError(f"{file}: the device's state cannot be read: {error.strerror}") from None
        try:
            return _ADAPTER.validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole file"
            raise StateError(
                f"{file}: the device's state is damaged ({place}: {first['msg']}); restore it from a backup, or delete "
                "the file and register again"
            ) from None

    def save(self, state: DeviceState) -> None:
        """Write the state: whole, or not at all.

        Raises:
            StateError: the folder is full or not writable.
        """
        write_atomically(self.path / _STATE_FILE, _ADAPTER.dump_json(state, indent=2))
