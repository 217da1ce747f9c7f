"""``causeway``: one program, a command group for each part."""

import sys
from typing import Annotated

import typer

from causeway import __version__
from causeway.cli import connection_point, device, gateway, site
from causeway.cli.output import PROBLEMS, WRONG_USE, print_error
from causeway.errors import CausewayError, OperatorError

app = typer.Typer(
    name="causeway",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An open cloud management gateway: devices on the internet, managed by servers on the premises that only dial out.",
)
app.add_typer(gateway.app, name="gateway")
app.add_typer(connection_point.app, name="connection-point")
app.add_typer(site.app, name="site")
app.add_typer(device.app, name="device")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"causeway {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options for every command."""


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
