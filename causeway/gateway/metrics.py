"""What a gateway counts. Workers count in plain integers; the admin process asks them and turns it into metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from causeway.observability.histogram import Histogram, cumulative_buckets


class EndpointMetrics:
    """The counters of one published endpoint in one worker."""

    __slots__ = ("bytes_in", "bytes_out", "latency", "statuses")

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.bytes_in = 0
        self.bytes_out = 0
        self.latency = Histogram()

    def snapshot(self) -> dict[str, Any]:
        """The counters as JSON takes them."""
        return {
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "latency_counts": self.latency.counts,
            "latency_sum": self.latency.sum,
        }


class WorkerMetrics:
    """All counters of one worker."""

    def __init__(self) -> None:
        self.endpoints: dict[str, EndpointMetrics] = {}
        self.refusals: Counter[str] = Counter()
        self.forged_headers = 0
        self.certificates_unchecked = 0
        self.certificate_questions: Counter[str] = Counter()
        self.token_verifications: Counter[str] = Counter()
        self.addresses_limited = 0
        self.handshakes = 0
        self.handshakes_resumed = 0
        self.handshake_failures: Counter[str] = Counter()
        self.settings_refused: Counter[str] = Counter()
        self.tunnel_handshake_failures: Counter[str] = Counter()
        self.tunnel_refusals: Counter[str] = Counter()
        self.tunnels_lost = 0
        self.connections_refused = 0


_GAUGES: Final = {
    "connections": "Client connections now.",
    "requests_in_flight": "Requests under way now.",
    "tunnels": "Tunnels now, by connection point.",
    "streams": "Streams now, by connection point.",
    "streams_held": "Streams that hold data back for want of credit now, by connection point.",
    "tokens_known": "Tokens that have been verified and are remembered now.",
    "settings_version": "Version of the gateway settings in force; 0 for none.",
    "certificate_not_after_seconds": "When a certificate in use ends, in seconds since 1970.",
}
_LABELS: Final = {
    "tunnels": "connection_point",
    "streams": "connection_point",
    "streams_held": "connection_point",
    "certificate_not_after_seconds": "certificate",
}


def families(snapshots: Mapping[int, Mapping[str, Any]]) -> Iterator[Metric]:
    """Metrics of an instance from the snapshots of its workers, by worker number."""
    yield from _endpoint_families(snapshots)
    yield from _entra_families(snapshots)
    for name, label, text in (
        ("refusals", "word", "Requests refused or failed, by word."),
        ("handshake_failures", "reason", "TLS handshakes that failed, by reason."),
        ("tunnel_handshake_failures", "reason", "TLS handshakes on the tunnel's port that failed, by reason."),
        ("tunnel_refusals", "word", "Tunnels cut off because the peer may not open one, or broke the protocol."),
        ("certificate_questions", "result", "Questions to the site about a client certificate, by its answer."),
        ("settings_refused", "word", "Gateway settings documents refused, by word."),
        ("token_verifications", "outcome", "Tokens verified: good, or the word for why they are not."),
    ):
        family = CounterMetricFamily(f"causeway_gateway_{name}", text, labels=["worker", label])
        for worker, snapshot in snapshots.items():
            for value, count in snapshot[name].items():
                family.add_metric([str(worker), value], count)
        yield family
    for name, text in (
        ("handshakes", "TLS handshakes completed."),
        ("handshakes_resumed", "Of these, those that resumed a session."),
        ("addresses_limited", "Tokens with which an address had sent too many that are not valid."),
        ("forged_headers", "Requests with identity headers that only the gateway may set; the headers were dropped."),
        (
            "certificates_unchecked",
            "Decisions for client certificates that may be revoked for all that anybody can tell.",
        ),
        ("tunnels_lost", "Tunnels that ended without a drain."),
        ("connections_refused", "Connections turned away because their address had too many."),
    ):
        family = CounterMetricFamily(f"causeway_gateway_{name}", text, labels=["worker"])
        for worker, snapshot in snapshots.items():
            family.add_metric([str(worker)], snapshot[name])
        yield family
    for name, text in _GAUGES.items():
        by = _LABELS.get(name, "")
        gauge = GaugeMetricFamily(f"causeway_gateway_{name}", text, labels=["worker", by] if by else ["worker"])
        for worker, snapshot in snapshots.items():
            if by:
                for labelled, value in snapshot[name].items():
                    gauge.add_metric([str(worker), labelled], value)
            else:
                gauge.add_metric([str(worker)], snapshot[name])
        yield gauge


def _endpoint_families(snapshots: Mapping[int, Mapping[str, Any]]) -> Iterable[Metric]:
    labels = ["worker", "endpoint"]
    requests = CounterMetricFamily(
        "causeway_gateway_requests", "Requests answered, by endpoint and status.", labels=[*labels, "status"]
    )
    received = CounterMetricFamily("causeway_gateway_received_bytes", "Bytes of request bodies.", labels=labels)
    sent = CounterMetricFamily("causeway_gateway_sent_bytes", "Bytes of answers' bodies.", labels=labels)
    latency = HistogramMetricFamily(
        "causeway_gateway_request_seconds", "From the head of a request to the end of its answer.", labels=labels
    )
    for worker, snapshot in snapshots.items():
        for name, endpoint in snapshot["endpoints"].items():
            values = [str(worker), name]
            for status, count in endpoint["statuses"].items():
                requests.add_metric([*values, status], count)
            received.add_metric(values, endpoint["bytes_in"])
            sent.add_metric(values, endpoint["bytes_out"])
            latency.add_metric(values, cumulative_buckets(endpoint["latency_counts"]), endpoint["latency_sum"])
    return requests, received, sent, latency


def _entra_families(snapshots: Mapping[int, Mapping[str, Any]]) -> Iterable[Metric]:
    labels = ["worker", "tenant"]
    fetches = CounterMetricFamily(
        "causeway_gateway_entra_key_fetches", "Fetches of a tenant's signing keys.", labels=[*labels, "outcome"]
    )
    unknown = CounterMetricFamily(
        "causeway_gateway_entra_unknown_keys", "Tokens whose key was not known when they came.", labels=labels
    )
    age = GaugeMetricFamily(
        "causeway_gateway_entra_keys_age_seconds", "How long ago the keys in use were fetched.", labels=labels
    )
    for worker, snapshot in snapshots.items():
        for tenant, keys in snapshot["entra_keys"].items():
            values = [str(worker), tenant]
            for outcome, count in keys["fetches"].items():
                fetches.add_metric([*values, outcome], count)
            unknown.add_metric(values, keys["unknown_keys"])
            if keys["age_s"] is not None:
                age.add_metric(values, keys["age_s"])
    return fetches, unknown, age
