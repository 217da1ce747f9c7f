"""The command: ``python -m bench [--quick] [--only WORKLOAD …] [--systems SYSTEM …] [--rounds N]``."""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import machine, needs, report, results
from bench.certificates import Certificates
from bench.run import Choice, run
from bench.systems import SYSTEMS
from bench.workbench import Ports, Workbench
from bench.workloads import WORKLOADS
from causeway.errors import CausewayError

_ROOT = Path(__file__).parents[1]
_ROUNDS, _QUICK_ROUNDS = 5, 3
_OPEN_FILES = 65_536

_console = Console(highlight=False, soft_wrap=True)


def _say(line: str) -> None:
    _console.print(line, markup=False)


def parse(arguments: Sequence[str] | None = None) -> tuple[Choice, bool]:
    """The choice, and whether it is all there is to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Causeway beside its peers.")
    parser.add_argument("--quick", action="store_true", help="what the ratios need, in under four minutes")
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD", choices=list(WORKLOADS), help=", ".join(WORKLOADS))
    parser.add_argument("--systems", nargs="+", metavar="SYSTEM", choices=list(SYSTEMS), help=", ".join(SYSTEMS))
    parser.add_argument("--rounds", type=int, metavar="N", help=f"default: {_ROUNDS}, quick {_QUICK_ROUNDS}")
    chosen = parser.parse_args(arguments)
    rounds = chosen.rounds or (_QUICK_ROUNDS if chosen.quick else _ROUNDS)
    if rounds < 1:
        parser.error("--rounds: at least 1")
    workloads = [WORKLOADS[name] for name in WORKLOADS if not chosen.only or name in chosen.only]
    complete = not chosen.only and not chosen.systems and chosen.rounds is None
    return Choice(workloads, chosen.systems or (), rounds, chosen.quick), complete


def _measure(choice: Choice, *, complete: bool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, _OPEN_FILES)), hard))
    cache = needs.cache_folder()
    tools = needs.prepare(cache, _say)
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="causeway-bench-"))
    try:
        bench = Workbench(folder, tools, Certificates(cache / "pki"), Ports())
        limits = machine.limits(tools)
        samples = run(bench, choice, _say)
        found = results.gather(bench, choice, samples, limits, time.monotonic() - started, complete=complete)
    except BaseException:
        _say(f"The logs of what ran are in {folder}.")
        raise
    shutil.rmtree(folder, ignore_errors=True)
    document, text = results.write(_ROOT / "bench" / "results", found, report.report(found))
    _say("\n" + report.ratio_table(found))
    if complete:
        report.update_document(_ROOT / "docs" / "performance.md", report.documented(found))
    _say(f"Written: {document.relative_to(_ROOT)}, {text.relative_to(_ROOT)}" + (", docs/performance.md" * complete))


def main() -> None:
    """Run; exit code 2 where it cannot, with one line that says why."""
    choice, complete = parse()
    try:
        _measure(choice, complete=complete)
    except CausewayError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
