"""Health, readiness with reasons, and metrics, as operators and their programs see them."""

import json
import re
from collections.abc import Callable

from tests.system.data_path.path import DataPath
from tests.system.processes import Part, wait_until

GATEWAY_METRICS = {
    "requests_total",
    "received_bytes_total",
    "sent_bytes_total",
    "request_seconds_bucket",
    "request_seconds_count",
    "request_seconds_sum",
    "handshakes_total",
    "forged_headers_total",
    "tunnels_lost_total",
    "connections_refused_total",
    "connections",
    "requests_in_flight",
    "tunnels",
    "streams",
    "streams_held",
    "settings_version",
}
POINT_METRICS = {
    "requests_total",
    "received_bytes_total",
    "sent_bytes_total",
    "request_seconds_bucket",
    "request_seconds_count",
    "request_seconds_sum",
    "retries_total",
    "dials_total",
    "tunnels",
    "streams",
    "streams_held",
    "settings_version",
    "gateway_settings_version",
    "upstream_connections",
}


def test_healthy_and_ready_parts_say_so(path: DataPath) -> None:
    for part in (path.gateway, path.points["cp1"]):
        for name, word in (("/healthz", "healthy"), ("/readyz", "ready")):
            answer = part.get(name)
            assert (answer.status_code, answer.json()) == (200, {word: True, "reasons": []})


def test_metrics_are_in_the_format_that_everyone_scrapes(path: DataPath) -> None:
    with path.connect() as client:
        client.ask("GET", "/app/x")
    for part, prefix, names in (
        (path.gateway, "causeway_gateway_", GATEWAY_METRICS),
        (path.points["cp1"], "causeway_connection_point_", POINT_METRICS),
    ):
        answer = part.get("/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert {prefix + name for name in names} <= part.metrics().names
        # Whatever a client can choose must not become a label: neither paths, nor methods, nor addresses.
        assert not re.search(r"127\.0\.0\.1(?!:)|/app/|GET", answer.text)


def test_latencies_are_counted_in_buckets(path: DataPath) -> None:
    name = "causeway_gateway_request_seconds"
    before = path.gateway.metrics()
    with path.connect() as client:
        for _ in range(5):
            client.ask("GET", "/app/x")
    after = path.gateway.metrics()
    assert after.total(f"{name}_count", endpoint="app") == before.total(f"{name}_count", endpoint="app") + 5
    assert after.total(f"{name}_bucket", endpoint="app", le="+Inf") == after.total(f"{name}_count", endpoint="app")
    assert after.total(f"{name}_sum", endpoint="app") > before.total(f"{name}_sum", endpoint="app")


def test_gauges_follow_what_is_there(path: DataPath) -> None:
    wait_until(lambda: path.gateway.metric("causeway_gateway_connections") == 0, what="no connections")
    clients = [path.connect() for _ in range(7)]
    assert path.gateway.metric("causeway_gateway_connections") == 7
    assert path.gateway.metric("causeway_gateway_tunnels", connection_point="cp1") == 2
    assert path.points["cp1"].metric("causeway_connection_point_tunnels", instance="gw1") == 2
    for client in clients:
        client.close()
    wait_until(lambda: path.gateway.metric("causeway_gateway_connections") == 0, what="no connections")


def test_reasons_name_what_is_missing(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    point = path.points["cp1"]
    assert path.gateway.stop() == 0
    wait_until(lambda: point.not_ready() == ["no tunnel to any gateway"], what="the connection point's reason")
    assert point.get("/readyz").status_code == 503
    assert point.get("/healthz").status_code == 200
    path.gateway.start()
    path.wait_until_ready()
    assert point.stop() == 0
    reasons = ["worker 0 has no connection point", "worker 1 has no connection point"]
    wait_until(lambda: path.gateway.not_ready() == reasons, what="the gateway's reasons")


def test_a_connection_point_whose_site_is_away_says_so_until_it_has_settings(own_path: Callable[..., DataPath]) -> None:
    path = own_path(publish=False, wait=False, workers=1)
    point = path.points["cp1"]
    path.site.close()
    point.wait_for("no settings from the site")

    def reasons() -> list[str]:
        return [reason for reason in point.not_ready() or [] if reason.startswith(f"the site {path.site.url} gives no")]

    assert wait_until(reasons)
    assert "no gateway settings yet" in (point.not_ready() or [])


def test_a_draining_gateway_says_so(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    with path.connect() as client:
        client.start("POST", "/app/x", "Content-Length: 5")
        path.points["cp1"].wait_for("tunnel up")
        path.gateway.popen.terminate()
        path.gateway.wait_for("draining")
        assert "worker 0 is draining" in (path.gateway.not_ready() or [])
        client.send(b"hello")
        assert client.answer().status == 200
    assert path.gateway.wait() == 0


def test_logs_are_one_json_object_a_line(path: DataPath) -> None:
    with path.connect() as client:
        client.ask("GET", '/app/"quoted\\path')
        request_id = client.ask("GET", "/app/%22quoted%22").request_id
    part: Part
    for part in (path.gateway, path.points["cp1"]):
        part.wait_for("request", request_id=request_id)
        whole, _, _half_written = part.text().rpartition("\n")
        events = [json.loads(line) for line in whole.splitlines()]
        assert all(event["event"] and event["timestamp"] and event["part"] for event in events)
