"""The options of ``causeway check`` that say how to ask the site's servers."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.check.certificate import Authorities
from causeway.cli.shared.addresses import host_and_port
from causeway.cli.shared.passphrase import from_file
from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.preflight.probe import Probe
from causeway.preflight.site import configuration_manager, management_point, update_point
from causeway.preflight.site.administration_service import SignIn
from causeway.preflight.site.asking import Asker, ClientCertificate
from causeway.preflight.site.means import Means

PANEL = "Group site"

ClientCertificateFile = Annotated[
    Path | None,
    typer.Option(
        "--site-client-certificate",
        help="A client certificate in PEM, for management points that want one.",
        rich_help_panel=PANEL,
    ),
]
ClientKeyFile = Annotated[
    Path | None,
    typer.Option("--site-client-key", help="Its key in PEM, where it is not with it.", rich_help_panel=PANEL),
]
ClientPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--site-client-passphrase-file",
        help="A file whose first line is that key's passphrase.",
        rich_help_panel=PANEL,
    ),
]

AdministrationService = Annotated[
    str | None,
    typer.Option(
        "--administration-service",
        help="HOST or HOST:PORT of the SMS provider; else site.administration_service of the plan.",
        rich_help_panel=PANEL,
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--site-user",
        help="Who asks the administration service: DOMAIN\\user or user@domain.",
        rich_help_panel=PANEL,
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--site-password-file", help="A file whose first line is that user's password.", rich_help_panel=PANEL
    ),
]
Kerberos = Annotated[
    bool,
    typer.Option("--site-kerberos", help="Ask as whoever has the Kerberos ticket (kinit).", rich_help_panel=PANEL),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--site-token-file",
        help="A file whose first line is a token of Entra ID for the administration service.",
        rich_help_panel=PANEL,
    ),
]


def probes(
    plan: Plan,
    authorities: Authorities,
    certificate: ClientCertificateFile,
    key: ClientKeyFile,
    passphrase_file: ClientPassphraseFile,
    server: AdministrationService,
    sign_in: SignIn | None,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: options contradict, or a file cannot be read.
    """
    if certificate is None and (key or passphrase_file):
        raise OperatorError("--site-client-key and its passphrase need --site-client-certificate")
    roots = tuple(authorities or ())
    shown = ClientCertificate(certificate, key, from_file(passphrase_file)) if certificate else None
    means = Means(Asker(roots, shown), has_certificate=shown is not None, authorities=roots, timeout_s=timeout_s)
    access = configuration_manager.Access(
        host_and_port(server, configuration_manager.HTTPS) if server else None, sign_in, roots, timeout_s
    )
    return (
        *management_point.probes(plan, means),
        *update_point.probes(plan, means),
        *configuration_manager.probes(plan, access),
    )


def sign_in(user: User, password_file: PasswordFile, kerberos: Kerberos, token_file: TokenFile) -> SignIn | None:
    """Who asks the administration service; None where nobody was named.

    Raises:
        OperatorError: options contradict, or a file cannot be read.
    """
    if token_file is not None:
        if user or password_file or kerberos:
            raise OperatorError("--site-token-file is instead of --site-user and --site-kerberos; give one of them")
        return SignIn(token=_secret(token_file))
    if kerberos:
        if password_file:
            raise OperatorError("--site-kerberos is instead of --site-password-file; give one of them")
        return SignIn(user)
    if user is None and password_file is None:
        return None
    if user is None or password_file is None:
        raise OperatorError("--site-user and --site-password-file belong together; or use --site-kerberos")
    return SignIn(user, _secret(password_file))


def _secret(path: Path) -> str:
    try:
        text = (from_file(path) or b"").decode()
    except UnicodeDecodeError as error:
        raise OperatorError(f"{path}: not UTF-8; its first line is the password or token") from error
    if not text.isprintable():
        raise OperatorError(f"{path}: its first line has characters that no password or token has")
    return text
