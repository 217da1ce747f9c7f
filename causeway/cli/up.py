"""``causeway up``."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from causeway.cli.shared.addresses import certificate_name
from causeway.cli.shared.help import examples
from causeway.cli.shared.output import OK, PROBLEMS, print_json, stdout
from causeway.up.home import Ports
from causeway.up.run import Options, Outcome, run

app = typer.Typer(add_completion=False)

_DEFAULT_HOME = Path(".causeway")
_LAST_FIRST_PORT = 65535 - Ports(0).last


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise typer.BadParameter("expected an IP address, such as 127.0.0.1 or 0.0.0.0") from error


@app.command(epilog=examples("causeway up --devices 20", "causeway up --once --json"))
def up(
    home: Annotated[
        Path, typer.Option(help="The folder of everything; picked up again by the next `up`.")
    ] = _DEFAULT_HOME,
    devices: Annotated[
        int, typer.Option(min=0, max=1000, help="How many devices to simulate; kinds of identity take turns.")
    ] = 5,
    once: Annotated[
        bool, typer.Option("--once", help="Check the way, let the devices in, print a summary, end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
    name: Annotated[
        str, typer.Option(callback=certificate_name, help="DNS name or IP address by which devices reach the gateway.")
    ] = "localhost",
    listen: Annotated[
        str, typer.Option(callback=_address, help="IP address that the gateway listens on; all else stays on loopback.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=_LAST_FIRST_PORT, help="The gateway's port; the ports after it are used, too.")
    ] = 8443,
) -> None:
    """Start a site, a gateway and a connection point on this machine, check the whole way, and let devices use it.

    Exit code 0 when all is well, 1 when a check or a device failed, 2 when it cannot start.
    """
    console = Console(file=Path(os.devnull).open("w")) if as_json else stdout  # noqa: SIM115  # for as long as we run
    outcome = run(Options(home, name, listen, port, devices, once), console)
    if as_json:
        print_json(_as_json(outcome))
    raise typer.Exit(OK if outcome.ok or not once else PROBLEMS)


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "ok": outcome.ok,
        "service_url": outcome.home.service_url,
        "ca": str(outcome.home.authority),
        "checks": [{"name": c.name, "status": c.status, "details": c.details} for c in outcome.checks],
        "devices": [device.to_json() for device in outcome.devices],
    }
