"""Clients come and go until standard input ends; a line of JSON a second says what they met."""

import asyncio
import json
import random
import ssl
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from causeway.transport import allow_many_connections
from soak.churn.client import Gateway, Unexpected
from soak.churn.habits import HABITS, Habit

_CHANCE = random.Random()
_REPORT_S = 1.0
_LAST_VISITS_S = 60.0
_PAUSE_S = 0.1
_MAX_FAILURES = 50


class _Churn:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stop = asyncio.Event()
        self._visits: Counter[str] = Counter()
        self._answered = 0
        self._failures: list[str] = []

    async def run(self) -> None:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._stop.set)
        clients = [asyncio.create_task(self._live(habit)) for habit, count in HABITS.items() for _ in range(count)]
        while not self._stop.is_set():
            self._report(ended=False)
            await self._rest(_REPORT_S)
        _, late = await asyncio.wait(clients, timeout=_LAST_VISITS_S)
        if late:
            self._failures.append(f"{len(late)} clients did not come to their end")
        self._report(ended=True)

    async def _live(self, habit: Habit) -> None:
        await self._rest(_CHANCE.uniform(0.0, 1.0))
        while not self._stop.is_set():
            try:
                answered = await habit(self._gateway)
            except (Unexpected, OSError, EOFError, TimeoutError) as error:
                if len(self._failures) < _MAX_FAILURES:
                    self._failures.append(f"{time.strftime('%H:%M:%S')} {habit.__name__}: {error or repr(error)}")
            else:
                self._answered += answered
            self._visits[habit.__name__] += 1
            await self._rest(_CHANCE.uniform(0.0, 2 * _PAUSE_S))

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    def _report(self, *, ended: bool) -> None:
        report = {"visits": self._visits, "answered": self._answered, "failures": self._failures, "ended": ended}
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


def _gateway(asked: dict[str, Any]) -> Gateway:
    anonymous = ssl.create_default_context(cafile=asked["root"])
    devices = []
    for pair in asked["devices"]:
        context = ssl.create_default_context(cafile=asked["root"])
        context.load_cert_chain(*pair)
        devices.append(context)
    return Gateway(asked["port"], anonymous, tuple(devices))


if __name__ == "__main__":
    allow_many_connections()
    uvloop.run(_Churn(_gateway(json.loads(sys.argv[1]))).run())
