"""The soak from start to verdict."""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from soak.changes import Changes
from soak.clients import Clients
from soak.processes import Watch
from soak.system import running_system
from soak.verdict import Trend, trends
from tests.system.data_path.path import DataPath
from tests.system.processes import wait_until

_LEAST_SECONDS = 60
_PROGRESS_EVERY_S = 10
_QUIET_TIMEOUT_S = 60.0
_WRONG_USE = 2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a soak of some length does.

    The workers are replaced in its first quarter; those of then live to its end, long enough to be judged. While both
    the old and the new ones have tunnels, a connection point holds more than ever before: in a short soak that is over
    before it is judged, in a long one it is judged, too.
    """

    seconds: int

    @property
    def warm_s(self) -> float:
        """A minute, or half of a short soak."""
        return min(60.0, self.seconds / 2)

    @property
    def least_s(self) -> float:
        """How long a process is judged at least."""
        return self.seconds / 5

    @property
    def replacements(self) -> range:
        """When the workers are replaced, in seconds."""
        every = max(6, self.seconds // 20)
        return range(every, self.seconds // 4 + 1, every)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen.

    Attributes:
        descriptors: open ones by role, before the clients came; there are no more after they have gone.
        problems: each a line; none where all is well.
    """

    trends: tuple[Trend, ...]
    descriptors: dict[str, int]
    visits: dict[str, int]
    answered: int
    changes: dict[str, int]
    problems: tuple[str, ...]


def main() -> int:
    """Run what the command line says; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m soak", description="Minutes of churn, with memory watched.")
    parser.add_argument("--seconds", type=int, default=600, metavar="N", help="how long (default 600, at least 60)")
    options = parser.parse_args()
    if options.seconds < _LEAST_SECONDS:
        sys.stderr.write(f"error: --seconds is at least {_LEAST_SECONDS}\n")
        return _WRONG_USE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of every clean-up
    with tempfile.TemporaryDirectory(prefix="causeway-soak-") as folder:
        outcome = soak(Path(folder), Plan(options.seconds), _say)
    for line in table(outcome):
        _say(line)
    return 1 if outcome.problems else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def soak(folder: Path, plan: Plan, say: Say) -> Outcome:
    """Start the system in ``folder``, let the churn happen, and judge."""
    with running_system(folder) as path:
        watch = Watch(path)
        changes = Changes(path, iter(plan.replacements))
        before = watch.descriptors()
        with Clients(path) as clients:
            _churn(plan, watch, clients, changes, say)
            clients.stop()
        kept_open = _kept_open(path, watch, before)
        found = trends(watch.lives.values(), warm_s=plan.warm_s, least_s=plan.least_s)
        problems = [
            *(f"request failed: {line}" for line in clients.failures),
            *(f"logged: {line[:500]}" for line in watch.complaints),
            *(f"{trend.role} grew by {trend.growth_bytes / 1e6:.1f} MB" for trend in found if trend.grew),
            *(f"{what} left open" for what in kept_open),
            *(f"{role} did not live long enough to be judged" for role in _not_judged(watch, found)),
        ]
        return Outcome(tuple(found), before, dict(clients.visits), clients.answered, changes.counts, tuple(problems))


def _churn(plan: Plan, watch: Watch, clients: Clients, changes: Changes, say: Say) -> None:
    start = time.monotonic()
    never = threading.Event()
    for second in range(1, plan.seconds + 1):
        never.wait(max(0.0, start + second - time.monotonic()))  # a clock: one look a second
        watch.look(second)
        changes.due(second)
        if second % _PROGRESS_EVERY_S == 0:
            megabytes = ", ".join(f"{role} {size / 1e6:.0f}" for role, size in watch.latest())
            say(f"{second:>4} s  {clients.answered} answered, {len(clients.failures)} failed; MB: {megabytes}")


def _kept_open(path: DataPath, watch: Watch, before: dict[str, int]) -> list[str]:
    """What is still open though nobody needs it, after a time in which it should have been closed."""
    looks: dict[str, Callable[[], float]] = {
        name: partial(path.gateway.metric, f"causeway_gateway_{name}")
        for name in ("connections", "requests_in_flight", "streams", "streams_held")
    }
    for point in path.points.values():
        for name in ("streams", "streams_held", "upstream_connections"):
            looks[f"{name} of the connection point"] = partial(point.metric, f"causeway_connection_point_{name}")
    for role, count in before.items():
        looks[f"descriptors of {role}"] = partial(_beyond, watch, role, count)
    deadline = time.monotonic() + _QUIET_TIMEOUT_S
    kept = []
    for what, look in looks.items():
        try:
            wait_until(partial(_is_none, look), timeout=max(1.0, deadline - time.monotonic()))
        except AssertionError:
            kept.append(f"{look():.0f} {what}")
    return kept


def _beyond(watch: Watch, role: str, count: int) -> float:
    return max(0, watch.descriptors().get(role, 0) - count)


def _is_none(look: Callable[[], float]) -> bool:
    return look() == 0


def _not_judged(watch: Watch, found: list[Trend]) -> list[str]:
    """Roles of which no process lived for long enough: a soak that judges nobody proves nothing."""
    return sorted({life.role for life in watch.lives.values()} - {trend.role for trend in found})


def table(outcome: Outcome) -> list[str]:
    """What was seen, for people."""
    lines = [
        "",
        f"{'process':<20} {'judged':>7}  {'resident MB, medians of four windows':<38} {'growth':>9} {'bound':>9}",
    ]
    for trend in outcome.trends:
        medians = "  ".join(f"{size / 1e6:7.1f}" for size in trend.medians)
        lines.append(
            f"{trend.role:<20} {trend.seconds:>5.0f} s  {medians:<38} "
            f"{trend.growth_bytes / 1e3:>6.0f} kB {trend.bound_bytes / 1e3:>6.0f} kB"
        )
    lines.append("descriptors " + ", ".join(f"{role} {count}" for role, count in outcome.descriptors.items()))
    lines.append("visits      " + ", ".join(f"{habit} {count}" for habit, count in sorted(outcome.visits.items())))
    lines.append("changes     " + ", ".join(f"{what} {count}" for what, count in outcome.changes.items()))
    lines.append(f"requests    {outcome.answered} answered")
    lines += outcome.problems or ["flat: nobody grew beyond its bound, nothing failed, nothing is left open"]
    return lines
