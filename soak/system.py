"""The system under churn: gateway with two workers, connection point, and nginx as the site system."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from causeway.gateway_settings import Authentication
from soak.sizes import BIG_BYTES, MEDIUM_BYTES, SMALL_BYTES
from tests.system.data_path.path import DataPath, endpoint
from tests.system.nginx import nginx
from tests.system.processes import free_ports

_DRAIN_TIMEOUT_S = 60.0


@contextlib.contextmanager
def running_system(folder: Path) -> Iterator[DataPath]:
    """Everything, ready for clients; ``/site`` is for all, ``/devices`` for those with a certificate."""
    root = folder / "root"
    root.mkdir(parents=True)
    for name, size in {"small": SMALL_BYTES, "medium": MEDIUM_BYTES, "big": BIG_BYTES}.items():
        with (root / name).open("wb") as file:
            file.truncate(size)
    port = free_ports()
    path_folder = folder / "path"
    path_folder.mkdir()
    limits = {"limits": {"drain_timeout_s": _DRAIN_TIMEOUT_S}}  # the slow readers' downloads are to end well
    with nginx(folder / "nginx", root, port), DataPath(path_folder, gateway=limits).running() as path:
        url = f"http://127.0.0.1:{port}"
        path.publish_also(
            endpoint("site", "/site", url),
            endpoint("devices", "/devices", url, authentication=(Authentication.CERTIFICATE,)),
        )
        yield path
