"""A device that runs: registration, policy, heartbeat and inventory, each when it is due, until it is told to stop.

Intervals come from the client settings policy. Each device shifts its own by a tenth at most, so that devices that were
started together do not come together for ever. What fails is tried again after a growing pause.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from causeway.device.client import DeviceClient
from causeway.device.errors import AnswerEmptyError, PendingApprovalError
from causeway.device.state import DeviceState
from causeway.errors import CausewayError, OperatorError
from causeway.messaging.policy import ClientSettings

_JITTER = 0.1
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)

Clock = Callable[[], datetime]
Interval = Callable[[ClientSettings], int]


@dataclass(slots=True)
class _Task:
    """Something done again and again: how, how often (in minutes), when it last succeeded, and what failures did."""

    name: str
    run: Callable[[], Awaitable[object]]
    interval_minutes: Interval
    last: Callable[[DeviceState], datetime | None]
    factor: float
    failures: int = 0
    not_before: datetime | None = None

    def due(self, state: DeviceState, settings: ClientSettings, now: datetime) -> datetime:
        """When it is to be done next; in the past when it is overdue."""
        last = self.last(state)
        # A last time in the future comes from a clock that was wrong.
        regular = min(last, now) + self._interval(settings) if last is not None else now
        return max(regular, self.not_before) if self.not_before is not None else regular

    def note_failure(self, now: datetime) -> None:
        """Put it off: half a minute at first, twice as long each time, an hour at most."""
        pause = min(_FIRST_PAUSE * 2 ** min(self.failures, 10), _LONGEST_PAUSE)
        self.failures += 1
        self.not_before = now + pause * self.factor

    def note_success(self) -> None:
        """Go back to the regular interval."""
        self.failures = 0
        self.not_before = None

    def _interval(self, settings: ClientSettings) -> timedelta:
        return timedelta(minutes=self.interval_minutes(settings)) * self.factor


class Schedule:
    """Runs one device.

    Args:
        client: the device, entered already.
        now: the clock, for tests.
        jitter: gives a number between -1 and 1, for tests.
    """

    def __init__(
        self,
        client: DeviceClient,
        *,
        now: Clock = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 - spreads load, keeps no secret
    ) -> None:
        self._client = client
        self._now = now
        self._log = structlog.get_logger()
        factor = 1 + _JITTER * jitter()
        self._registration = _Task("register", self._register, lambda _: 0, lambda state: state.registered_at, factor)
        self._tasks = (
            _Task(
                "policy",
                client.policy,
                lambda settings: settings.polling_interval_minutes,
                lambda state: state.policy_at,
                factor,
            ),
            _Task(
                "heartbeat",
                client.heartbeat,
                lambda settings: settings.heartbeat_interval_minutes,
                lambda state: state.heartbeat_at,
                factor,
            ),
            _Task(
                "inventory",
                client.inventory,
                lambda settings: settings.inventory_interval_minutes,
                lambda state: state.inventory_at,
                factor,
            ),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is due until ``stop`` is set. What was begun is finished, which takes one exchange's time at most.

        Raises:
            OperatorError: the state cannot be written: there is no use in going on.
        """
        while not stop.is_set():
            pause = await self.step(stop)
            try:
                await asyncio.wait_for(stop.wait(), pause.total_seconds())
            except TimeoutError:
                continue

    async def step(self, stop: asyncio.Event) -> timedelta:
        """Do what is due now, one after the other, and return how long there is nothing to do.

        Raises:
            OperatorError: as :meth:`run`.
        """
        for task in self._runnable():
            now = self._now()
            if not stop.is_set() and task.due(self._client.state, self._settings, now) <= now:
                await self._do(task)
        now = self._now()
        settings = self._settings
        due = min(task.due(self._client.state, settings, now) for task in self._runnable())
        return max(due - now, timedelta())

    @property
    def _settings(self) -> ClientSettings:
        return self._client.state.client_settings()

    def _runnable(self) -> tuple[_Task, ...]:
        return self._tasks if self._client.state.registered else (self._registration,)

    async def _register(self) -> None:
        state = await self._client.register()
        if not state.registered:
            raise PendingApprovalError(f"{state.identity} waits for approval")

    async def _do(self, task: _Task) -> None:
        try:
            await task.run()
        except OperatorError:
            raise
        except CausewayError as error:
            task.note_failure(self._now())
            self._log.warning(
                "failed", task=task.name, word=error.word, error=str(error), again_at=str(task.not_before)
            )
            if isinstance(error, AnswerEmptyError) and task is not self._registration:
                await self._client.doubt_registration()
        else:
            task.note_success()
            self._log.info("done", task=task.name, identity=self._client.state.identity)


async def run_until_stopped(client: DeviceClient) -> None:
    """Run an entered device until SIGTERM or SIGINT, then finish what was begun.

    Raises:
        OperatorError: the state cannot be written.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Schedule(client).run(stop)
