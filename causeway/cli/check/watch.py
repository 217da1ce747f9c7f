"""``causeway check --watch``: look again and again, and show what changes."""

import asyncio
import contextlib
import datetime as dt
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.console import Group as Lines
from rich.live import Live
from rich.text import Text

from causeway.cli.check.progress import UnderWay
from causeway.cli.shared.output import (
    INTERRUPTED,
    OK,
    PROBLEMS,
    check_line,
    checks_value,
    print_checks,
    print_json,
    remedy_line,
    stdout,
    summary,
    visible,
)
from causeway.observability.checks import CheckResult, Status, passed
from causeway.preflight.probe import Probe, run_probes

Key = tuple[str, str, int]

_SECONDS = re.compile(r"\b\d+ s\b")


@dataclass(frozen=True, slots=True)
class Look:
    """One look, and what is different from the one before.

    Attributes:
        results: in their order.
        was: the statuses before of those that changed; None where a check was not there before.
        gone: what was there before.
        first: there was none before.
    """

    results: tuple[CheckResult, ...]
    was: Mapping[Key, Status | None]
    gone: tuple[CheckResult, ...]
    first: bool = False

    @property
    def exit_code(self) -> int:
        """Of this look alone."""
        return OK if passed(self.results) else PROBLEMS

    @property
    def changed(self) -> list[tuple[CheckResult, Status | None]]:
        """Those that changed, each with what it was."""
        return [(each, self.was[key]) for key, each in keyed(self.results).items() if key in self.was]


def keyed(results: Sequence[CheckResult]) -> dict[Key, CheckResult]:
    """Each result by what it looks at; several of one name and target by their order."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, CheckResult] = {}
    for each in results:
        place = (each.name, each.target)
        found[*place, seen[place]] = each
        seen[place] += 1
    return found


def compare(before: Look | None, results: Sequence[CheckResult]) -> Look:
    """The next look. Seconds that run down are no change."""
    if before is None:
        return Look(tuple(results), {}, (), first=True)
    old, new = keyed(before.results), keyed(results)
    was = {
        key: old[key].status if key in old else None
        for key, each in new.items()
        if key not in old or old[key].status is not each.status or _still(old[key]) != _still(each)
    }
    return Look(tuple(results), was, tuple(each for key, each in old.items() if key not in new))


def _still(result: CheckResult) -> str:
    return _SECONDS.sub("", result.details)


def watch(
    probes: Callable[[], Sequence[Probe]], *, timeout_s: float, interval_s: float, until_pass: bool, as_json: bool
) -> int:
    """Look until Ctrl-C, or until nothing fails; returns the exit code of the last look.

    Args:
        probes: asked before each look what to look at.
        timeout_s: for one look.
        interval_s: from the end of one look to the next.
        until_pass: end as soon as nothing fails.
        as_json: one object a line, for machines.
    """
    if as_json:
        return _repeat(probes, timeout_s, interval_s, until_pass, _print_json)
    if not stdout.is_terminal or stdout.is_dumb_terminal:
        return _repeat(probes, timeout_s, interval_s, until_pass, _print_changes)
    screen = Screen()
    with Live(console=stdout, get_renderable=screen.__rich__, refresh_per_second=4, vertical_overflow="crop"):
        return _repeat(probes, timeout_s, interval_s, until_pass, screen.show, screen.begin)


def _repeat(
    probes: Callable[[], Sequence[Probe]],
    timeout_s: float,
    interval_s: float,
    until_pass: bool,
    show: Callable[[Look, float], None],
    begin: Callable[[UnderWay], None] = lambda _: None,
) -> int:
    look: Look | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while look is None or not (until_pass and look.exit_code == OK):
            if look is not None:
                time.sleep(interval_s)
            wanted = probes()
            under_way = UnderWay(wanted)
            begin(under_way)
            results = asyncio.run(run_probes(wanted, timeout_s=timeout_s, ended=under_way.ended))
            look = compare(look, results)
            show(look, interval_s)
    return INTERRUPTED if look is None else look.exit_code


def _print_json(look: Look, _: float) -> None:
    value = checks_value(look.results)
    value["at"] = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    value["changed"] = [{"name": each.name, "target": each.target, "was": was} for each, was in look.changed]
    value["gone"] = [{"name": each.name, "target": each.target} for each in look.gone]
    print_json(value)


def _print_changes(look: Look, _: float) -> None:
    if look.first:
        print_checks(look.results, as_json=False)
        return
    if not look.was and not look.gone:
        return
    now = dt.datetime.now().astimezone()
    for each, was in look.changed:
        stdout.print(Text(f"{now:%H:%M:%S}  {_before(was)}") + check_line(each), soft_wrap=True)
        if (remedy := remedy_line(each)) is not None:
            stdout.print(remedy, soft_wrap=True)
    for each in look.gone:
        stdout.print(Text(f"{now:%H:%M:%S}  gone  {each.name}  {each.target}"), soft_wrap=True)
    stdout.print(f"{now:%H:%M:%S}  {summary(look.results)}")


def _before(was: Status | None) -> str:
    return "new  " if was is None else f"was {was}  "


class Screen:
    """The last look at a terminal, in place. Where there is too little room, what passes as before is left out."""

    def __init__(self, console: Console = stdout) -> None:
        self._console = console
        self._looks = 0
        self._look: Look | None = None
        self._under_way: UnderWay | None = None
        self._next_at = 0.0

    def begin(self, under_way: UnderWay) -> None:
        """A look has begun."""
        self._under_way = under_way

    def show(self, look: Look, interval_s: float) -> None:
        """A look has ended; the next one is so many seconds away."""
        self._looks += 1
        self._look, self._under_way, self._next_at = look, None, time.monotonic() + interval_s

    def __rich__(self) -> Lines:
        look, under_way = self._look, self._under_way
        head = under_way.__rich__() if under_way is not None else self._waiting()
        if look is None:
            return Lines(head)
        room = max(1, self._console.size.height - 3)
        lines = self._lines(look, quiet=True)
        if len(lines) > room:
            lines = self._lines(look, quiet=False)[: room - 1]
        hidden = len(look.results) - sum(is_result for is_result, _ in lines)
        more = [Text(f"  … and {hidden} more", style="dim", no_wrap=True)] if hidden else []
        return Lines(
            head, *(line for _, line in lines), *more, Text(summary(look.results), no_wrap=True, overflow="ellipsis")
        )

    def _waiting(self) -> Text:
        left = max(0, round(self._next_at - time.monotonic()))
        return Text(f"Look {self._looks}; the next in {left} s. Ctrl-C ends.", style="dim", no_wrap=True)

    def _lines(self, look: Look, *, quiet: bool) -> list[tuple[bool, Text]]:
        """Each line, and whether it is a result; those that pass as before only with ``quiet``."""
        lines: list[tuple[bool, Text]] = []
        for key, each in keyed(look.results).items():
            changed = key in look.was
            if not (quiet or changed or each.status in {Status.FAIL, Status.WARN}):
                continue
            mark = f"● {_before(look.was[key])}" if changed else "  "
            lines.append((True, Text(mark) + check_line(each)))
            if (remedy := remedy_line(each)) is not None:
                lines.append((False, Text("  ") + remedy))
        lines += [(False, Text(f"● gone  {each.name}  {visible(each.target)}")) for each in look.gone]
        for _, line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return lines
