from collections.abc import Iterator

import pytest

from tests.system.certificates import certificates
from tests.system.entra.provider import Provider


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A running provider for all tests that leave it as it was."""
    with Provider(tmp_path_factory.mktemp("provider"), certificates("site")).running() as provider:
        yield provider
