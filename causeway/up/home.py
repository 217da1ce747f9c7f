"""The home of ``causeway up``: everything that the parts need, made once and picked up again.

::

    authority/         the site's certificate authority
    site/              site.toml, the database, the settings key
    gateway/           gateway.toml, the server certificate, the gateway settings
    connection-point/  connection-point.toml, its certificate
    fake-tenant/       the key and the certificate of the fake Entra tenant, where a device is of it
    devices/           a folder for each device: what it shows who it is by, and its state
    logs/              what each part writes
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from causeway.configuration.generated import keep_in_step
from causeway.device.access import Authentication
from causeway.device.config import DeviceConfig
from causeway.device.entra import EntraTokenSource
from causeway.errors import OperatorError
from causeway.files import PRIVATE_FILE, make_private_folder
from causeway.pki.authority import Authority
from causeway.pki.authority_revocation import REVOCATION_LIST, keep_fresh
from causeway.pki.keys import load_private_key, new_p256_key
from causeway.pki.renewal import certificate_is_good
from causeway.pki.roles import Role
from causeway.site.setup import SitePaths
from causeway.site.setup import prepare as prepare_site
from causeway.up.devices import DevicePaths, prepare_device
from causeway.up.fake_tenant import EntraDevice, FakeTenant

SITE_CODE = "PS1"
ROLE_ID = 72057594037927937
_TENANT_FOLDER = "fake-tenant"
WORKERS = 2


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
    def fake_tenant(self) -> int:
        """The fake Entra tenant's HTTPS port."""
        return self.tunnel + WORKERS

    @property
    def last(self) -> int:
        """The end of the block."""
        return self.fake_tenant


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything is; ``tenant`` is there where a device is of it."""

    folder: Path
    name: str
    ports: Ports
    site: SitePaths
    devices: tuple[DevicePaths, ...]
    tenant: FakeTenant | None

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

    @property
    def tenant_pair(self) -> tuple[Path, Path]:
        """The fake tenant's TLS certificate and key, PEM."""
        folder = self.folder / _TENANT_FOLDER
        return folder / "server.pem", folder / "server.key"

    def device_config(self, device: DevicePaths, bulk_token: str | None) -> DeviceConfig:
        """What one of the devices is told; ``bulk_token`` lets those in that go by tokens of the site alone."""
        kind = device.authentication
        by_certificate = kind is Authentication.CERTIFICATE
        return DeviceConfig(
            url=self.management_point_url,
            state=device.state,
            ca=self.authority,
            certificate=device.certificate if by_certificate else None,
            key=device.key if by_certificate else None,
            name=device.name,
            bulk_token=bulk_token if kind is Authentication.TOKEN else None,
            entra_token=EntraTokenSource(file=device.entra_token) if kind is Authentication.ENTRA else None,
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
    laid_out = tuple(prepare_device(folder / "devices", authority, number) for number in range(1, devices + 1))
    tenant = _tenant(folder, ports, laid_out)
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
        entra_tenants=() if tenant is None else [tenant.table(authority_folder / "ca.pem")],
    )
    home = Home(folder, name, ports, site, laid_out, tenant)
    make_private_folder(home.logs)
    if tenant is not None:
        _issue_server(*home.tenant_pair, authority, ["localhost", "127.0.0.1"], Role.FAKE_TENANT)
    _prepare_gateway(home, authority, address)
    _prepare_connection_point(home, authority)
    return home


def _prepare_gateway(home: Home, authority: Authority, address: str) -> None:
    folder = home.gateway_config.parent
    make_private_folder(folder)
    names = list(dict.fromkeys([home.name, "localhost", "127.0.0.1"]))
    _issue_server(folder / "server.pem", folder / "server.key", authority, names, Role.GATEWAY)
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


def _tenant(folder: Path, ports: Ports, devices: Sequence[DevicePaths]) -> FakeTenant | None:
    entra = [EntraDevice.kept(one.entra_device) for one in devices if one.authentication is Authentication.ENTRA]
    if not entra:
        # It would let in whoever has its key, so that it is trusted only where it is needed.
        return None
    make_private_folder(folder / _TENANT_FOLDER)
    return FakeTenant.kept(
        folder / _TENANT_FOLDER / "signing.key",
        f"https://localhost:{ports.fake_tenant}",
        {str(one.device_id): one for one in entra},
    )


def _issue_server(certificate: Path, key: Path, authority: Authority, names: Sequence[str], role: Role) -> None:
    if not _pair_is_good(certificate, key, authority, names):
        authority.issue_server(names, new_p256_key(), role).write(certificate, key)


def _pair_is_good(certificate: Path, key: Path, authority: Authority, names: Sequence[str]) -> bool:
    if not certificate_is_good(certificate, authority, names):
        return False
    load_private_key(key)  # says so where it is corrupt
    return True
