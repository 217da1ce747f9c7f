"""The site's metrics, in the names of ``docs/metrics.md``."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry a site, so that two sites in one process (in tests) do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "causeway_site_requests", "Requests by URL and status.", ["url", "status"], registry=self.registry
        )
        self.messages = Counter(
            "causeway_site_messages", "Messages taken, by target endpoint.", ["endpoint"], registry=self.registry
        )
        self.refusals = Counter(
            "causeway_site_refusals", "Requests refused, by documented word.", ["word"], registry=self.registry
        )
        self.tokens_issued = Counter(
            "causeway_site_tokens_issued", "Tokens given to devices, by kind.", ["kind"], registry=self.registry
        )
        self.seconds = Histogram(
            "causeway_site_request_seconds",
            "Time from the whole request to the whole answer.",
            ["url"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("causeway_site_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.revocation_fetches = Counter(
            "causeway_site_revocation_fetches",
            "Revocation lists asked for, by what came of it.",
            ["result"],
            registry=self.registry,
        )
        self.certificate_answers = Counter(
            "causeway_site_certificate_answers",
            "Questions of gateways about a client certificate, by what was found out.",
            ["status"],
            registry=self.registry,
        )
        self.revocation_next_update = Gauge(
            "causeway_site_revocation_next_update_seconds",
            "When the next revocation list of a source is due, in seconds since 1970; 0 where there is none.",
            ["source"],
            registry=self.registry,
        )
        self.certificate_not_after = Gauge(
            "causeway_site_certificate_not_after_seconds",
            "When a certificate in use ends, in seconds since 1970.",
            ["certificate"],
            registry=self.registry,
        )
        self.devices = Gauge("causeway_site_devices", "Devices by approval.", ["approval"], registry=self.registry)
        self.settings_version = Gauge(
            "causeway_site_gateway_settings_version", "Newest published version.", registry=self.registry
        )
        self.settings_waiting = Gauge(
            "causeway_site_gateway_settings_waiting",
            "Connection points waiting for the next version.",
            registry=self.registry,
        )
