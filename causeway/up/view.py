"""What a person sees while ``causeway up`` runs: a live view on a terminal, plain lines elsewhere."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from causeway.device.simulator import DeviceResult
from causeway.up.home import Home
from causeway.up.last_errors import LastErrors
from causeway.up.metrics_reader import GatewayFigures, read_gateway

_LOOK_S = 1.0
_SHOWN_DEVICES = 20


class View:
    """Looks at the gateway every second and shows what it sees.

    Attributes:
        devices: by name, as far as they have come.
    """

    def __init__(self, console: Console, home: Home) -> None:
        self._console = console
        self._home = home
        self._errors = LastErrors(home.logs)
        self._figures = GatewayFigures()
        self._rate = 0.0
        self._looked = time.monotonic()
        self._through = ""
        self.devices: dict[str, DeviceResult] = {}

    async def show(self, stop: asyncio.Event) -> None:
        """Show until ``stop`` is set."""
        if not self._console.is_terminal:
            await self._each_second(stop, self._print_changes)
            return
        with Live(self._picture(), console=self._console, refresh_per_second=4) as live:
            await self._each_second(stop, lambda _new: live.update(self._picture()))

    async def _each_second(self, stop: asyncio.Event, show: Callable[[list[str]], object]) -> None:
        while not stop.is_set():
            figures = await read_gateway(self._home.ports.gateway_admin)
            now = time.monotonic()
            self._rate = max(0, figures.requests - self._figures.requests) / max(now - self._looked, 0.001)
            self._looked, self._figures = now, figures
            show(self._errors.look())
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_S)
            except TimeoutError:
                continue

    def _print_changes(self, new_errors: list[str]) -> None:
        """One line when something happened, and nothing when not."""
        for line in new_errors:
            self._console.print(f"  {line}", markup=False, soft_wrap=True)
        through = through_by_kind(list(self.devices.values()))
        if through != self._through:
            self._through = through
            self._console.print(f"devices that got through: {through}", markup=False)
        if self._rate:
            statuses = " ".join(f"{status}:{count}" for status, count in sorted(self._figures.statuses.items()))
            self._console.print(
                f"tunnels {self._figures.tunnels}, {self._rate:.0f} requests/s, answers {statuses}", markup=False
            )

    def _picture(self) -> RenderableType:
        figures = self._figures
        grid = Table.grid(padding=(0, 2))
        statuses = Text()
        for status, count in sorted(figures.statuses.items()):
            statuses.append(f"{status} ", style=_status_style(status))
            statuses.append(f"{count}   ")
        grid.add_row("tunnels", Text(str(figures.tunnels), style="green" if figures.tunnels else "red"))
        grid.add_row("requests/s", f"{self._rate:.1f}")
        grid.add_row("answers", statuses if figures.statuses else "none yet")
        grid.add_row("connections", str(figures.connections))
        parts: list[RenderableType] = [grid, device_table(list(self.devices.values())[:_SHOWN_DEVICES])]
        if len(self.devices) > _SHOWN_DEVICES:
            parts.append(Text(f"… and {len(self.devices) - _SHOWN_DEVICES} more devices", style="dim"))
        if self._errors.lines:
            parts.append(Text("last errors", style="bold"))
            parts += [Text(f"  {line}", overflow="ellipsis", no_wrap=True) for line in self._errors.lines]
        parts.append(Text("Ctrl-C drains and stops", style="dim"))
        return Group(*parts)


def device_table(devices: Sequence[DeviceResult]) -> Table:
    """How far each device has come."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("device", no_wrap=True)
    table.add_column("authentication", no_wrap=True)
    table.add_column("identity", overflow="ellipsis")  # on 80 columns this one gives way, since lists show it, too
    for heading in ("registered", "policy", "heartbeat"):
        table.add_column(heading, no_wrap=True)
    for device in devices:
        table.add_row(
            device.name,
            device.authentication,
            device.identity or "…",
            *map(_mark, (device.registered, device.policy, device.heartbeat)),
        )
    return table


def through_by_kind(devices: Sequence[DeviceResult]) -> str:
    """How many of each kind of identity got all the way, such as ``certificate 3 of 3, token 1 of 2``."""
    everyone = Counter(device.authentication for device in devices)
    through = Counter(device.authentication for device in devices if device.ok)
    return ", ".join(f"{kind} {through[kind]} of {count}" for kind, count in sorted(everyone.items()))


def _mark(done: bool) -> Text:
    return Text("yes", style="green") if done else Text("no", style="yellow")


def _status_style(status: str) -> str:
    return {"2": "green", "3": "green", "4": "yellow"}.get(status[0], "red")
