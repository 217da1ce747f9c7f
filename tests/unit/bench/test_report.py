"""Reports, and the table in the documentation."""

import datetime as dt
import json
from pathlib import Path

import pytest

from bench.cli import parse
from bench.errors import BenchError
from bench.figures import summarise
from bench.machine import Limits
from bench.ratios import RATIOS, measured
from bench.report import BEGIN, END, documented, report, update_document
from bench.results import Results, to_json, write


def _results(*, complete: bool = True) -> Results:
    samples = {
        "kept": {
            "haproxy-rhttp": [{"cpu_us": 60.0, "cpu_us.edge": 40.0}, {"cpu_us": 62.0, "cpu_us.edge": 41.0}],
            "causeway": [{"cpu_us": 45.0, "cpu_us.edge": 25.0}, {"cpu_us": 46.0, "cpu_us.edge": 26.0}],
        },
        "fresh-rsa": {"causeway": [{"cpu_us": 700.0, "handshakes_cpu_s": 1500.0}]},
    }
    return Results(
        date=dt.date(2026, 11, 23),
        quick=False,
        complete=complete,
        rounds=2,
        seconds=90.0,
        processor="a processor",
        system="a system",
        commit="abc",
        versions={"causeway": "Causeway 1"},
        limits=Limits(250e-6, 12e-6, 25e-6, 20e-6, 25e-6),
        figures={
            workload: {system: summarise(rounds) for system, rounds in by_system.items()}
            for workload, by_system in samples.items()
        },
        ratios=measured(samples),
    )


def test_the_document_for_programs_has_every_ratio() -> None:
    document = json.loads(to_json(_results()))
    assert set(document["ratios"]) == {ratio.key for ratio in RATIOS}
    assert document["ratios"]["kept_cpu_vs_haproxy_rhttp"] == pytest.approx(0.746, abs=1e-3)
    assert document["ratios"]["idle_kb"] is None
    assert document["workloads"]["kept"]["causeway"]["cpu_us"]["rounds"] == [45.0, 46.0]


def test_the_report_shows_medians_spread_and_what_was_reached() -> None:
    text = report(_results())
    assert "| Causeway | 46 (45 to 46) | 26 |" in text
    assert "(`kept_cpu_vs_haproxy_rhttp`) | 0.75 (0.74 to 0.75) | 1 | 0.75 | aim |" in text
    assert "(`idle_kb`) | - | 28 | 22 | not measured |" in text
    assert "such handshakes a second; Causeway's edge reaches 45 %" in text


def test_a_partial_run_does_not_take_the_place_of_a_complete_one(tmp_path: Path) -> None:
    write(tmp_path, _results(complete=False), "partial")
    write(tmp_path, _results(), "complete")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-11-23-partial.json",
        "2026-11-23-partial.md",
        "2026-11-23.json",
        "2026-11-23.md",
    ]


def test_only_what_stands_between_the_markers_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    update_document(path, documented(_results()))
    text = path.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "| 1 KB GET on 64 kept connections, client certificates: CPU µs | 61 | 46 |" in text


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_missing_or_doubled_markers_are_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "performance.md"
    path.write_text(text)
    with pytest.raises(BenchError, match="markers"):
        update_document(path, "new")
    assert path.read_text() == text


def test_only_a_run_of_everything_is_complete() -> None:
    assert parse([])[1]
    assert parse(["--quick"])[1]
    choice, complete = parse(["--only", "kept", "--systems", "causeway", "--rounds", "1"])
    assert not complete
    assert [workload.name for workload in choice.workloads] == ["kept"]
    assert choice.systems_of(choice.workloads[0]) == ["causeway"]


def test_a_quick_run_measures_what_every_ratio_needs() -> None:
    choice, _ = parse(["--quick"])
    chosen = {workload.name: choice.systems_of(workload) for workload in choice.workloads}
    samples = {
        name: {system: [dict.fromkeys(_ALL_FIGURES, 1.0)] for system in systems} for name, systems in chosen.items()
    }
    assert None not in measured(samples).values()


_ALL_FIGURES = ("cpu_us", "cpu_ms_per_gb", "idle_kb", "first_byte_ms")
