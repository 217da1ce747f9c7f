"""A tenant's keys on disk: shared by the workers of an instance, and there when it starts while Entra ID is away."""

import asyncio
import base64
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from causeway.errors import StateError
from causeway.files import PRIVATE_FILE, make_private_folder, write_atomically
from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.entra.documents import KeysUnusable, TenantKeys, parse_keys
from causeway.identity.entra.fetch import Fetched

log = structlog.get_logger()

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file says: the keys, if any were ever had, and when they were last asked for (seconds since 1970)."""

    keys: TenantKeys | None
    attempted_at: float


def source_of(tenant: EntraTenant) -> str:
    """All that the keys of a tenant depend on, beside its id."""
    return f"{tenant.issuing_url}\n{tenant.authority_certificates}\n{','.join(sorted(tenant.versions))}"


class KeyFile:
    """The file of one tenant."""

    def __init__(self, folder: Path, tenant: EntraTenant) -> None:
        """Name the file by all that its keys depend on, so that changed settings do not meet another server's keys."""
        self._tenant = tenant
        digest = hashlib.sha256(source_of(tenant).encode()).hexdigest()[:16]
        self.path = folder / f"{tenant.tenant_id}-{digest}.json"

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no other process fetches this tenant's keys.

        Raises:
            StateError: the folder cannot be used.
        """
        lock = self._open_lock()
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    # The other one is bounded by the time allowed for a fetch, and its lock ends with its life.
                    await asyncio.sleep(_POLL_S)
            yield
        finally:
            os.close(lock)

    def _open_lock(self) -> int:
        try:
            make_private_folder(self.path.parent)
            return os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise StateError(f"{self.path}: cannot be written: {error.strerror}") from error

    def read(self) -> Kept:
        """What is kept; nothing where there is no file, or none that can be read, since it can be fetched again."""
        try:
            document = json.loads(self.path.read_bytes())
            versions = {
                str(TokenVersion(version)): parse_keys(
                    base64.b64decode(one["key_set"]), self._tenant, str(one["issuer"])
                )
                for version, one in document["versions"].items()
            }
            keys = TenantKeys(versions, float(document["fetched_at"])) if versions else None
            return Kept(keys, float(document["attempted_at"]))
        except FileNotFoundError:
            return Kept(None, 0.0)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, KeysUnusable) as error:
            log.warning("kept keys of an Entra tenant cannot be read", file=str(self.path), reason=str(error))
            return Kept(None, 0.0)

    def write(self, fetched: Mapping[TokenVersion, Fetched], *, fetched_at: float, attempted_at: float) -> None:
        """Keep what was fetched; with nothing in ``fetched``, note the attempt beside the keys that are there.

        Raises:
            StateError: it cannot be written.
        """
        versions: object = {
            version.value: {"issuer": one.issuer, "key_set": base64.b64encode(one.key_set).decode("ascii")}
            for version, one in fetched.items()
        }
        document = {"attempted_at": attempted_at, "fetched_at": fetched_at, "versions": versions}
        if not fetched:
            with contextlib.suppress(OSError, ValueError):
                document = {**json.loads(self.path.read_bytes()), "attempted_at": attempted_at}
        write_atomically(self.path, json.dumps(document).encode())
