"""What every command prints the same way, at terminals of several widths."""

import io

import pytest
from rich.console import Console

from causeway.cli.shared import output
from causeway.observability.checks import CheckResult, Status

ID = "GUID:F5AD7200-9ED9-4389-A983-30F9A51360DE"
COLUMNS = ("no", "id", "name", "last contact", "policy")
ROWS = [(str(number), ID, "[bold]", "2026-11-24 11:22:44Z", "2026-11-24 11:22:44Z") for number in (1, 2)]


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> io.StringIO:
    shown = io.StringIO()
    monkeypatch.setattr(output, "stdout", Console(file=shown, width=width, force_terminal=True, color_system=None))
    return shown


def test_a_table_has_a_line_for_each_row_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch, 120)
    output.print_table(COLUMNS, ROWS, none="none")
    assert len(shown.getvalue().splitlines()) == 1 + len(ROWS)


def test_where_a_table_has_no_room_each_row_is_a_block_and_no_id_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch, 80)
    output.print_table(COLUMNS, ROWS, none="none")
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert lines[:3] == ["no           1", f"id           {ID}", "name         [bold]"]
    assert lines[len(COLUMNS)] == ""
    assert len(lines) == len(ROWS) * len(COLUMNS) + 1


def test_a_check_breaks_between_words_and_its_remedy_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch, 40)
    remedy = "Run `causeway cert renew --folder certificate --if-due`."
    output.print_checks(
        [CheckResult("dates", "server.pem", Status.FAIL, "expired on 2026-11-23", remedy)], as_json=False
    )
    first, second, third, last = (line.rstrip() for line in shown.getvalue().splitlines())
    assert f"{first} {second}" == "FAIL  dates  server.pem: expired on 2026-11-23"
    assert third == f"      → {remedy}"
    assert last == "1 check, 1 failed."
