"""``causeway check``: whether the world is as the plan needs it."""

import asyncio
import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.addresses import host_and_port
from causeway.cli.output import print_checks
from causeway.cli.passphrase import from_file
from causeway.errors import OperatorError
from causeway.plan.document import FILE, read_plan
from causeway.preflight import certificate, dns, names
from causeway.preflight.dns_answers import Server
from causeway.preflight.probe import Group, Probe, run_probes

DNS_PORT = 53

app = typer.Typer(add_completion=False)


@app.command()
def check(
    plan: Annotated[Path, typer.Option("--plan", "-p", help="The plan.", show_default=str(FILE))] = FILE,
    only: Annotated[list[Group] | None, typer.Option("--only", help="Only this group. May repeat.")] = None,
    certificate_files: Annotated[
        list[Path] | None,
        typer.Option("--certificate", help="A file of the server certificate, or its key; read together. May repeat."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="HOST or HOST:PORT that shows the certificate; without files, the service name at 443."),
    ] = None,
    ca: Annotated[
        list[Path] | None, typer.Option("--ca", help="A root of your own, or an intermediate. May repeat.")
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="A file whose first line is the files' passphrase.")
    ] = None,
    resolver: Annotated[
        list[str] | None,
        typer.Option(help="ADDRESS or ADDRESS:PORT of a resolver to ask instead of this machine's and public ones."),
    ] = None,
    authoritative: Annotated[
        list[str] | None,
        typer.Option(help="ADDRESS or ADDRESS:PORT of a server of the zone; else they are looked for."),
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, help="For everything, in seconds.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check names, certificate and DNS against a plan; docs/checks.md explains every check.

    Exit code 0 where nothing failed, 1 where something did, 2 where the command was used wrongly.
    """
    document = read_plan(plan)
    sources = certificate.Sources(
        tuple(certificate_files or ()),
        host_and_port(server, certificate.HTTPS) if server else None,
        tuple(ca or ()),
        from_file(passphrase_file),
    )
    groups: dict[Group, tuple[Probe, ...]] = {
        Group.NAMES: names.probes(document),
        Group.CERTIFICATE: certificate.probes(document, plan, sources, timeout_s=timeout_s),
        Group.DNS: dns.probes(
            document,
            plan,
            resolvers=_servers(resolver) or dns.default_resolvers(),
            authoritative=_servers(authoritative, authoritative=True),
            timeout_s=timeout_s,
        ),
    }
    wanted = [probe for group, probes in groups.items() if not only or group in only for probe in probes]
    raise typer.Exit(print_checks(asyncio.run(run_probes(wanted, timeout_s=timeout_s)), as_json=as_json))


def _servers(given: Iterable[str] | None, *, authoritative: bool = False) -> tuple[Server, ...]:
    found = []
    for text in given or ():
        address, port = host_and_port(text, DNS_PORT)
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise OperatorError(f"{text}: expected an IP address, with or without :PORT, such as 192.0.2.53") from error
        found.append(Server(address, port, authoritative))
    return tuple(found)
