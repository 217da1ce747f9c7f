"""The options of ``causeway check`` that say from where the network is looked at, and how its web proxy is asked."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.check.certificate import Authorities
from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.preflight import network
from causeway.preflight.probe import Probe

PANEL = "Group network"

Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Which machine of the plan this is: a SERVER, or administrator, gateway or clients; else by host name.",
        rich_help_panel=PANEL,
    ),
]
ProxyUser = Annotated[
    str | None, typer.Option("--proxy-user", help="The user at the plan's web proxy.", rich_help_panel=PANEL)
]
ProxyPasswordFile = Annotated[
    Path | None,
    typer.Option("--proxy-password-file", help="A file with that user's password, in one line.", rich_help_panel=PANEL),
]


def probes(
    plan: Plan,
    source: Source,
    proxy_user: ProxyUser,
    proxy_password_file: ProxyPasswordFile,
    authorities: Authorities,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: an option that cannot be used.
    """
    if proxy_password_file is not None and not proxy_user:
        raise OperatorError("--proxy-password-file: whose password is it? Give --proxy-user, too")
    options = network.Options(
        socket.gethostname(), source or "", proxy_user or "", proxy_password_file, tuple(authorities or ())
    )
    return network.probes(plan, options, timeout_s=timeout_s)
