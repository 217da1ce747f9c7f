"""Runs workloads: all systems up, then round after round, system after system."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Sample
from bench.systems import SYSTEMS
from bench.systems.base import Edge, System
from bench.workbench import Workbench
from bench.workloads.base import Workload

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run.

    Attributes:
        workloads: in this order.
        systems: only these; empty for all that a workload names.
        rounds: of each workload, unless more of it would say no more.
        quick: fewer systems and shorter rounds.
    """

    workloads: Sequence[Workload]
    systems: Sequence[str]
    rounds: int
    quick: bool

    def systems_of(self, workload: Workload) -> list[str]:
        """The systems that a workload is measured on."""
        named = workload.quick_systems if self.quick else workload.systems
        return [name for name in named if not self.systems or name in self.systems]


def run(bench: Workbench, choice: Choice, say: Say) -> Mapping[str, Mapping[str, Sequence[Sample]]]:
    """Everything that was chosen; samples by workload, then by system."""
    return {
        workload.name: _rounds(bench, workload, choice, say)
        for workload in choice.workloads
        if choice.systems_of(workload)
    }


def _rounds(bench: Workbench, workload: Workload, choice: Choice, say: Say) -> Mapping[str, Sequence[Sample]]:
    started = time.monotonic()
    names = choice.systems_of(workload)
    rounds = min(choice.rounds, workload.most_rounds)
    say(f"{workload.name}: {workload.title}")
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    with _running(bench, workload, names) as systems:
        for number in range(rounds):
            for system in systems:
                sample = workload.measure(system, quick=choice.quick)
                samples[system.name].append(sample)
                say(f"  round {number + 1} of {rounds}  {system.name:14} {_brief(workload, sample)}")
    say(f"  {time.monotonic() - started:.0f} s")
    return samples


@contextlib.contextmanager
def _running(bench: Workbench, workload: Workload, names: Sequence[str]) -> Iterator[list[System]]:
    """All systems of a workload, warmed up."""
    origin = workload.origin(bench)
    edge = Edge(workload.server_key, workload.tickets, origin, workload.at_once)
    systems = [SYSTEMS[name](bench) for name in names]
    try:
        for system in systems:
            system.start(edge)
        for system in systems:
            system.await_ready(origin.probe)
            workload.warm_up(system)
        yield systems
    finally:
        for system in systems:
            system.stop()
        origin.process.stop()


def _brief(workload: Workload, sample: Sample) -> str:
    columns = (workload.main, *workload.columns)
    return "  ".join(
        f"{column.heading} {sample[column.figure]:.{column.decimals}f}" for column in columns if column.figure in sample
    )
