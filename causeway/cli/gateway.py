"""``causeway gateway``."""

from pathlib import Path

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import ConfigOption, JsonOption, PrintDefaultOption
from causeway.cli.shared.output import print_checks
from causeway.configuration import default_toml, load
from causeway.gateway.check import check as check_gateway
from causeway.gateway.config import HEADING, GatewayConfig
from causeway.gateway.supervisor import run as run_gateway

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The gateway: the cloud side, where devices connect.",
    epilog=pointer("set-up.md#4-the-gateway"),
)


@app.command(epilog=examples("causeway gateway run --config gateway.toml", "causeway gateway run --print-default"))
def run(config: ConfigOption = Path("gateway.toml"), print_default: PrintDefaultOption = False) -> None:
    """Run a gateway until SIGTERM or Ctrl-C, then drain.

    SIGHUP reloads the server certificate. SIGUSR2 replaces the workers one by one without losing a request.
    """
    if print_default:
        print(default_toml(GatewayConfig, HEADING), end="")
        return
    run_gateway(load(config, GatewayConfig))


@app.command(epilog=examples("causeway gateway check --config gateway.toml"))
def check(
    config: ConfigOption = Path("gateway.toml"), as_json: JsonOption = False, print_default: PrintDefaultOption = False
) -> None:
    """Check the configuration, its files and ports. Exit code 1 where a check fails."""
    if print_default:
        print(default_toml(GatewayConfig, HEADING), end="")
        return
    raise typer.Exit(print_checks(check_gateway(load(config, GatewayConfig)), as_json=as_json))
