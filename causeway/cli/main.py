"""``causeway``: one program, a command group for each part."""

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from causeway import __version__
from causeway.cli.shared.output import PROBLEMS, WRONG_USE, print_error
from causeway.errors import CausewayError, OperatorError

_COMMANDS = {
    "up": "causeway.cli.up",
    "gateway": "causeway.cli.gateway",
    "connection-point": "causeway.cli.connection_point",
    "site": "causeway.cli.site.app",
    "token": "causeway.cli.token.app",
    "device": "causeway.cli.device",
    "identity": "causeway.cli.identity.app",
    "plan": "causeway.cli.plan.app",
    "check": "causeway.cli.check.app",
    "azure": "causeway.cli.azure.app",
    "authority": "causeway.cli.authority",
    "cert": "causeway.cli.cert.app",
}


class _PartByPart(TyperGroup):
    """Imports a part when its command is called: a gateway in the cloud has no use for the site's database."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="causeway",
    cls=_PartByPart,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An open cloud management gateway: devices on the internet, managed by servers that only dial out.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"causeway {__version__}")
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
        app()
    except OperatorError as error:
        print_error(str(error))
        sys.exit(WRONG_USE)
    except CausewayError as error:
        print_error(f"{error.word}: {error}")
        sys.exit(PROBLEMS)
    except KeyboardInterrupt:
        sys.exit(130)
