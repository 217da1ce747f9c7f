"""With the last connection point goes the service, at once and with its word; and it comes back with the first."""

import contextlib
import datetime as dt
import signal
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.system.data_path.client import Client
from tests.system.data_path.path import DataPath
from tests.system.processes import wait_until

_AT_ONCE_S = 0.5
_BACK_S = 1.0


def _is_served(client: Client) -> bool:
    return client.ask("GET", "/site/small").status == 200


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_without_a_connection_point_503_comes_at_once_and_service_within_a_second_of_its_return(
    running_path: Callable[..., DataPath], end: signal.Signals
) -> None:
    path = running_path()
    point = path.points["cp1"]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client) for client in path.connect_to_every_worker()]
        point.signal(end)
        point.wait()
        path.gateway.wait_for("tunnel lost" if end == signal.SIGKILL else "tunnel closed", count=path.workers)
        for client in clients:
            start = time.monotonic()
            answer = client.ask("GET", "/site/small")
            assert (answer.status, answer.reason) == (503, "CMGService_NoConnectionPoint")
            assert answer.header("Connection") is None
            assert time.monotonic() - start < _AT_ONCE_S

        point.start()
        started = point.wait_for("connection point started", count=2)[1]["timestamp"]
        for client in clients:
            wait_until(partial(_is_served, client))
        back = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(started)
    print(f"{back.total_seconds():.3f} s after the return")
    assert back.total_seconds() < _BACK_S
