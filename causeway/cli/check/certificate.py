"""The options of ``causeway check`` that say where the server certificate is."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.addresses import host_and_port
from causeway.cli.shared.passphrase import from_file
from causeway.plan.document import Plan
from causeway.preflight import certificate, client_trust
from causeway.preflight.probe import Probe
from causeway.transport.proxy import WebProxy

PANEL = "Group certificate"

CertificateFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--certificate",
        help="A file of the server certificate, or its key; read together. May repeat.",
        rich_help_panel=PANEL,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        help="HOST or HOST:PORT that shows the certificate; without files, the service name at 443.",
        rich_help_panel=PANEL,
    ),
]
Authorities = Annotated[
    list[Path] | None,
    typer.Option(
        "--ca", help="A root of your own, or an intermediate; for network, too. May repeat.", rich_help_panel=PANEL
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the files' passphrase.", rich_help_panel=PANEL),
]


ClientTrust = Annotated[
    list[Path] | None,
    typer.Option(
        "--client-trust",
        help="A root or intermediate of client certificates, in place of those that the plan names; name them all. "
        "May repeat.",
        rich_help_panel=PANEL,
    ),
]
ClientSample = Annotated[
    Path | None,
    typer.Option(
        "--client-sample", help="A client's certificate, held against those authorities.", rich_help_panel=PANEL
    ),
]


def client_probes(plan: Plan, plan_file: Path, trust: ClientTrust, sample: ClientSample) -> tuple[Probe, ...]:
    """What plan and options make of client certificates.

    Raises:
        OperatorError: a sample with nothing to hold it against.
    """
    return client_trust.probes(plan, plan_file, tuple(trust or ()), sample)


def probes(
    plan: Plan,
    plan_file: Path,
    files: CertificateFiles,
    server: Server,
    authorities: Authorities,
    passphrase_file: PassphraseFile,
    proxy: WebProxy | None,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: an option that cannot be used.
    """
    sources = certificate.Sources(
        tuple(files or ()),
        host_and_port(server, certificate.HTTPS) if server else None,
        tuple(authorities or ()),
        from_file(passphrase_file),
        proxy,
    )
    return certificate.probes(plan, plan_file, sources, timeout_s=timeout_s)
