"""What a connection point counts."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from causeway.observability.histogram import Histogram, cumulative_buckets

if TYPE_CHECKING:
    from causeway.connection_point.service import ConnectionPoint


class EndpointMetrics:
    """The counters of one published endpoint."""

    __slots__ = ("bytes_in", "bytes_out", "latency", "statuses")

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.bytes_in = 0
        self.bytes_out = 0
        self.latency = Histogram()


class ConnectionPointMetrics:
    """All counters but those of endpoints."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.retries = 0
        self.dials: Counter[str] = Counter()
        self.settings_refused: Counter[str] = Counter()


_PREFIX = "causeway_connection_point_"


def families(point: "ConnectionPoint") -> Iterable[Metric]:
    """The metrics of a running connection point."""
    yield from _endpoint_families(point.site_systems.metrics)
    metrics = point.metrics
    for name, label, text, values in (
        ("failures", "word", "Requests that failed here, by word.", metrics.failures),
        ("dials", "result", "Attempts to reach a gateway worker, by result.", metrics.dials),
        ("settings_refused", "word", "Gateway settings documents refused, by word.", metrics.settings_refused),
    ):
        family = CounterMetricFamily(_PREFIX + name, text, labels=[label])
        for value, count in values.items():
            family.add_metric([value], count)
        yield family
    retries = CounterMetricFamily(_PREFIX + "retries", "Requests sent again because a kept connection had gone.")
    retries.add_metric([], metrics.retries)
    yield retries
    yield from _tunnel_families(point)
    upstream = GaugeMetricFamily(
        _PREFIX + "upstream_connections", "Connections now, by site system.", labels=["origin"]
    )
    for origin, pool in point.site_systems.pools.items():
        upstream.add_metric([f"{origin.host}:{origin.port}"], pool.open)
    yield upstream
    ends = GaugeMetricFamily(
        _PREFIX + "certificate_not_after_seconds",
        "When a certificate in use ends, in seconds since 1970.",
        labels=["certificate"],
    )
    for certificate in point.certificates:
        if certificate.not_after:
            ends.add_metric([certificate.name], certificate.not_after)
    yield ends
    version = GaugeMetricFamily(_PREFIX + "settings_version", "Version of the gateway settings; 0 for none.")
    version.add_metric([], point.settings_version)
    yield version


def _endpoint_families(endpoints: dict[str, EndpointMetrics]) -> Iterable[Metric]:
    requests = CounterMetricFamily(
        _PREFIX + "requests",
        "Requests answered by site systems, by endpoint and status.",
        labels=["endpoint", "status"],
    )
    received = CounterMetricFamily(_PREFIX + "received_bytes", "Bytes of request bodies.", labels=["endpoint"])
    sent = CounterMetricFamily(_PREFIX + "sent_bytes", "Bytes of answers' bodies.", labels=["endpoint"])
    latency = HistogramMetricFamily(
        _PREFIX + "request_seconds", "From a request's arrival to the end of its answer.", labels=["endpoint"]
    )
    for name, endpoint in endpoints.items():
        for status, count in endpoint.statuses.items():
            requests.add_metric([name, str(status)], count)
        received.add_metric([name], endpoint.bytes_in)
        sent.add_metric([name], endpoint.bytes_out)
        latency.add_metric([name], cumulative_buckets(endpoint.latency.counts), endpoint.latency.sum)
    return requests, received, sent, latency


def _tunnel_families(point: "ConnectionPoint") -> Iterable[Metric]:
    labels = ["instance", "worker"]
    tunnels = GaugeMetricFamily(_PREFIX + "tunnels", "Tunnels now, by gateway worker.", labels=labels)
    streams = GaugeMetricFamily(_PREFIX + "streams", "Streams now, by gateway worker.", labels=labels)
    held = GaugeMetricFamily(
        _PREFIX + "streams_held",
        "Streams that hold data back for want of credit now, by gateway worker.",
        labels=labels,
    )
    settings = GaugeMetricFamily(
        _PREFIX + "gateway_settings_version", "Version of the settings in force, by gateway worker.", labels=labels
    )
    by_worker: dict[tuple[str, str], list[int]] = {}
    for tunnel in point.tunnels:
        if tunnel.gateway is not None:
            row = by_worker.setdefault((tunnel.gateway.instance, str(tunnel.gateway.worker)), [0, 0, 0, 0])
            row[0] += 1
            row[1] += len(tunnel.streams)
            row[2] += tunnel.held_streams
            row[3] = max(row[3], tunnel.gateway_settings_version)
    for key, row in by_worker.items():
        for family, value in zip((tunnels, streams, held, settings), row, strict=True):
            family.add_metric(list(key), value)
    return tunnels, streams, held, settings
