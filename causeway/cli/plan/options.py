"""What the commands on a plan share: its file, its prices, and how findings are printed."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from causeway.cli.shared.output import OK, PROBLEMS, stdout
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.prices import OLD_AFTER_DAYS, Prices, read_prices, shipped

PlanArgument = Annotated[Path, typer.Argument(help="The plan.")]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Say of everything why it is so.")]

READABLE = 0o644
"""Mode of what is written: a plan and what follows from it hold no secret, and others have to read them."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


def fetched_prices_path() -> Path:
    """Where prices that were fetched are kept, in the format of the list in the package."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "causeway" / "prices.json"


def known_prices() -> Prices:
    """The prices in the package, and over them those that were fetched.

    Raises:
        StateError: what was fetched cannot be read.
    """
    fetched = read_prices(fetched_prices_path())
    return Prices([shipped(), *([fetched] if fetched else [])])


def is_old(day: str) -> bool:
    """Whether a price of that day should be asked again."""
    return (datetime.now(UTC).date() - datetime.fromisoformat(day).date()).days > OLD_AFTER_DAYS


def print_findings(findings: Sequence[PlanFinding]) -> int:
    """Print what is wrong with the plan, and return the exit code: problems where it cannot work."""
    for finding in findings:
        colour = _COLOURS[finding.severity]
        head = Text.assemble(
            (f"{finding.severity}", f"bold {colour}"), "  ", f"{finding.message}  ", (finding.key, "dim")
        )
        stdout.print(head)
        stdout.print(Padding(Text(finding.reason), (0, 0, 0, 2), expand=False))
        stdout.print(Padding(Text(f"→ {finding.remedy}", style="bold"), (0, 0, 0, 2), expand=False))
    counts = {severity: sum(each.severity is severity for each in findings) for severity in Severity}
    if not findings:
        stdout.print("Nothing contradicts.")
    else:
        stdout.print(
            ", ".join(f"{number} {severity}{'s' * (number != 1)}" for severity, number in counts.items()) + "."
        )
    return PROBLEMS if counts[Severity.ERROR] else OK
