"""The data path in memory, for tests of both its ends."""

from collections.abc import AsyncIterator
from functools import cache

from fuzz.data_path import DataPath, Ground


@cache
def ground() -> Ground:
    """Keys and certificates, made once: an RSA key takes a moment."""
    return Ground()


async def data_path() -> AsyncIterator[DataPath]:
    """A path whose tunnel is up and whose settings are in force; at its end nothing may be left behind."""
    path = DataPath(ground())
    await path.open()
    yield path
    if not path.tunnel_stands:
        await path.open()
    await path.close()
