"""The simulated devices' folders, and how each of them shows who it is."""

from dataclasses import dataclass
from pathlib import Path

from causeway.device.access import Authentication
from causeway.files import make_private_folder
from causeway.pki.authority import Authority
from causeway.pki.keys import load_private_key, new_rsa_key
from causeway.pki.renewal import certificate_is_good
from causeway.pki.roles import Role
from causeway.up.fake_tenant import EntraDevice

# The devices in turn; the first has the certificate that `up` prints.
_KINDS = (Authentication.CERTIFICATE, Authentication.TOKEN, Authentication.ENTRA)


@dataclass(frozen=True, slots=True)
class DevicePaths:
    """A device's folder, and how the device shows who it is: by what lies there, or by tokens in its state."""

    name: str
    folder: Path
    authentication: Authentication

    @property
    def certificate(self) -> Path:
        """Its client certificate, PEM."""
        return self.folder / "device.pem"

    @property
    def key(self) -> Path:
        """Its private key, PEM."""
        return self.folder / "device.key"

    @property
    def entra_device(self) -> Path:
        """What it is to the fake tenant, and by which secret it is known there."""
        return self.folder / "entra-device.json"

    @property
    def entra_token(self) -> Path:
        """Its newest token of the fake tenant, as a broker would keep it."""
        return self.folder / "entra-token"

    @property
    def state(self) -> Path:
        """Where the reference client keeps its state."""
        return self.folder / "state"


def prepare_device(folder: Path, authority: Authority, number: int) -> DevicePaths:
    """Lay out the device of that number (from 1) below ``folder``, or pick it up: it stays of the kind that it is.

    Raises:
        StateError: something there is corrupt or cannot be written; the message names it.
    """
    name = f"device-{number}"
    paths = DevicePaths(name, folder / name, _kind(folder / name, number))
    make_private_folder(paths.folder)
    match paths.authentication:
        case Authentication.CERTIFICATE:
            _keep_certificate(paths, authority)
        case Authentication.ENTRA:
            EntraDevice.kept(paths.entra_device)
    return paths


def _kind(folder: Path, number: int) -> Authentication:
    """The kind of a device: what it began with, and where it has not begun, what its turn says."""
    paths = DevicePaths("", folder, Authentication.NONE)
    if paths.certificate.exists():
        return Authentication.CERTIFICATE
    if paths.entra_device.exists():
        return Authentication.ENTRA
    if paths.state.exists():
        return Authentication.TOKEN
    return _KINDS[(number - 1) % len(_KINDS)]


def _keep_certificate(paths: DevicePaths, authority: Authority) -> None:
    if certificate_is_good(paths.certificate, authority, [paths.name]):
        load_private_key(paths.key)  # says so where it is corrupt
        return
    # RSA, since Configuration Manager's message signatures are made with the same key.
    authority.issue_client(paths.name, new_rsa_key(), Role.DEVICE).write(paths.certificate, paths.key)
