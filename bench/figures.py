"""Figures: what one round measured, and what several rounds say together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Sample = Mapping[str, float]
"""One round of one workload on one system: figures by name; the unit is part of the name.

``cpu_us`` is CPU per request over all hops, ``cpu_us.edge`` and ``cpu_us.connector`` its parts.
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """A figure over all rounds."""

    median: float
    lowest: float
    highest: float
    rounds: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Summary":
        """Of at least one value."""
        rounds = tuple(values)
        return cls(median(rounds), min(rounds), max(rounds), rounds)


def summarise(samples: Sequence[Sample]) -> dict[str, Summary]:
    """Each figure over all rounds."""
    return {name: Summary.of(sample[name] for sample in samples) for name in samples[0]}


def paired_ratio(of: Sequence[Sample], to: Sequence[Sample], figure: str) -> Summary:
    """One system's figure against another's.

    The ratio is taken within each round, since both were measured within seconds of each other there, and the median
    over the rounds is what counts: a slow minute of the machine changes neither.
    """
    return Summary.of(ours[figure] / theirs[figure] for ours, theirs in zip(of, to, strict=True))


def per_unit(prefix: str, seconds_by_hop: Mapping[str, float], scale: float, units: float) -> dict[str, float]:
    """CPU seconds of each hop, and of all, as ``scale`` a unit: ``cpu_us`` per request, ``cpu_ms_per_gb``."""
    figures = {f"{prefix}.{hop}": seconds * scale / units for hop, seconds in seconds_by_hop.items()}
    return {prefix: sum(figures.values()), **figures}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lie; these are sorted already."""
    return values[min(len(values) - 1, int(share * len(values)))]
