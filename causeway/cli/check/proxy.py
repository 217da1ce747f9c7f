"""The options of ``causeway check`` that say who asks at the plan's web proxy; for the network and for revocation."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.transport.proxy import WebProxy

PANEL = "Groups network and certificate"

ProxyUser = Annotated[
    str | None, typer.Option("--proxy-user", help="The user at the plan's web proxy.", rich_help_panel=PANEL)
]
ProxyPasswordFile = Annotated[
    Path | None,
    typer.Option("--proxy-password-file", help="A file with that user's password, in one line.", rich_help_panel=PANEL),
]


def web_proxy(plan: Plan, user: ProxyUser, password_file: ProxyPasswordFile) -> WebProxy | None:
    """The plan's proxy, as the user of the options; None where the plan has none.

    Raises:
        OperatorError: a password of nobody.
    """
    if password_file is not None and not user:
        raise OperatorError("--proxy-password-file: whose password is it? Give --proxy-user, too")
    return WebProxy.at(plan.proxy.url, user or "", password_file) if plan.proxy.url else None
