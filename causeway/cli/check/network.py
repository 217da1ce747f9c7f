"""The option of ``causeway check`` that says from where the network is looked at."""

import socket
from typing import Annotated

import typer

from causeway.cli.check.certificate import Authorities
from causeway.plan.document import Plan
from causeway.preflight import network
from causeway.preflight.probe import Probe
from causeway.transport.proxy import WebProxy

PANEL = "Group network"

Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Which machine of the plan this is: a SERVER, or administrator, gateway or clients; else by host name.",
        rich_help_panel=PANEL,
    ),
]


def probes(
    plan: Plan,
    source: Source,
    proxy: WebProxy | None,
    authorities: Authorities,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group."""
    options = network.Options(socket.gethostname(), source or "", proxy, tuple(authorities or ()))
    return network.probes(plan, options, timeout_s=timeout_s)
