"""Every part is replaced, one after another, and nobody notices."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

from tests.system.data_path.path import DataPath
from tests.system.origin import Exchange
from tests.system.processes import wait_until
from tests.system.reliability.load import Load

_SLOW_S = 0.5


@contextlib.contextmanager
def _under_load(path: DataPath) -> Iterator[None]:
    """Kept and fresh connections, reads and uploads, quick and slow answers: none of them may fail."""
    path.origin.on("/slow", _slow)
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(load)
            for load in (
                Load(path, "/site/small", kept=20, fresh=10, pair=path.device),
                Load(path, "/app/slow", kept=5, fresh=5, pair=path.device),
                Load(path, "/app/slow", kept=5, fresh=3, method="POST", body_bytes=100_000, pair=path.device),
            )
        ]
        start = time.monotonic()
        yield
        reports = [load.stop() for load in loads]
    requests = sum(len(report.done) for report in reports)
    print(f"{requests} requests in {time.monotonic() - start:.1f} s")
    assert not [failed for report in reports for failed in report.failures]


def _slow(exchange: Exchange) -> None:
    exchange.body()
    time.sleep(_SLOW_S)  # what a site system takes for its answer
    exchange.answer(b"slow")


def _at_every_worker(path: DataPath, name: str) -> bool:
    return path.gateway.metric("causeway_gateway_tunnels", connection_point=name) == path.workers


def test_connection_points_restarted_one_after_another_under_load_fail_no_request(
    running_path: Callable[..., DataPath],
) -> None:
    path = running_path(points=("cp1", "cp2"))
    with _under_load(path):
        for _ in range(2):
            for name, point in path.points.items():
                assert point.stop() == 0
                point.start()
                wait_until(partial(_at_every_worker, path, name), what=f"tunnels of {name}")


def test_gateway_workers_replaced_one_after_another_under_load_fail_no_request(
    running_path: Callable[..., DataPath],
) -> None:
    path = running_path(points=("cp1", "cp2"))
    with _under_load(path):
        for times in (1, 2):
            path.gateway.signal(signal.SIGUSR2)
            path.gateway.wait_for("worker replaced", count=times * path.workers)
