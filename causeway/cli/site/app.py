"""``causeway site``: run and check the site; the subgroups have a file each."""

from pathlib import Path

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import ConfigOption, JsonOption, PrintDefaultOption
from causeway.cli.shared.output import print_checks
from causeway.cli.site import blocks, certificates, devices, revocation
from causeway.configuration import default_toml, load
from causeway.site.config import HEADING, SiteConfig

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The site: management point, database, gateway settings.",
    epilog=pointer("site.md"),
)
app.add_typer(devices.app, name="devices")
app.add_typer(blocks.app, name="blocks")
app.add_typer(certificates.app, name="certificates")
app.add_typer(revocation.app, name="revocation")


@app.command(epilog=examples("causeway site run --config site.toml", "causeway site run --print-default"))
def run(config: ConfigOption = Path("site.toml"), print_default: PrintDefaultOption = False) -> None:
    """Run the site until SIGTERM or Ctrl-C, then drain. SIGHUP reads the configuration again."""
    if print_default:
        print(default_toml(SiteConfig, HEADING), end="")
        return
    from causeway.site.service import run as run_site  # noqa: PLC0415  # the server, which no other command needs

    run_site(config)


@app.command(epilog=examples("causeway site check --config site.toml"))
def check(
    config: ConfigOption = Path("site.toml"), as_json: JsonOption = False, print_default: PrintDefaultOption = False
) -> None:
    """Check the configuration, its files, the database and the ports. Exit code 1 where a check fails."""
    if print_default:
        print(default_toml(SiteConfig, HEADING), end="")
        return
    from causeway.site.check import check as check_site  # noqa: PLC0415  # likewise

    raise typer.Exit(print_checks(check_site(load(config, SiteConfig)), as_json=as_json))
