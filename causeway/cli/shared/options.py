"""Options that mean the same in every command group."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
PlanOption = Annotated[Path, typer.Option("--plan", "-p", help="The plan.")]
PrintDefaultOption = Annotated[
    bool, typer.Option("--print-default", help="Print a commented default configuration file and exit.")
]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds for everything together.")]
