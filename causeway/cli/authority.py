"""``causeway authority``: the site's own certificate authority, for those who have none."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.addresses import certificate_name
from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.output import stdout
from causeway.errors import OperatorError
from causeway.files import make_private_folder
from causeway.pki.authority import Authority
from causeway.pki.authority_revocation import REVOCATION_LIST, keep_fresh, publish
from causeway.pki.authority_revocation import revoke as revoke_certificate
from causeway.pki.keys import new_p256_key, new_rsa_key, new_signing_key
from causeway.pki.roles import Role
from causeway.site.trust import read_certificates

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The site's own certificate authority, and the key that signs the gateway settings.",
    epilog=pointer("set-up.md"),
)


class Purpose(StrEnum):
    """What a certificate is for."""

    GATEWAY = "gateway"
    SITE = "site"
    CONNECTION_POINT = "connection-point"
    DEVICE = "device"
    SITE_SIGNING = "site-signing"


FolderOption = Annotated[Path, typer.Option("--authority", "-a", help="The authority's folder.")]
_FOLDER = Path("authority")


@app.command(epilog=examples("causeway authority create --name 'Contoso authority'"))
def create(
    authority: FolderOption = _FOLDER,
    name: Annotated[str, typer.Option(help="The name in its certificate.")] = "Causeway authority",
) -> None:
    """Make an authority: `ca.pem` is for everyone, `ca.key` for nobody. One that exists is never replaced."""
    if (authority / "ca.key").exists() or (authority / "ca.pem").exists():
        raise OperatorError(f"{authority}: there is an authority already; choose another folder")
    publish(authority, Authority.create(authority, name))
    stdout.print(f"{authority / 'ca.pem'}: the certificate that the other parts trust", markup=False, soft_wrap=True)


@app.command(
    epilog=examples(
        "causeway authority issue gateway gateway.contoso.com", "causeway authority issue connection-point cp01"
    )
)
def issue(
    purpose: Annotated[Purpose, typer.Argument(help="What the certificate is for.")],
    names: Annotated[list[str], typer.Argument(help="Its name; for servers, DNS names and IP addresses.")],
    authority: FolderOption = _FOLDER,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for NAME.pem and NAME.key.")] = Path(),
) -> None:
    """Issue a certificate with its key: P-256 for servers and connection points, RSA-2048 where messages are signed."""
    issuer = Authority.open(authority)
    make_private_folder(out)
    certificate, key = out / f"{names[0]}.pem", out / f"{names[0]}.key"
    for path in (certificate, key):
        if path.exists():
            raise OperatorError(f"{path}: exists already; move it away or choose another --out")
    if purpose not in (Purpose.GATEWAY, Purpose.SITE) and len(names) > 1:
        raise OperatorError(f"a certificate for {purpose} has one name; {len(names)} were given; issue one for each")
    match purpose:
        case Purpose.GATEWAY:
            issued = issuer.issue_server(list(map(certificate_name, names)), new_p256_key(), Role.GATEWAY)
        case Purpose.SITE:
            issued = issuer.issue_server(list(map(certificate_name, names)), new_p256_key(), Role.SITE_SYSTEM)
        case Purpose.CONNECTION_POINT:
            issued = issuer.issue_client(names[0], new_p256_key(), Role.CONNECTION_POINT)
        case Purpose.SITE_SIGNING:
            issued = issuer.issue_client(names[0], new_rsa_key(), Role.SITE_SYSTEM)
        case Purpose.DEVICE:
            issued = issuer.issue_client(names[0], new_rsa_key(), Role.DEVICE)
    keep_fresh(authority, issuer)
    issued.write(certificate, key)
    stdout.print(f"{certificate} and {key}", markup=False, soft_wrap=True)


@app.command(epilog=examples("causeway authority revoke cp01.pem"))
def revoke(
    certificate: Annotated[Path, typer.Argument(help="The certificate's file (PEM or DER).")],
    authority: FolderOption = _FOLDER,
) -> None:
    """Revoke a certificate for ever. A site that reads this authority's `ca.crl` has gateways refuse it in seconds."""
    issuer = Authority.open(authority)
    found = read_certificates([certificate])[0]
    new = revoke_certificate(authority, issuer, found)
    name = found.subject.rfc4514_string()
    stdout.print(f"{name} is revoked." if new else f"{name} was revoked already.", markup=False, soft_wrap=True)


@app.command(epilog=examples("causeway authority revocation-list"))
def revocation_list(authority: FolderOption = _FOLDER) -> None:
    """Sign `ca.crl` anew. It is good for 90 days; `issue` and `revoke` sign it anew, too."""
    publish(authority, Authority.open(authority))
    stdout.print(f"{authority / REVOCATION_LIST}", markup=False, soft_wrap=True)


@app.command(epilog=examples("causeway authority settings-key --out site"))
def settings_key(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for settings.key and settings.pub.")] = Path(),
) -> None:
    """Make the key of the gateway settings: the site keeps `settings.key`, all others pin `settings.pub`."""
    make_private_folder(out)
    private, public = out / "settings.key", out / "settings.pub"
    if private.exists():
        raise OperatorError(f"{private}: exists already, and gateways pin it; keep it, or choose another --out")
    new_signing_key(private, public)
    stdout.print(f"{private} for the site, {public} for gateways and connection points", markup=False, soft_wrap=True)
