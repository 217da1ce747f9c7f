"""What every command prints the same way: checks, tables, JSON, and the one line of an error."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from causeway.observability.checks import CheckResult, Status, passed

OK, PROBLEMS, WRONG_USE = 0, 1, 2
"""Exit codes: all is well, problems were found, the command was used or configured wrongly."""

# rich leaves colours out where NO_COLOR is set or the output is no terminal; there, lines may be long, too.
stdout = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
stderr = Console(stderr=True, highlight=False)

_COLOURS = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "red", Status.SKIP: "dim"}


def print_json(value: Any) -> None:
    """One JSON value for machines."""
    print(json.dumps(value, default=str, ensure_ascii=False))


def visible(text: str) -> str:
    """``text`` on one line, without what a terminal would obey: much of what is printed came from outside."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def print_error(message: str) -> None:
    """One line on standard error."""
    stderr.print("[red]error:[/red]", end=" ")
    stderr.print(message, markup=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, none: str) -> None:
    """A table, or the sentence ``none`` where it would be empty."""
    if not rows:
        stdout.print(none)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # what a device calls itself is no markup
    stdout.print(table)


def print_checks(results: Sequence[CheckResult], *, as_json: bool) -> int:
    """Print the results and return the exit code."""
    ok = passed(results)
    if as_json:
        checks = [
            {"name": r.name, "target": r.target, "status": r.status, "details": r.details, "action": r.action}
            for r in results
        ]
        print_json({"ok": ok, "checks": checks})
        return OK if ok else PROBLEMS
    for result in results:
        colour = _COLOURS[result.status]
        stdout.print(f"[{colour}]{result.status}[/{colour}]  {result.name}  ", end="")
        stdout.print(visible(f"{result.target}: {result.details}"), markup=False, soft_wrap=True)
        if result.status in {Status.FAIL, Status.WARN} and result.action:
            stdout.print(visible(f"      → {result.action}"), markup=False, soft_wrap=True)
    counted = Counter(result.status for result in results)
    seen = [f"{counted[Status.FAIL]} failed"] * bool(counted[Status.FAIL])
    seen += [f"{counted[Status.WARN]} with a warning"] * bool(counted[Status.WARN])
    seen += [f"{counted[Status.SKIP]} skipped"] * bool(counted[Status.SKIP])
    stdout.print(f"{len(results)} checks, {', '.join(seen) or 'all well'}.")
    return OK if ok else PROBLEMS
