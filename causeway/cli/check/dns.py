"""The options of ``causeway check`` that say whom to ask about names."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.addresses import host_and_port
from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.preflight import dns
from causeway.preflight.dns_answers import Server
from causeway.preflight.probe import Probe

DNS_PORT = 53
PANEL = "Group dns"

Resolvers = Annotated[
    list[str] | None,
    typer.Option(
        "--resolver",
        help="ADDRESS or ADDRESS:PORT of a resolver to ask instead of this machine's and public ones.",
        rich_help_panel=PANEL,
    ),
]
Authoritative = Annotated[
    list[str] | None,
    typer.Option(
        "--authoritative",
        help="ADDRESS or ADDRESS:PORT of a server of the zone; else they are looked for.",
        rich_help_panel=PANEL,
    ),
]


def probes(
    plan: Plan, plan_file: Path, resolvers: Resolvers, authoritative: Authoritative, timeout_s: float
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: an option that cannot be used.
    """
    return dns.probes(
        plan,
        plan_file,
        resolvers=_servers(resolvers) or dns.default_resolvers(),
        authoritative=_servers(authoritative, authoritative=True),
        timeout_s=timeout_s,
    )


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
