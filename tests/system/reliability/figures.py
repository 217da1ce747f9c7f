"""Measured figures: printed as a table, and written into the documentation where that is asked for."""

import os
from pathlib import Path

from bench.machine import commit, processor, system

_ASKED = "CAUSEWAY_WRITE_FIGURES"
_DOCUMENT = Path(__file__).parents[3] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


class Figures:
    """The rows of a table.

    Args:
        columns: their headings.
    """

    def __init__(self, *columns: str) -> None:
        self._rows = [columns, ("---",) * len(columns)]

    def add(self, *cells: str) -> None:
        """A row more."""
        self._rows.append(cells)

    def publish(self) -> None:
        """Print the table; with ``CAUSEWAY_WRITE_FIGURES`` in the environment also replace the one in the document."""
        table = "".join(f"| {' | '.join(row)} |\n" for row in self._rows)
        table += f"\n{processor()}; {system()}; commit {commit()}.\n"
        print(f"\n{table}")
        if os.environ.get(_ASKED):
            before, _, rest = _DOCUMENT.read_text("utf-8").partition(_BEGIN)
            after = rest.partition(_END)[2]
            _DOCUMENT.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", "utf-8")
