"""``causeway site certificates``: client certificates that gateways and the management point refuse."""

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.hashes import SHA256

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened
from causeway.errors import OperatorError
from causeway.site.database import Database, blocks, devices, gateway_settings
from causeway.site.database.gateway_settings import Blocked
from causeway.site.trust import read_certificates

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Blocked client certificates. A running site publishes a change at once.",
    epilog=pointer("identity.md#blocking"),
)

_NOT_SHOWN = re.compile("[:\\s\u200e]")
"""What stands between or before the digits; Windows puts an invisible mark before a thumbprint that is copied."""

CertificateArgument = Annotated[
    str,
    typer.Argument(
        help="SHA-256 fingerprint (hexadecimal, with or without colons), a certificate's file, or the thumbprint that "
        "Windows shows, of a certificate that a device registered."
    ),
]


@app.command("list", epilog=examples("causeway site certificates list --json"))
def list_blocked(config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """List the certificates that are blocked, by themselves or with their device."""
    with opened(config) as database:
        blocked = [*gateway_settings.blocked(database), *_of_devices(database)]
    if as_json:
        print_json([dataclasses.asdict(one) for one in blocked])
        return
    rows = [(one.fingerprint, moment(one.blocked_at), one.reason) for one in blocked]
    print_table(("SHA-256", "blocked at", "reason"), rows, none="No certificates are blocked.")


@app.command(epilog=examples("causeway site certificates block laptop-17.cer --reason stolen"))
def block(
    certificate: CertificateArgument,
    config: ConfigOption = FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown in the list.")] = "",
) -> None:
    """Refuse a certificate at every gateway and at the management point."""
    with opened(config) as database:
        fingerprint = _fingerprint(certificate, database)
        new = gateway_settings.block(database, fingerprint, reason, now=datetime.now(UTC))
    stdout.print(f"{fingerprint} is blocked." if new else f"{fingerprint} was blocked already.", soft_wrap=True)


@app.command(epilog=examples("causeway site certificates unblock laptop-17.cer"))
def unblock(certificate: CertificateArgument, config: ConfigOption = FILE) -> None:
    """Accept a certificate again."""
    with opened(config) as database:
        fingerprint = _fingerprint(certificate, database)
        unblocked = gateway_settings.unblock(database, fingerprint)
        of_device = [one for one in _of_devices(database) if one.fingerprint == fingerprint]
    if not unblocked and not of_device:
        raise OperatorError(f"{fingerprint}: not blocked; `causeway site certificates list` shows what is")
    if of_device:
        raise OperatorError(f"{fingerprint}: refused since {of_device[0].reason}; {_remedy(of_device[0])}")
    stdout.print(f"{fingerprint} is not blocked any more.", soft_wrap=True)


def _of_devices(database: Database) -> tuple[Blocked, ...]:
    return blocks.of_devices(database, now=datetime.now(UTC)).certificates


def _remedy(blocked: Blocked) -> str:
    return f"`causeway site devices show {blocked.device}` and `causeway site blocks list` say by what"


def _fingerprint(text: str, database: Database) -> str:
    digits = _NOT_SHOWN.sub("", text).lower()
    if re.fullmatch(r"[0-9a-f]{64}", digits):
        return digits
    if re.fullmatch(r"[0-9a-f]{40}", digits):
        found = devices.fingerprint_of_thumbprint(database, digits)
        if found is None:
            raise OperatorError(
                f"{digits}: no device registered a certificate with this thumbprint; name the certificate's file, or "
                "its SHA-256 fingerprint"
            )
        return found
    path = Path(text)
    if not path.is_file():
        raise OperatorError(
            f"{text}: no such file; expected one, a SHA-256 fingerprint of 64 hexadecimal digits, or a thumbprint of 40"
        )
    return read_certificates([path])[0].fingerprint(SHA256()).hex()
