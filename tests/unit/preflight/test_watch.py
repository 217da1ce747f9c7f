"""What changed between two looks, and how much of it a terminal has room for."""

import io

import pytest
from rich.console import Console

from causeway.cli.check.progress import UnderWay
from causeway.cli.check.watch import Screen, compare, keyed
from causeway.observability.checks import CheckResult, Status
from causeway.preflight.probe import Probe

GOOD = CheckResult("dns answer", "a", Status.PASS, "as planned")
BAD = CheckResult("dns answer", "a", Status.FAIL, "no such name", "Make the record.")


def test_a_change_is_another_status_or_another_reason_and_not_a_clock_that_runs() -> None:
    first = compare(None, [BAD])
    assert (first.was, first.gone, first.exit_code) == ({}, (), 1)
    second = compare(first, [GOOD])
    assert list(second.was.values()) == [Status.FAIL]
    assert second.exit_code == 0
    old = CheckResult("dns agreement", "a", Status.WARN, "stale: for up to 30 s")
    new = CheckResult("dns agreement", "a", Status.WARN, "stale: for up to 20 s")
    other = CheckResult("dns agreement", "a", Status.WARN, "split horizon")
    assert compare(compare(None, [old]), [new]).was == {}
    assert list(compare(compare(None, [old]), [other]).was.values()) == [Status.WARN]


def test_what_comes_is_new_and_what_goes_is_gone() -> None:
    look = compare(compare(None, [BAD]), [CheckResult("x", "y", Status.PASS, "z")])
    assert list(look.was.values()) == [None]
    assert look.gone == (BAD,)


def test_several_results_of_one_name_and_target_are_told_apart() -> None:
    assert len(keyed([GOOD, GOOD, BAD])) == 3
    assert compare(compare(None, [GOOD, BAD]), [GOOD, BAD]).was == {}


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (20, 5), (1, 1)])
def test_the_screen_never_has_more_lines_than_the_terminal(columns: int, rows: int) -> None:
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=True)
    screen = Screen(console)
    passing = [CheckResult("network endpoint", f"h{n}:443", Status.PASS, "x" * 200) for n in range(60)]
    screen.show(compare(None, [*passing, BAD]), 10)
    lines = console.render_lines(screen, console.options)
    assert len(lines) <= max(rows, 3)
    if rows >= 24:
        text = "\n".join("".join(segment.text for segment in line) for line in lines)
        assert "FAIL  dns answer" in text
        assert "… and 60 more" in text


def test_what_is_under_way_is_one_line_however_much_there_is() -> None:
    async def look() -> list[CheckResult]:
        return [GOOD]

    probes = [Probe("network endpoint", f"host{n}.example:443", look) for n in range(50)]
    under_way = UnderWay(probes)
    under_way.ended(probes[0])
    console = Console(file=io.StringIO(), width=80)
    (line,) = console.render_lines(under_way, console.options)
    text = "".join(segment.text for segment in line)
    assert text.startswith("1 of 50 done, 0 s; waiting for network endpoint host1.example:443, ")
