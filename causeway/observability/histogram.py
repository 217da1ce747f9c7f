"""A latency histogram for the data path: one search and one addition an observation."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

LATENCY_BUCKETS_S: Final[tuple[float, ...]] = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    120.0,
)


class Histogram:
    """Counts observations by upper bounds, as Prometheus wants them."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self.sum += seconds


def cumulative_buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    """The buckets in the form of ``HistogramMetricFamily``: (upper bound, observations up to it)."""
    bounds = [*map(str, LATENCY_BUCKETS_S), "+Inf"]
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
