"""``causeway site``: run and check the site, approve devices, block certificates."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.configuration import default_toml
from causeway.site import service
from causeway.site.config import SiteConfig

app = typer.Typer(help="The site: management point, database, gateway settings.", no_args_is_help=True)

Config = Annotated[Path, typer.Option("--config", help="The site's configuration file.")]
PrintDefault = Annotated[bool, typer.Option("--print-default", help="Print a commented configuration file and exit.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]

_CONFIG = Path("site.toml")
_HEADING = "Causeway: the site. `causeway site run --config FILE` runs it, `causeway site check` looks at it first."


@app.command()
def run(config: Config = _CONFIG, *, print_default: PrintDefault = False) -> None:
    """Run the site until it is stopped. SIGHUP reads the configuration again."""
    if print_default:
        print(default_toml(SiteConfig, _HEADING), end="")
        return
    service.run(config)
