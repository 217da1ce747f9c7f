"""One nginx for all tests of the folder's files, and a data path in memory for each test."""

from collections.abc import AsyncIterator

import pytest

from fuzz.data_path import DataPath, Ground
from tests.system.differential import nginx as nginx_server
from tests.system.differential.nginx import Nginx


@pytest.fixture(scope="module")
def ground() -> Ground:
    """Keys and configurations."""
    return Ground()


@pytest.fixture
async def path(ground: Ground) -> AsyncIterator[DataPath]:
    """A gateway's worker and a connection point, with a tunnel between them."""
    path = DataPath(ground)
    await path.open()
    yield path
    await path.close()


@pytest.fixture
async def nginx() -> AsyncIterator[Nginx]:
    """A running nginx."""
    async with nginx_server.running() as server:
        yield server
