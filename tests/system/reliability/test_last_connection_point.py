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
from tests.system.reliability.rounds import ROUNDS, best_of

_AT_ONCE_S = 0.5
_BACK_S = 1.0


def _is_served(client: Client) -> bool:
    return client.ask("GET", "/site/small").status == 200


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_without_a_connection_point_503_comes_at_once_and_service_within_a_second_of_its_return(
    running_path: Callable[..., DataPath], end: signal.Signals
) -> None:
    path = running_path()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client) for client in path.connect_to_every_worker()]
        best_of(ROUNDS, _BACK_S, partial(_go_and_return, path, clients, end))


def _go_and_return(path: DataPath, clients: list[Client], end: signal.Signals) -> float:
    """Returns how many seconds after its start, once it had started, everybody was served."""
    point = path.points["cp1"]
    point.signal(end)
    point.wait()
    event = "tunnel lost" if end == signal.SIGKILL else "tunnel closed"
    wait_until(lambda: path.gateway.metric("causeway_gateway_tunnels") == 0, what=event)
    assert path.gateway.events(event)
    best_of(ROUNDS, _AT_ONCE_S, partial(_refused, clients))
    starts = len(point.events("connection point started"))
    point.start()
    started = point.wait_for("connection point started", count=starts + 1)[-1]["timestamp"]
    for client in clients:
        wait_until(partial(_is_served, client))
    return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(started)).total_seconds()


def _refused(clients: list[Client]) -> float:
    """Returns the longest time that it took."""
    times = []
    for client in clients:
        start = time.monotonic()
        answer = client.ask("GET", "/site/small")
        times.append(time.monotonic() - start)
        assert (answer.status, answer.reason) == (503, "CMGService_NoConnectionPoint")
        assert answer.header("Connection") is None
    return max(times)
