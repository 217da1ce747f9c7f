"""Authorities and certificates for the system tests, made with the product's own authority."""

import datetime as dt
import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from causeway.pki.authority import LEAF_LIFETIME, Authority
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def both(self) -> tuple[str, str]:
        """As ``ssl`` and ``requests`` want them."""
        return str(self.certificate), str(self.key)


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority in a folder, and what it issues there."""

    folder: Path
    authority: Authority

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    def server(self, *names: str, role: Role = Role.GATEWAY) -> Pair:
        """A server certificate; the first name is the file's."""
        pair = self._pair(f"server-{names[0]}")
        self.authority.issue_server(names, new_p256_key(), role).write(pair.certificate, pair.key)
        return pair

    def client(self, name: str, role: Role = Role.DEVICE, *, lifetime: dt.timedelta = LEAF_LIFETIME) -> Pair:
        """A client certificate; the same one for the same name."""
        pair = self._pair(name)
        if not pair.certificate.exists():
            issued = self.authority.issue_client(name, new_p256_key(), role, lifetime=lifetime)
            issued.write(pair.certificate, pair.key)
        return pair

    def expired(self, name: str) -> Pair:
        """A client certificate that ended yesterday."""
        return self.client(name, lifetime=dt.timedelta(days=-1))

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")


@functools.cache
def certificates(name: str) -> Certificates:
    """The authority called ``name``: made once a test process, since its RSA key takes a moment."""
    folder = Path(tempfile.mkdtemp(prefix=f"causeway-{name}-"))
    return Certificates(folder, Authority.create(folder, f"{name} authority"))
