"""One fake of Azure for the tests of a worker; each begins with all well."""

from collections.abc import Iterator

import pytest

from tests.system.azure.running import FakeAzure, fake_azure


@pytest.fixture(scope="session")
def running_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeAzure]:
    with fake_azure(tmp_path_factory.mktemp("azure")) as fake:
        yield fake


@pytest.fixture
def azure(running_azure: FakeAzure) -> FakeAzure:
    running_azure.seed()
    return running_azure
