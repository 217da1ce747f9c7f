"""What is still under way while checks run, in one line that goes again."""

import asyncio
import time
from collections.abc import Sequence

from rich.live import Live
from rich.text import Text

from causeway.cli.shared.output import stderr
from causeway.observability.checks import CheckResult
from causeway.preflight.probe import Probe, run_probes


class UnderWay:
    """The probes that have not come to their end; renders as one line, however many they are."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = list(probes)
        self._count = len(probes)
        self._began = time.monotonic()

    def ended(self, probe: Probe) -> None:
        """One fewer."""
        self._probes.remove(probe)

    def __rich__(self) -> Text:
        left = list(self._probes)
        # The name of a check says "server"; what people wait for is the target.
        named = ", ".join(f"{probe.name} {probe.target}" for probe in left) or "nothing more"
        seconds = int(time.monotonic() - self._began)
        return Text(
            f"{self._count - len(left)} of {self._count} done, {seconds} s; waiting for {named}",
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )


def run(probes: Sequence[Probe], *, timeout_s: float) -> list[CheckResult]:
    """The results of all probes, with the line at a terminal."""
    under_way = UnderWay(probes)

    def look() -> list[CheckResult]:
        return asyncio.run(run_probes(probes, timeout_s=timeout_s, ended=under_way.ended))

    if not stderr.is_terminal or stderr.is_dumb_terminal:
        return look()
    with Live(console=stderr, transient=True, get_renderable=under_way.__rich__, refresh_per_second=8):
        return look()
