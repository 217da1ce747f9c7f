from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.data_path.path import DataPath, endpoint
from tests.system.nginx import nginx
from tests.system.processes import free_ports
from tests.system.reliability.figures import Figures

BIG_BYTES = 256 << 20
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these measure, and what runs beside them would be measured, too."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.measures)


@pytest.fixture
def site_system(tmp_path: Path) -> Iterator[str]:
    """The URL of a site system in a process of its own: nginx with a small file and a big one."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "small").write_bytes(bytes(1024))
    with (root / "big").open("wb") as file:
        file.truncate(BIG_BYTES)
    port = free_ports()
    with nginx(tmp_path / "nginx", root, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def running_path(tmp_path: Path, site_system: str) -> Iterator[Callable[..., DataPath]]:
    """Makes a running data path; ``/site`` leads to the site system, ``/app`` to the test's own origin."""
    with ExitStack() as stack:

        def make(**options: Any) -> DataPath:
            folder = tmp_path / "path"
            folder.mkdir()
            path = stack.enter_context(DataPath(folder, **options).running())
            path.publish_also(endpoint("site", "/site", site_system, upgrades=("websocket",)))
            return path

        yield make


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """What the tests of floods measure."""
    made = Figures("flood", "connections held", "a process grew by", "good clients before", "good clients meanwhile")
    yield made
    made.publish()
