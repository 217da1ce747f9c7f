"""The gateway's figures, from its metrics: what the live view shows is what Prometheus would see."""

from collections import Counter
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

_PREFIX = "causeway_gateway_"


@dataclass(slots=True)
class GatewayFigures:
    """One look at the metrics.

    Attributes:
        statuses: requests answered, by status.
        refusals: by word.
    """

    tunnels: int = 0
    streams: int = 0
    connections: int = 0
    settings_version: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """All requests, those refused at the gateway included."""
        return self.statuses.total()


async def read_gateway(admin_port: int) -> GatewayFigures:
    """Ask the gateway's admin address; an empty look where it does not answer."""
    figures = GatewayFigures()
    try:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{admin_port}/metrics")
            response.raise_for_status()
    except httpx.HTTPError:
        return figures
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            _take(figures, sample.name, sample.labels, int(sample.value) if sample.value == sample.value else 0)
    return figures


def _take(figures: GatewayFigures, name: str, labels: dict[str, str], value: int) -> None:
    match name.removeprefix(_PREFIX):
        case "requests_total":
            figures.statuses[labels["status"]] += value
        case "refusals_total":
            figures.refusals[labels["word"]] += value
        case "tunnels":
            figures.tunnels += value
        case "streams":
            figures.streams += value
        case "connections":
            figures.connections += value
        case "settings_version":
            figures.settings_version = max(figures.settings_version, value)
