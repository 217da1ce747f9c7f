"""``causeway``: one program, a command group for each part."""

import importlib
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from causeway import __version__
from causeway.cli.shared.output import INTERRUPTED, PROBLEMS, WRONG_USE, print_error
from causeway.compiled import data_path_is_compiled
from causeway.errors import CausewayError, OperatorError


@dataclass(frozen=True, slots=True)
class Group:
    """A command group, known before its module is imported.

    Attributes:
        module: has its ``app``.
        summary: what it is for, as that says it, too.
    """

    module: str
    summary: str

    def load(self) -> Any:
        """Its commands. Takes a moment: a site's imports its database."""
        return typer.main.get_command(importlib.import_module(self.module).app)


GROUPS = {
    "up": Group(
        "causeway.cli.up",
        "Start a site, a gateway and a connection point on this machine, check the whole way, and let devices use it.",
    ),
    "gateway": Group("causeway.cli.gateway", "The gateway: the cloud side, where devices connect."),
    "connection-point": Group(
        "causeway.cli.connection_point", "The connection point: the premises side, which dials the gateways."
    ),
    "site": Group("causeway.cli.site.app", "The site: management point, database, gateway settings."),
    "token": Group(
        "causeway.cli.token.app",
        "Bulk registration tokens: with one, devices without a certificate register over the internet.",
    ),
    "device": Group("causeway.cli.device", "A reference client: registers this machine, gets policy, reports."),
    "identity": Group("causeway.cli.identity.app", "Who a client is, and why a gateway says so."),
    "plan": Group(
        "causeway.cli.plan.app",
        "The plan of a gateway, our own or Microsoft's: names, certificate, rights, firewall, size, cost, steps.",
    ),
    "check": Group(
        "causeway.cli.check.app",
        "Look whether the world is as a plan needs it, group by group; docs/checks.md explains every check.",
    ),
    "azure": Group(
        "causeway.cli.azure.app", "Work in Azure, with the plan: who is signed in, resource providers, applications."
    ),
    "authority": Group(
        "causeway.cli.authority",
        "The site's own certificate authority, and the key that signs the gateway settings.",
    ),
    "cert": Group(
        "causeway.cli.cert.app",
        "The gateway's server certificate: requested, had from an authority, looked at, exported, renewed.",
    ),
}


class _GroupByGroup(TyperGroup):
    """Imports a group when one of its commands is called: a gateway in the cloud has no use for the site's database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = {name: TyperCommand(name, help=group.summary) for name, group in GROUPS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, found, rest
        command = GROUPS[name].load()
        command.name = name
        return name, command, rest


app = typer.Typer(
    name="causeway",
    cls=_GroupByGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An open cloud management gateway: devices on the internet, managed by servers that only dial out.",
    epilog="Exit codes: 0 all is well, 1 problems were found, 2 wrong use. More: README.md, docs/errors.md",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"causeway {__version__}" + (", data path compiled" if data_path_is_compiled() else ""))
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that every command has."""


def main() -> None:
    """Run a command. What the operator can mend is one line and exit code 2; what went wrong on the way, 1."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        if said := _wrong_use(error):  # where a group was called without a command, its help is what there is to say
            print_error(said)
        sys.exit(WRONG_USE)
    except OperatorError as error:
        print_error(str(error))
        sys.exit(WRONG_USE)
    except CausewayError as error:
        print_error(f"{error.word}: {error}")
        sys.exit(PROBLEMS)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)


def _wrong_use(error: typer.TyperException) -> str:
    """What is wrong with the words of a command, and where to read what it takes; empty where help was printed."""
    said = " ".join(error.format_message().split()).replace("Value error, ", "").removesuffix(".")
    said = said[:1].lower() + said[1:]
    context = getattr(error, "ctx", None)
    if not said or context is None:
        return said
    return f"{said}{' See' if said.endswith('?') else '; see'} `{context.command_path} --help`"
