"""``causeway cert inspect``: look at a certificate, in files or on a running server."""

import asyncio
import dataclasses
import re
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from causeway.cli.cert.options import NamesOption, PlanOption
from causeway.cli.shared.addresses import host_and_port
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_checks
from causeway.cli.shared.passphrase import PassphraseOption, read_asking
from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult
from causeway.pki.bundle import read_bundles
from causeway.pki.inspection import Purpose, Wanted
from causeway.pki.live import look_at
from causeway.plan.document import Plan, read_plan
from causeway.preflight.certificate import HTTPS, inspect_bundle, inspect_shown, wanted_by

_ADDRESS = re.compile(r"[A-Za-z0-9_.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_FILES = frozenset((".pem", ".cer", ".crt", ".der", ".key", ".p7b", ".pfx", ".p12"))


def inspect(
    what: Annotated[
        list[str],
        typer.Argument(help="Files (PEM, DER, PFX, PKCS #7, keys), read together; or one server, HOST or HOST:PORT."),
    ],
    plan: PlanOption = None,
    name: NamesOption = None,
    client: Annotated[
        bool, typer.Option("--client", help="It is a sample of the devices' client certificates.")
    ] = False,
    ca: Annotated[
        list[Path] | None, typer.Option("--ca", help="A root of your own, or an intermediate. May repeat.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for a server.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Check names, key, usage, signature, dates, chain and revocation addresses; exit code 1 where one fails."""
    wanted = _wanted(read_plan(plan) if plan else None, tuple(name or ()), client=client)
    others = read_bundles(ca or ()).certificates
    files = [Path(one) for one in what]
    missing = [path for path in files if not path.exists()]
    if not missing:
        label = str(files[0])
        results = inspect_bundle(label, read_asking(files, passphrase_file), others, wanted)
    elif len(what) == 1 and _ADDRESS.fullmatch(what[0]) and missing[0].suffix.lower() not in _FILES:
        results = _server(what[0], others, wanted, timeout_s)
    else:
        raise OperatorError(f"{missing[0]}: no such file; name files, or one server as HOST or HOST:PORT")
    raise typer.Exit(print_checks(results, as_json=as_json))


def _wanted(plan: Plan | None, names: tuple[str, ...], *, client: bool) -> Wanted:
    if client:
        return Wanted(names=names, purpose=Purpose.CLIENT)
    if plan is None:
        return Wanted(names=names)
    wanted = wanted_by(plan)
    return dataclasses.replace(wanted, names=names or wanted.names)


def _server(address: str, others: tuple[x509.Certificate, ...], wanted: Wanted, timeout_s: float) -> list[CheckResult]:
    host, port = host_and_port(address, HTTPS)
    shown = asyncio.run(look_at(host, port, timeout_s=timeout_s))
    wanted = dataclasses.replace(wanted, names=wanted.names or (host,))
    return inspect_shown(f"{host}:{port}", shown, others, wanted)
