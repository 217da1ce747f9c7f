"""Lay out a site in a folder: its certificate, its keys, its configuration file. What is there already is kept."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from causeway.configuration.generated import Table, keep_in_step
from causeway.errors import StateError
from causeway.files import make_private_folder, write_atomically
from causeway.pki.authority import Authority, Issued
from causeway.pki.keys import (
    load_signing_key,
    load_verification_key,
    new_p256_key,
    new_rsa_key,
    new_signing_key,
    private_pem,
)
from causeway.pki.renewal import certificate_is_good
from causeway.pki.roles import Role

_SIGNING_LIFETIME = datetime.timedelta(days=3650)
_CLOCK_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SitePaths:
    """Where things are."""

    folder: Path
    config: Path
    certificate: Path
    key: Path
    authority: Path
    signing_certificate: Path
    signing_key: Path
    settings_key: Path
    settings_public_key: Path
    database: Path

    @classmethod
    def within(cls, folder: Path) -> "SitePaths":
        """The places in a site's folder."""
        return cls(
            folder=folder,
            config=folder / "site.toml",
            certificate=folder / "site.pem",
            key=folder / "site.key",
            authority=folder / "authority.pem",
            signing_certificate=folder / "site-signing.pem",
            signing_key=folder / "site-signing.key",
            settings_key=folder / "settings.key",
            settings_public_key=folder / "settings.pub",
            database=folder / "site.db",
        )


def prepare(
    folder: Path,
    authority: Authority,
    *,
    site_code: str,
    names: Sequence[str],
    address: str,
    port: int,
    admin_port: int,
    service_name: str,
    revocation_list: Path | None = None,
    entra_tenants: Sequence[Mapping[str, object]] = (),
) -> SitePaths:
    """Lay out a site in ``folder``, or bring one there up to date; may be called any number of times.

    Keys are made once. The server certificate is renewed when it nears its end, and made anew when the names differ.
    The configuration file follows the arguments for as long as its first line says so.

    Args:
        folder: the site's own; made if it is not there.
        authority: issues the management point's certificate; its certificates are trusted, of devices too.
        site_code: three capital letters or digits.
        names: DNS names and IP addresses of the site's server; the first is the one that is told to others.
        address: the IP address to listen on.
        port: for HTTPS.
        admin_port: for health and metrics, on loopback.
        service_name: the gateway's DNS name, as devices use it.
        revocation_list: the file in which the authority keeps what it revoked.
        entra_tenants: tables of onboarded tenants.

    Raises:
        StateError: the folder cannot be written to, or a file in it is corrupt.
    """
    make_private_folder(folder)
    paths = SitePaths.within(folder)
    write_atomically(paths.authority, authority.pem, mode=0o644)
    _keep_settings_key(paths)
    if not paths.signing_certificate.exists():
        _self_signed(site_code).write(paths.signing_certificate, paths.signing_key)
    if not certificate_is_good(paths.certificate, authority, names):
        authority.issue_server(names, new_p256_key(), Role.SITE_SYSTEM).write(paths.certificate, paths.key)
    keep_in_step(
        paths.config,
        "`causeway site run --print-default` shows every setting.",
        _tables(
            site_code=site_code,
            names=names,
            address=address,
            port=port,
            admin_port=admin_port,
            service_name=service_name,
            revocation_list=revocation_list,
            entra_tenants=entra_tenants,
        ),
    )
    return paths


def _keep_settings_key(paths: SitePaths) -> None:
    if not paths.settings_key.exists():
        new_signing_key(paths.settings_key, paths.settings_public_key)
        return
    public = load_signing_key(paths.settings_key).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # The public half comes second: a kill in between leaves it out.
    if not paths.settings_public_key.exists():
        write_atomically(paths.settings_public_key, pem, mode=0o644)
    elif load_verification_key(paths.settings_public_key) != public:
        raise StateError(f"{paths.settings_public_key}: not the public half of {paths.settings_key.name}; remove it")


def _self_signed(site_code: str) -> Issued:
    key = new_rsa_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Causeway site {site_code} signing")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _SIGNING_LIFETIME)
        .sign(key, hashes.SHA256())
    )
    return Issued(certificate.public_bytes(Encoding.PEM), private_pem(key))


def _tables(
    *,
    site_code: str,
    names: Sequence[str],
    address: str,
    port: int,
    admin_port: int,
    service_name: str,
    revocation_list: Path | None,
    entra_tenants: Sequence[Mapping[str, object]],
) -> dict[str, Table | Sequence[Table]]:
    host = f"[{names[0]}]" if ":" in names[0] else names[0]
    return {
        "site": {
            "code": site_code,
            "signing_certificate": "site-signing.pem",
            "signing_key": "site-signing.key",
        },
        "database": {"url": "sqlite:///site.db"},
        "server": {
            "address": address,
            "port": port,
            "public_name": names[0],
            "certificate": "site.pem",
            "key": "site.key",
            "client_authority": "authority.pem",
        },
        "admin": {"port": admin_port},
        "management_point": {"trusted_roots": ["authority.pem"]},
        "gateway": {
            "service_name": service_name,
            "settings_key": "settings.key",
            "upstream": f"https://{host}:{port}",
            "trusted_roots": ["authority.pem"],
        },
        **({} if revocation_list is None else {"revocation": {"list_files": [str(revocation_list)]}}),
        **({"entra_tenant": entra_tenants} if entra_tenants else {}),
    }
