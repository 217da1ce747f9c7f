"""The home of ``causeway up``: everything that the parts need, made once and picked up again.

::

    authority/         the site's certificate authority
    site/              site.toml, the database, the settings key
    gateway/           gateway.toml, the server certificate, the gateway settings
    connection-point/  connection-point.toml, its certificate
    devices/           a folder for each device: certificate and key, for those that have them, and state
    logs/              what each part writes
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from causeway.configuration.generated import keep_in_step
from causeway.device.access import Authentication
from causeway.device.config import DeviceConfig
from causeway.errors import OperatorError
from causeway.files import PRIVATE_FILE, make_private_folder
from causeway.pki.authority import Authority
from causeway.pki.authority_revocation import REVOCATION_LIST, keep_fresh
from causeway.pki.keys import load_private_key, new_p256_key, new_rsa_key
from causeway.pki.renewal import certificate_is_good
from causeway.pki.roles import Role
from causeway.site.setup import SitePaths
from causeway.site.setup import prepare as prepare_site

SITE_CODE = "PS1"
ROLE_ID = 72057594037927937
WORKERS = 2
# The devices in turn; the first has the certificate that `up` prints.
_KINDS = (Authentication.CERTIFICATE, Authentication.TOKEN)


@dataclass(frozen=True, slots=True)
class Ports:
    """One block of ports, so that one number says them all."""

    service: int

    @property
    def site(self) -> int:
        """The site's HTTPS port."""
        return self.service + 1

    @property
    def gateway_admin(self) -> int:
        """The gateway's health and metrics."""
        return self.service + 2

    @property
    def connection_point_admin(self) -> int:
        """The connection point's health and metrics."""
        return self.service + 3

    @property
    def site_admin(self) -> int:
        """The site's health and metrics."""
        return self.service + 4

    @property
    def tunnel(self) -> int:
        """The first worker's port for connection points; each further worker has the next one."""
        return self.service + 5

    @property
    def last(self) -> int:
        """The end of the block."""
        return self.tunnel + WORKERS - 1


@dataclass(frozen=True, slots=True)
class DevicePaths:
    """A device's folder, and how the device shows who it is: by the certificate there, or by tokens in its state."""

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
    def state(self) -> Path:
        """Where the reference client keeps its state."""
        return self.folder / "state"


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything is."""

    folder: Path
    name: str
    ports: Ports
    site: SitePaths
    devices: tuple[DevicePaths, ...]

    @property
    def authority(self) -> Path:
        """The authority's certificate, which devices trust."""
        return self.folder / "authority" / "ca.pem"

    @property
    def gateway_config(self) -> Path:
        """``gateway.toml``."""
        return self.folder / "gateway" / "gateway.toml"

    @property
    def connection_point_config(self) -> Path:
        """``connection-point.toml``."""
        return self.folder / "connection-point" / "connection-point.toml"

    @property
    def logs(self) -> Path:
        """A file for each part."""
        return self.folder / "logs"

    @property
    def service_url(self) -> str:
        """What devices connect to."""
        host = f"[{self.name}]" if ":" in self.name else self.name
        return f"https://{host}:{self.ports.service}"

    def device_config(self, device: DevicePaths, bulk_token: str | None) -> DeviceConfig:
        """What one of the devices is told; ``bulk_token`` lets those in that go by tokens."""
        by_certificate = device.authentication is Authentication.CERTIFICATE
        return DeviceConfig(
            url=self.management_point_url,
            state=device.state,
            ca=self.authority,
            certificate=device.certificate if by_certificate else None,
            key=device.key if by_certificate else None,
            name=device.name,
            bulk_token=None if by_certificate else bulk_token,
        )

    @property
    def management_point_url(self) -> str:
        """The management point behind the gateway, as devices with a certificate address it."""
        return f"{self.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}"


def hold(folder: Path) -> int:
    """Make the home and hold it: two systems on one home would take each other's state apart.

    Returns:
        a descriptor to keep open for as long as the home is held.

    Raises:
        OperatorError: it cannot be made or written to, or another ``causeway up`` holds it.
    """
    make_private_folder(folder)
    try:
        descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OperatorError(
            f"{folder}: another `causeway up` runs on this home; stop it or choose another --home"
        ) from error
    except OSError as error:
        raise OperatorError(f"{folder}: not writable: {error.strerror}; choose another --home") from error
    return descriptor


def prepare(folder: Path, *, name: str, address: str, ports: Ports, devices: int) -> Home:
    """Lay the home out, or bring the one there up to date.

    Args:
        folder: a held home.
        name: the DNS name or IP address by which devices reach the gateway.
        address: the IP address that the gateway listens on; everything else stays on loopback.
        ports: the block of ports.
        devices: how many devices there are; the kinds of identity are spread over them.

    Raises:
        OperatorError: something there is corrupt or cannot be written; the message names it.
    """
    authority_folder = folder / "authority"
    if (authority_folder / "ca.pem").exists() or (authority_folder / "ca.key").exists():
        authority = Authority.open(authority_folder)
    else:
        authority = Authority.create(authority_folder, f"Causeway site {SITE_CODE} authority")
    keep_fresh(authority_folder, authority)
    site = prepare_site(
        folder / "site",
        authority,
        site_code=SITE_CODE,
        names=["localhost", "127.0.0.1"],
        address="127.0.0.1",
        port=ports.site,
        admin_port=ports.site_admin,
        service_name=name,
        revocation_list=authority_folder / REVOCATION_LIST,
    )
    home = Home(
        folder, name, ports, site, tuple(_device(folder, authority, number) for number in range(1, devices + 1))
    )
    make_private_folder(home.logs)
    _prepare_gateway(home, authority, address)
    _prepare_connection_point(home, authority)
    return home


def _prepare_gateway(home: Home, authority: Authority, address: str) -> None:
    folder = home.gateway_config.parent
    make_private_folder(folder)
    names = list(dict.fromkeys([home.name, "localhost", "127.0.0.1"]))
    if not _pair_is_good(folder / "server.pem", folder / "server.key", authority, names):
        issued = authority.issue_server(names, new_p256_key(), Role.GATEWAY)
        issued.write(folder / "server.pem", folder / "server.key")
    keep_in_step(
        home.gateway_config,
        "`causeway gateway run --print-default` shows every setting.",
        {
            "": {"name": "gateway", "workers": WORKERS, "site_key": str(home.site.settings_public_key)},
            "service": {
                "address": address,
                "port": home.ports.service,
                "certificate": "server.pem",
                "key": "server.key",
            },
            "tunnel": {"address": "127.0.0.1", "port": home.ports.tunnel, "authority": str(home.authority)},
            "admin": {"port": home.ports.gateway_admin},
        },
    )


def _prepare_connection_point(home: Home, authority: Authority) -> None:
    folder = home.connection_point_config.parent
    make_private_folder(folder)
    certificate, key = folder / "connection-point.pem", folder / "connection-point.key"
    if not _pair_is_good(certificate, key, authority, ["connection-point"]):
        authority.issue_client("connection-point", new_p256_key(), Role.CONNECTION_POINT).write(certificate, key)
    shown = {"authority": str(home.authority), "certificate": certificate.name, "key": key.name}
    keep_in_step(
        home.connection_point_config,
        "`causeway connection-point run --print-default` shows every setting.",
        {
            "": {"name": "connection-point"},
            "site": {
                "url": f"https://localhost:{home.ports.site}",
                "authority": str(home.authority),
                "key": str(home.site.settings_public_key),
            },
            "identity": {"certificate": certificate.name, "key": key.name},
            "gateway": [{"address": f"localhost:{home.ports.tunnel}", "authority": str(home.authority)}],
            "site_systems": shown,
            "admin": {"port": home.ports.connection_point_admin},
        },
    )


def _device(folder: Path, authority: Authority, number: int) -> DevicePaths:
    name = f"device-{number}"
    kind = _KINDS[(number - 1) % len(_KINDS)]
    paths = DevicePaths(name, folder / "devices" / name, kind)
    if paths.certificate.exists():
        # In homes made before some devices went by tokens: a device stays the one that it is.
        paths = replace(paths, authentication=Authentication.CERTIFICATE)
    make_private_folder(paths.folder)
    if paths.authentication is Authentication.CERTIFICATE and not _pair_is_good(
        paths.certificate, paths.key, authority, [name]
    ):
        # RSA, since Configuration Manager's message signatures are made with the same key.
        authority.issue_client(name, new_rsa_key(), Role.DEVICE).write(paths.certificate, paths.key)
    return paths


def _pair_is_good(certificate: Path, key: Path, authority: Authority, names: Sequence[str]) -> bool:
    if not certificate_is_good(certificate, authority, names):
        return False
    load_private_key(key)  # says so where it is corrupt
    return True
