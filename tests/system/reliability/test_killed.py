"""What dies at once, as when memory is short, takes nothing along but what was under way in it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from tests.system.data_path.client import Client
from tests.system.data_path.path import DataPath
from tests.system.origin import Exchange
from tests.system.processes import wait_until
from tests.system.reliability.load import Load
from tests.system.reliability.rounds import ROUNDS, best_of

_EACH = 12
_BACK_S = 1.0
_LOST = "CMGService_ConnectionPointLost"


class _Held:
    """Requests that the site system holds until it is told to go on."""

    def __init__(self, path: DataPath) -> None:
        self._origin = path.origin
        self._go_on = threading.Event()
        path.origin.on("/hold", self._hold)
        path.origin.on("/begin", self._begin)

    def _hold(self, exchange: Exchange) -> None:
        exchange.body()
        self._go_on.wait(60)
        exchange.answer(b"held")

    def _begin(self, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ")
        self._go_on.wait(60)
        exchange.send(b"whole")

    def seen(self, method: str, target: str) -> int:
        return len([request for request in self._origin.of(target) if request.method == method])

    def go_on(self) -> None:
        self._go_on.set()


def test_when_a_connection_point_is_killed_only_what_cannot_be_repeated_fails_and_says_so(
    running_path: Callable[..., DataPath],
) -> None:
    path = running_path(points=("cp1", "cp2"))
    held = _Held(path)
    with contextlib.ExitStack() as stack:

        def clients(method: str, target: str, *lines: str) -> list[Client]:
            made = [stack.enter_context(path.connect()) for _ in range(_EACH)]
            for client in made:
                client.start(method, f"/app{target}", *lines)
            wait_until(lambda: held.seen(method, target) == _EACH, what=f"{method} {target} at the site system")
            return made

        reads = clients("GET", "/hold")
        writes = clients("POST", "/hold", "Content-Length: 0")
        begun = clients("GET", "/begin")
        assert all(client.head().status == 200 and client.read(5) == b"half " for client in begun)
        there = path.gateway.metric("causeway_gateway_streams", connection_point="cp1")
        assert 0 < there < 3 * _EACH

        load = stack.enter_context(Load(path, "/site/small", kept=20, fresh=5))
        path.points["cp1"].kill()
        path.gateway.wait_for("tunnel lost", connection_point="cp1", count=path.workers)

        def settled() -> bool:
            """All of them are at the other connection point, or given up, before anybody has been answered."""
            lost = path.gateway.metric("causeway_gateway_refusals_total", word=_LOST)
            return held.seen("GET", "/hold") - _EACH + lost == there

        wait_until(settled, what=f"the end of {there} requests")
        report = load.stop()
        held.go_on()
        assert [client.answer().status for client in reads] == [200] * _EACH
        answers = [client.answer("POST") for client in writes]
        broken = sum(_rest(client) != b"whole" for client in begun)
    failed = [answer.reason for answer in answers if answer.status != 200]
    repeated = held.seen("GET", "/hold") - _EACH
    assert failed == [_LOST] * len(failed)
    assert held.seen("POST", "/hold") == _EACH
    assert repeated + len(failed) + broken == there
    assert min(repeated, len(failed), broken) > 0
    assert not report.failures


def _rest(client: Client) -> bytes:
    """What still comes of an answer that had begun."""
    try:
        return client.read(5)
    except OSError:
        return b""


def test_a_killed_worker_is_replaced_within_a_second_and_the_other_one_does_not_notice(
    running_path: Callable[..., DataPath],
) -> None:
    path = running_path(points=("cp1", "cp2"))
    best_of(ROUNDS, _BACK_S, partial(_kill_worker_under_load, path))


def _kill_worker_under_load(path: DataPath) -> float:
    """Returns after how many seconds its successor had answered somebody; the rest is asserted here."""
    held = _Held(path)
    serving = path.gateway.events("serving", worker=1)
    with contextlib.ExitStack() as stack:
        by_worker: dict[str, list[Client]] = {}
        for client in path.connect_to_every_worker():
            by_worker[client.ask("GET", "/site/small").worker] = [stack.enter_context(client)]
        for _ in range(2 * _EACH):
            client = stack.enter_context(path.connect())
            by_worker[client.ask("GET", "/site/small").worker].append(client)
        clients = [client for of_it in by_worker.values() for client in of_it]
        before = held.seen("POST", "/hold")
        for client in clients:
            client.start("POST", "/app/hold", "Content-Length: 0")
        wait_until(lambda: held.seen("POST", "/hold") - before == len(clients), what="all requests at the site system")
        load = stack.enter_context(Load(path, "/site/small", kept=20, fresh=10))
        killed = time.monotonic()
        os.kill(serving[-1]["pid"], signal.SIGKILL)
        path.gateway.wait_for("process ended", worker=1, count=len(serving))
        known = time.monotonic()
        path.gateway.wait_for("serving", worker=1, count=len(serving) + 1)
        path.wait_until_ready()
        held.go_on()
        survivors = [client for client in clients if _answer(client) == 200]
        again = [client.ask("GET", "/site/small").worker for client in survivors]
        report = load.stop()
    assert survivors in by_worker.values()
    assert set(again) == {worker for worker, of_it in by_worker.items() if of_it == survivors}
    newcomer = [done for done in report.done if done.worker and done.worker not in by_worker]
    assert all(failed.start < known for failed in report.failures), report.failures
    return min(done.start + done.seconds for done in newcomer) - killed


def _answer(client: Client) -> int:
    """The status of what was asked; 0 where the connection is gone."""
    try:
        return client.answer().status
    except (OSError, AssertionError):
        return 0
