from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system import postgresql
from tests.system.site.running import RunningSite, lay_out, running
from tests.system.site.third_party import Client


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.PostgreSQL]:
    with postgresql.running() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The keys of ``[database]`` for an empty database of either kind."""
    if request.param == "sqlite":
        return {}
    cluster: postgresql.PostgreSQL = request.getfixturevalue("cluster")
    return {"url": cluster.new_database(), "password_file": str(cluster.password_file)}


@pytest.fixture
def laid_out(tmp_path: Path, database: dict[str, str]) -> Iterator[RunningSite]:
    """A site on either database, not started; what a test starts of it ends with the test."""
    site = lay_out(tmp_path, database)
    yield site
    site.clean_up()


@pytest.fixture
def site(laid_out: RunningSite) -> Iterator[RunningSite]:
    """A running site on either database."""
    with running(laid_out):
        yield laid_out


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[RunningSite]:
    """A site on SQLite of this test alone, not started; what the test starts of it ends with the test."""
    site = lay_out(tmp_path, {})
    yield site
    site.clean_up()


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A running site on SQLite with its default settings, shared by the tests of a file."""
    with running(lay_out(tmp_path_factory.mktemp("shared"), {})) as site:
        yield site


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Makes clients of a site and closes them."""
    clients: list[Client] = []

    def make(site: RunningSite, **kwargs: Any) -> Client:
        clients.append(Client(kwargs.pop("url", site.url), site.paths.authority, **kwargs))
        return clients[-1]

    yield make
    for one in clients:
        one.close()
