"""The options of ``causeway check`` that say how the Active Directory is reached, and who signs in."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.addresses import host_and_port
from causeway.cli.shared.passphrase import from_file
from causeway.directory.values import Transport
from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.preflight import directory
from causeway.preflight.probe import Probe

PANEL = "Group directory"

Servers = Annotated[
    list[str] | None,
    typer.Option(
        "--directory-server",
        help="HOST or HOST:PORT of a domain controller, by its full name; else the DNS is asked. May repeat.",
        rich_help_panel=PANEL,
    ),
]
TransportOption = Annotated[
    Transport | None,
    typer.Option(
        "--directory-transport",
        help="ldap (for Kerberos, which encrypts), ldaps (for passwords) or starttls. TLS trusts the machine's roots "
        "and those of --ca.",
        rich_help_panel=PANEL,
    ),
]
User = Annotated[
    str,
    typer.Option(
        "--directory-user",
        help="Who signs in, as USER@DOMAIN; without, the account of the ticket of kinit.",
        rich_help_panel=PANEL,
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--directory-password-file", help="A file whose first line is that user's password.", rich_help_panel=PANEL
    ),
]
Keytab = Annotated[
    Path | None,
    typer.Option("--directory-keytab", help="A keytab to sign in with by Kerberos.", rich_help_panel=PANEL),
]


def probes(
    plan: Plan,
    servers: Servers,
    transport: TransportOption,
    user: User,
    password_file: PasswordFile,
    keytab: Keytab,
    authorities: list[Path] | None,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: options that cannot be used, or not together.
    """
    if password_file is not None and keytab is not None:
        raise OperatorError("--directory-password-file and --directory-keytab: only one of them signs in")
    if password_file is not None and not user:
        raise OperatorError("--directory-password-file: whose password is it? give --directory-user, too")
    if user and password_file is None and keytab is None:
        raise OperatorError(
            "--directory-user: give --directory-password-file or --directory-keytab, too; the ticket of kinit has its "
            "own user"
        )
    if password_file is not None and transport is Transport.LDAP:
        raise OperatorError("--directory-transport ldap: a password is not sent without TLS; use ldaps or starttls")
    if keytab is not None and not keytab.is_file():
        raise OperatorError(f"{keytab}: there is no such keytab; make one with `ktpass` or `ktutil`")
    password = from_file(password_file)
    access = directory.Access(
        tuple(_server(each) for each in servers or ()),
        transport,
        user,
        None if password is None else _text(password, password_file),
        keytab,
        tuple(authorities or ()),
    )
    return directory.probes(plan, access, timeout_s=timeout_s)


def _server(text: str) -> tuple[str, int | None]:
    host, port = host_and_port(text, 0)
    return host, port or None


def _text(password: bytes, path: Path | None) -> str:
    try:
        return password.decode()
    except UnicodeDecodeError as error:
        raise OperatorError(f"{path}: the password is not UTF-8; write the file anew in UTF-8") from error
