"""The token by which devices without a certificate come in: a new one at each start, in memory alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from causeway.configuration import load
from causeway.site.config import SiteConfig
from causeway.site.database import Database
from causeway.site.token_service.bulk import new_bulk_token

_LIFETIME = timedelta(days=1)


def registration_token(site_config: Path, devices: int) -> str:
    """A token for that many devices, made as `causeway token new` makes one; works on files, so give it a thread.

    Raises:
        OperatorError: the site's configuration, its settings key or its database cannot be used.
    """
    site = load(site_config, SiteConfig)
    database = Database(site.database)
    database.open()
    try:
        _, token = new_bulk_token(
            database,
            site,
            lifetime=_LIFETIME,
            max_uses=devices,
            note="devices of `causeway up`",
            now=datetime.now(UTC),
        )
    finally:
        database.close()
    return token
