from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.data_path.path import DataPath


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """A data path for all tests that leave it as it was."""
    with DataPath(tmp_path_factory.mktemp("path")).running() as path:
        yield path


@pytest.fixture
def own_path(tmp_path: Path) -> Iterator[Callable[..., DataPath]]:
    """Makes running data paths for one test alone."""
    with ExitStack() as stack:

        def make(*, wait: bool = True, **options: Any) -> DataPath:
            folder = tmp_path / f"path-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return stack.enter_context(DataPath(folder, **options).running(wait=wait))

        yield make
