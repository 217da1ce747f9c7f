"""``causeway connection-point``."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.output import print_checks
from causeway.configuration import default_toml, load
from causeway.connection_point.check import check as check_connection_point
from causeway.connection_point.config import HEADING, ConnectionPointConfig
from causeway.connection_point.service import run as run_connection_point

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The connection point: the premises side, which dials the gateways.",
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
PrintDefaultOption = Annotated[
    bool, typer.Option("--print-default", help="Print a commented default configuration file and exit.")
]

_DEFAULT = Path("connection-point.toml")


@app.command()
def run(config: ConfigOption = _DEFAULT, print_default: PrintDefaultOption = False) -> None:
    """Run a connection point until SIGTERM or Ctrl-C, then drain."""
    if print_default:
        print(default_toml(ConnectionPointConfig, HEADING), end="")
        return
    run_connection_point(load(config, ConnectionPointConfig))


@app.command()
def check(
    config: ConfigOption = _DEFAULT, as_json: JsonOption = False, print_default: PrintDefaultOption = False
) -> None:
    """Check the configuration and its files, the site and every gateway. Exit code 1 where a check fails."""
    if print_default:
        print(default_toml(ConnectionPointConfig, HEADING), end="")
        return
    results = asyncio.run(check_connection_point(load(config, ConnectionPointConfig)))
    raise typer.Exit(print_checks(results, as_json=as_json))
