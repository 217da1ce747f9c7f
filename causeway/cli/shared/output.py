"""What every command prints the same way: checks, tables, JSON, and the one line of an error."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from causeway.observability.checks import CheckResult, Status, passed

OK, PROBLEMS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all is well, problems were found, the command was used or configured wrongly, Ctrl-C ended it."""

# rich leaves colours out where NO_COLOR is set or the output is no terminal; there, lines may be long, too.
stdout = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
stderr = Console(stderr=True, highlight=False)

_ENDLESS = 100_000
_COLOURS = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "red", Status.SKIP: "dim"}


def json_text(value: Any) -> str:
    """One JSON value for machines, on one line."""
    return json.dumps(value, default=str, ensure_ascii=False)


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json_text(value), flush=True)


def moment(at: datetime | None, *, none: str = "-") -> str:
    """A moment in UTC, as every list and sentence says it; ``none`` where there was or will be none."""
    return none if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"


def visible(text: str) -> str:
    """``text`` on one line, without what a terminal would obey: much of what is printed came from outside."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def print_error(message: str) -> None:
    """One line on standard error."""
    stderr.print("[red]error:[/red]", end=" ")
    stderr.print(message, markup=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, none: str) -> None:
    """A table, or the sentence ``none`` where it would be empty.

    Where a terminal is too narrow, each row is a block of a line for each column: an id that is broken over lines is
    good for nothing.
    """
    if not rows:
        stdout.print(none)
        return
    # Text: what a device calls itself is no markup.
    table = _grid()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    needed = Measurement.get(stdout, stdout.options.update(width=_ENDLESS), table).maximum
    if not stdout.is_terminal or needed <= stdout.width:
        stdout.print(table)
        return
    for number, row in enumerate(rows):
        block = _grid(show_header=False)
        block.add_column(no_wrap=True)
        block.add_column(overflow="fold")
        for column, value in zip(columns, row, strict=True):
            block.add_row(column, Text(value))
        if number:
            stdout.print()
        stdout.print(block)


def _grid(*, show_header: bool = True) -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=show_header)


def check_line(result: CheckResult) -> Text:
    """What was seen; what comes from outside is no markup."""
    seen = visible(f"{result.target}: {result.details}")
    return Text.assemble((str(result.status), _COLOURS[result.status]), f"  {result.name}  {seen}")


def remedy_line(result: CheckResult) -> Text | None:
    """What to do about it, where there is something to do."""
    if result.status not in {Status.FAIL, Status.WARN} or not result.action:
        return None
    return Text(visible(f"      → {result.action}"))


def summary(results: Sequence[CheckResult]) -> str:
    """How many there are, and how they went."""
    counted = Counter(result.status for result in results)
    seen = [f"{counted[Status.FAIL]} failed"] * bool(counted[Status.FAIL])
    seen += [f"{counted[Status.WARN]} with a warning"] * bool(counted[Status.WARN])
    seen += [f"{counted[Status.SKIP]} skipped"] * bool(counted[Status.SKIP])
    checks = "check" if len(results) == 1 else "checks"
    return f"{len(results)} {checks}, {', '.join(seen) or 'all well'}."


def checks_value(results: Sequence[CheckResult]) -> dict[str, Any]:
    """The results for machines."""
    checks = [
        {"name": r.name, "target": r.target, "status": r.status, "details": r.details, "action": r.action}
        for r in results
    ]
    return {"ok": passed(results), "checks": checks}


def print_checks(results: Sequence[CheckResult], *, as_json: bool) -> int:
    """Print the results and return the exit code."""
    if as_json:
        print_json(checks_value(results))
    else:
        for result in results:
            # At a terminal what was seen breaks between words; a remedy is copied, so it is left to the terminal.
            stdout.print(check_line(result), soft_wrap=not stdout.is_terminal)
            if (remedy := remedy_line(result)) is not None:
                stdout.print(remedy, soft_wrap=True)
        stdout.print(summary(results))
    return OK if passed(results) else PROBLEMS
