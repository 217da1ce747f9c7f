from pathlib import Path

import pytest
import pytest_asyncio

from fuzz.data_path import DataPath
from tests.unit.memory import data_path

path = pytest_asyncio.fixture(data_path, name="path")


@pytest.fixture
def own_settings(path: DataPath, tmp_path: Path) -> None:
    """What a test publishes is gone with it."""
    path.worker.store.path = tmp_path / "settings"
