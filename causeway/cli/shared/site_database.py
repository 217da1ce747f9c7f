"""What the commands on the site's database share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from causeway.configuration import load
from causeway.site.config import SiteConfig
from causeway.site.database import Database

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The site's configuration file.", show_default="site.toml")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def remembered(context: typer.Context, config: Path | None) -> None:
    """Keep the file that was given before a subcommand, for that subcommand."""
    context.obj = config


@contextlib.contextmanager
def opened(context: typer.Context, config: Path | None) -> Iterator[Database]:
    """The database of the site's configuration: given here, or before the subcommand, or ``site.toml``.

    Raises:
        OperatorError: the configuration or the database cannot be used.
    """
    with opened_site(context, config) as (_, database):
        yield database


@contextlib.contextmanager
def opened_site(context: typer.Context, config: Path | None) -> Iterator[tuple[SiteConfig, Database]]:
    """The site's configuration, found as by ``opened``, and its database.

    Raises:
        OperatorError: the configuration or the database cannot be used.
    """
    given: Path | None = config or context.obj
    site = load(given or Path("site.toml"), SiteConfig)
    database = Database(site.database)
    database.open()
    try:
        yield site, database
    finally:
        database.close()
