"""What the commands on the site's database share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from causeway.configuration import load
from causeway.site.config import SiteConfig
from causeway.site.database import Database

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The site's configuration file.")]
FILE = Path("site.toml")


@contextlib.contextmanager
def opened(config: Path) -> Iterator[Database]:
    """The database of the site's configuration.

    Raises:
        OperatorError: the configuration or the database cannot be used.
    """
    with opened_site(config) as (_, database):
        yield database


@contextlib.contextmanager
def opened_site(config: Path) -> Iterator[tuple[SiteConfig, Database]]:
    """The site's configuration and its database.

    Raises:
        OperatorError: the configuration or the database cannot be used.
    """
    site = load(config, SiteConfig)
    database = Database(site.database)
    database.open()
    try:
        yield site, database
    finally:
        database.close()
