"""The report for people, and the table in ``docs/performance.md``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Summary
from bench.ratios import RATIOS
from bench.results import METHOD, Results
from bench.systems import SYSTEMS
from bench.workloads import WORKLOADS
from bench.workloads.requests import Fresh

BEGIN = "<!-- bench: begin (written by `make bench`) -->"
END = "<!-- bench: end -->"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float, decimals: int) -> str:
    """With separated thousands."""
    return f"{value:,.{decimals}f}"


def _spread(summary: Summary, decimals: int) -> str:
    shown = number(summary.median, decimals)
    if len(summary.rounds) == 1:
        return shown
    return f"{shown} ({number(summary.lowest, decimals)} to {number(summary.highest, decimals)})"


def ratio_table(results: Results) -> str:
    """What was promised and what was measured."""
    rows = []
    for ratio in RATIOS:
        found = results.ratios[ratio.key]
        if found is None:
            shown, verdict = "-", "not measured"
        else:
            shown = _spread(found, 1 if ratio.limit > 10 else 2)
            verdict = "aim" if found.median <= ratio.aim else "yes" if found.median <= ratio.limit else "**no**"
        rows.append((f"{ratio.meaning} (`{ratio.key}`)", shown, f"{ratio.limit:g}", f"{ratio.aim:g}", verdict))
    return table(("", "measured", "at most", "aim", "reached"), rows)


def workload_table(results: Results, name: str) -> str:
    """All figures of one workload."""
    workload = WORKLOADS[name]
    by_system = results.figures[name]
    columns = [column for column in workload.columns if any(column.figure in figures for figures in by_system.values())]
    heading = ["", workload.main.heading, *(column.heading for column in columns)]
    rows = [
        [
            SYSTEMS[system].title,
            _spread(figures[workload.main.figure], workload.main.decimals),
            *(
                number(figures[column.figure].median, column.decimals) if column.figure in figures else "-"
                for column in columns
            ),
        ]
        for system, figures in by_system.items()
    ]
    return table(heading, rows) + _handshake_limit(results, workload)


def _handshake_limit(results: Results, workload: object) -> str:
    if not isinstance(workload, Fresh) or workload.resumed:
        return ""
    limit = results.limits.handshakes_per_s(workload.server_key, certificate=workload.certificate)
    ours = results.figures[workload.name].get("causeway")
    share = f"; Causeway's edge reaches {100 * ours['handshakes_cpu_s'].median / limit:.0f} %" if ours else ""
    return (
        f"\nBy `openssl speed`, one processor could do the asymmetric cryptography of {number(limit, 0)} such "
        f"handshakes a second{share}.\n"
    )


def overview_table(results: Results) -> str:
    """The figure to compare of each workload, a column a system."""
    systems = [name for name in SYSTEMS if any(name in found for found in results.figures.values())]
    rows = [
        [
            f"{WORKLOADS[name].title}: {WORKLOADS[name].main.heading}",
            *(_cell(by_system, system, name) for system in systems),
        ]
        for name, by_system in results.figures.items()
    ]
    return table(["", *(SYSTEMS[name].title for name in systems)], rows)


def _cell(by_system: Mapping[str, Mapping[str, Summary]], system: str, workload: str) -> str:
    main = WORKLOADS[workload].main
    figures = by_system.get(system)
    return "-" if figures is None else number(figures[main.figure].median, main.decimals)


def surroundings(results: Results) -> str:
    """When, where, with what."""
    kind = "A quick run" if results.quick else "A full run" if results.complete else "A partial run"
    programs = "; ".join(results.versions.values())
    return (
        f"{kind} of {results.date.isoformat()}: {results.rounds} rounds, {results.seconds / 60:.1f} minutes, commit "
        f"{results.commit}. {results.processor}; {results.system}. {programs}.\n"
    )


def report(results: Results) -> str:
    """The whole report."""
    parts = [f"# Benchmark, {results.date.isoformat()}\n", surroundings(results), "## Ratios\n", ratio_table(results)]
    for name in results.figures:
        parts += [f"## {WORKLOADS[name].title}\n", workload_table(results, name)]
    parts += ["## Method\n", "\n".join(f"- {line}" for line in METHOD) + "\n"]
    return "\n".join(parts)


def documented(results: Results) -> str:
    """What stands between the markers of ``docs/performance.md``."""
    return "\n".join(
        [
            surroundings(results),
            ratio_table(results),
            "What each system costs; medians. All figures, with latencies and spread, are in the run's report "
            f"(`bench/results/{results.date.isoformat()}.md`).\n",
            overview_table(results),
        ]
    )


def update_document(path: Path, text: str) -> None:
    """Put ``text`` between the markers.

    Raises:
        BenchError: they are not there, or not once each and in order.
    """
    present = path.read_text()
    before, begin, rest = present.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise BenchError(f"{path}: the markers of the table are not there once each: {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
