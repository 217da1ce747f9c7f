"""Certificates of the benchmark: one authority, kept in the cache, and what it issues."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.pki.authority import Authority
from causeway.pki.keys import load_private_key, new_p256_key, new_rsa_key, new_signing_key
from causeway.pki.roles import Role

_NAMES = ("localhost", "127.0.0.1")
_KEEP = dt.timedelta(days=180)
_LAYOUT = "2"


class ServerKey(StrEnum):
    """The key of the server certificate that devices see."""

    RSA = "rsa"
    P256 = "p256"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate, its key, and both in one file, as HAProxy wants them."""

    certificate: Path
    key: Path
    both: Path


class Certificates:
    """Everything that was issued.

    Devices have RSA keys, since Configuration Manager's message signatures need them; the authority's key is RSA, since
    that is what Causeway's own authority has and an enterprise's mostly is.
    """

    def __init__(self, folder: Path) -> None:
        """Take what is in ``folder``, or make it."""
        self.folder = folder
        self._authority = self._open()

    def _open(self) -> Authority:
        stamp = self.folder / "layout"
        if stamp.exists() and stamp.read_text() == _LAYOUT:
            authority = Authority.open(self.folder)
            age = dt.datetime.now(dt.UTC) - authority.certificate.not_valid_before_utc
            if age < _KEEP:
                return authority
        shutil.rmtree(self.folder, ignore_errors=True)
        authority = Authority.create(self.folder, "Causeway benchmark authority")
        new_signing_key(self.folder / "settings.key", self.folder / "settings.pub.pem")
        stamp.write_text(_LAYOUT)
        return authority

    @property
    def authority(self) -> Path:
        """The root, PEM."""
        return self.folder / "ca.pem"

    @property
    def settings_key(self) -> Path:
        """The private key that signs gateway settings."""
        return self.folder / "settings.key"

    @property
    def settings_public_key(self) -> Path:
        """Its public half."""
        return self.folder / "settings.pub.pem"

    def server(self, kind: ServerKey) -> Pair:
        """What devices see, and connectors too."""

        def make(certificate: Path, key: Path) -> None:
            new = new_rsa_key() if kind is ServerKey.RSA else new_p256_key()
            self._authority.issue_server(_NAMES, new, Role.GATEWAY).write(certificate, key)

        return self._pair(f"server-{kind}", make)

    @property
    def connector(self) -> Pair:
        """What a connector shows at the edge."""

        def make(certificate: Path, key: Path) -> None:
            self._authority.issue_client("connector", new_p256_key(), Role.CONNECTION_POINT).write(certificate, key)

        return self._pair("connector", make)

    @property
    def device(self) -> Pair:
        """What a device shows."""

        def make(certificate: Path, key: Path) -> None:
            self._authority.issue_client("device", new_rsa_key(), Role.DEVICE).write(certificate, key)

        return self._pair("device", make)

    def devices(self, count: int) -> Path:
        """A file with the certificates of ``count`` devices, each another one, all for the key of ``device``."""
        path = self.folder / f"devices-{count}.pem"
        if not path.exists():
            key = load_private_key(self.device.key)
            aside = path.with_suffix(".part")
            with aside.open("wb") as file:
                for number in range(count):
                    issued = self._authority.issue_client(f"device-{number}", key, Role.DEVICE)  # type: ignore[arg-type]
                    file.write(issued.certificate_pem)
            aside.replace(path)
        return path

    def _pair(self, name: str, make: Callable[[Path, Path], None]) -> Pair:
        certificate, key, both = (self.folder / f"{name}.{end}" for end in ("pem", "key", "both.pem"))
        if not both.exists():
            make(certificate, key)
            both.touch(mode=0o600)
            both.write_bytes(certificate.read_bytes() + key.read_bytes())
        return Pair(certificate, key, both)


def describe(path: Path) -> str:
    """The size of a certificate, for the method's description."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return f"{len(certificate.public_bytes(Encoding.DER))} bytes"
