"""The results of a run: gathered, and written as JSON."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import machine
from bench.figures import Summary, summarise
from bench.machine import Limits
from bench.ratios import RATIOS, Samples, measured
from bench.run import Choice
from bench.systems import SYSTEMS
from bench.workbench import Workbench

METHOD = (
    "All systems of a workload run at once, one thread or process a hop unless named otherwise; a round measures each "
    "for a few seconds, one after the other, and rounds follow each other. Figures are medians over the rounds; ratios "
    "are taken within each round, and their median counts.",
    "CPU is user and system time of all processes of a system from /proc/<pid>/stat, the origin's and the load's not "
    "included. It is what to compare: requests a second and latencies also depend on how the load, the system and the "
    "origin share the processors.",
    "Every system verifies client certificates against one authority (RSA-3072) where they are shown, refuses a "
    "request that needs one and shows none, refuses what is not published, drops forged identity headers and sets its "
    "own, gives each request an id, writes a log line a request at every hop, and keeps its connections to the origin. "
    "Tunnels are mutual TLS.",
    "Devices speak TLS 1.3 with X25519 and AES-256-GCM and have certificates with RSA-2048 keys. Where connections are "
    "not to be resumed, nobody issues session tickets, not even the stateful ones that the peers' own settings leave "
    "on; where they are, each issues as many as it does by default.",
    "Latencies of fresh connections count from the first byte of the handshake to the end of the answer; those of kept "
    "ones from the request to the end of its answer, with 64 requests always under way.",
    "Memory is the proportional set size of the edge's processes; what the kernel keeps for sockets is not in it.",
)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the reports show.

    Attributes:
        figures: by workload, system and name.
        ratios: None for what was not measured.
    """

    date: dt.date
    quick: bool
    complete: bool
    rounds: int
    seconds: float
    processor: str
    system: str
    commit: str
    versions: Mapping[str, str]
    limits: Limits
    figures: Mapping[str, Mapping[str, Mapping[str, Summary]]]
    ratios: Mapping[str, Summary | None]


def gather(
    bench: Workbench, choice: Choice, samples: Samples, limits: Limits, seconds: float, *, complete: bool
) -> Results:
    """Put together what a run has measured, and where."""
    used = {system for by_system in samples.values() for system in by_system}
    return Results(
        date=dt.datetime.now(dt.UTC).date(),
        quick=choice.quick,
        complete=complete,
        rounds=choice.rounds,
        seconds=seconds,
        processor=machine.processor(),
        system=machine.system(),
        commit=machine.commit(),
        versions={name: SYSTEMS[name].version(bench) for name in SYSTEMS if name in used},
        limits=limits,
        figures={
            workload: {system: summarise(rounds) for system, rounds in by_system.items()}
            for workload, by_system in samples.items()
        },
        ratios=measured(samples),
    )


def to_json(results: Results) -> str:
    """As a document for programs; ``ratios`` has the keys of ``bench.ratios`` and their medians."""
    limits = {ratio.key: {"limit": ratio.limit, "aim": ratio.aim} for ratio in RATIOS}
    document: dict[str, Any] = {
        "date": results.date.isoformat(),
        "quick": results.quick,
        "complete": results.complete,
        "rounds": results.rounds,
        "seconds": round(results.seconds),
        "machine": {"processor": results.processor, "system": results.system},
        "commit": results.commit,
        "versions": dict(results.versions),
        "method": METHOD,
        "openssl_speed": asdict(results.limits),
        "ratios": {key: None if value is None else round(value.median, 4) for key, value in results.ratios.items()},
        "ratio_limits": limits,
        "ratio_rounds": {
            key: None if value is None else [round(one, 4) for one in value.rounds]
            for key, value in results.ratios.items()
        },
        "workloads": {
            workload: {
                system: {name: _summary(figure) for name, figure in figures.items()}
                for system, figures in by_system.items()
            }
            for workload, by_system in results.figures.items()
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _summary(figure: Summary) -> dict[str, Any]:
    return {
        "median": round(figure.median, 4),
        "lowest": round(figure.lowest, 4),
        "highest": round(figure.highest, 4),
        "rounds": [round(value, 4) for value in figure.rounds],
    }


def write(folder: Path, results: Results, report: str) -> tuple[Path, Path]:
    """Write both forms; a run that left something out does not take the place of one that did not."""
    folder.mkdir(exist_ok=True)
    stem = results.date.isoformat() + ("" if results.complete else "-partial")
    document, text = folder / f"{stem}.json", folder / f"{stem}.md"
    document.write_text(to_json(results))
    text.write_text(report)
    return document, text
