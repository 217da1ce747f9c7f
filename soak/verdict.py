"""Whether a process grew: the median of its last samples against that of its first, after it has warmed up."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from soak.processes import Life

BOUND_BYTES = 2 * 1024 * 1024
BOUND_BYTES_A_SECOND = 4 * 1024
"""What a process may grow between the two windows, and more for each second of the time for which it is judged.

A sample swings by more, a median of many does not. The part that grows is what fragments of memory come to that no
allocator gives back: 14 MB an hour, where a leak of 100 bytes a connection makes 40.
"""

_WINDOWS = 4
_LEAST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """One process over the time for which it was judged.

    Attributes:
        seconds: how long that was.
        medians: of the resident bytes in windows of equal length, first to last.
    """

    role: str
    pid: int
    seconds: float
    medians: tuple[float, ...]

    @property
    def growth_bytes(self) -> float:
        """From the first window to the last."""
        return self.medians[-1] - self.medians[0]

    @property
    def bound_bytes(self) -> float:
        """What it may have grown."""
        return BOUND_BYTES + BOUND_BYTES_A_SECOND * self.seconds

    @property
    def grew(self) -> bool:
        """Beyond the bound."""
        return self.growth_bytes > self.bound_bytes


def trends(lives: Iterable[Life], *, warm_s: float, least_s: float) -> list[Trend]:
    """The trends of those that lived long enough after they had warmed up.

    Args:
        lives: every process that was seen.
        warm_s: how long a process grows for good reasons: what it loads late, and its first load.
        least_s: how long it must have lived after that.
    """
    found = []
    for life in lives:
        judged = [(second, size) for second, size in life.samples if second - life.samples[0][0] >= warm_s]
        if not judged or judged[-1][0] - judged[0][0] < least_s:
            continue
        windows = _windows(judged)
        if all(len(window) >= _LEAST_SAMPLES for window in windows):
            seconds = judged[-1][0] - judged[0][0]
            found.append(Trend(life.role, life.pid, seconds, tuple(float(median(window)) for window in windows)))
    return sorted(found, key=lambda trend: (trend.role, trend.pid))


def _windows(samples: list[tuple[float, int]]) -> list[list[int]]:
    start, end = samples[0][0], samples[-1][0]
    windows: list[list[int]] = [[] for _ in range(_WINDOWS)]
    for second, size in samples:
        windows[min(_WINDOWS - 1, int((second - start) / (end - start) * _WINDOWS))].append(size)
    return windows
