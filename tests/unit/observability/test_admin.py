"""Health, readiness and metrics as answers; latencies; checks."""

from collections.abc import Iterable, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily, Metric

from causeway.observability.admin import admin_app
from causeway.observability.checks import CheckResult, Status, passed
from causeway.observability.histogram import LATENCY_BUCKETS_S, Histogram, cumulative_buckets


async def ask(path: str, *, unhealthy: Sequence[str] = (), not_ready: Sequence[str] = ()) -> httpx.Response:
    async def health() -> Sequence[str]:
        return unhealthy

    async def readiness() -> Sequence[str]:
        return not_ready

    async def metrics() -> Iterable[Metric]:
        gauge = GaugeMetricFamily("causeway_things", "Things.", labels=["kind"])
        gauge.add_metric(['odd "kind"\n'], 3)
        return [gauge]

    app = admin_app(unhealthy=health, not_ready=readiness, metrics=metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
        return await client.get(path)


async def test_reasons_make_the_difference() -> None:
    answer = await ask("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"healthy": True, "reasons": []})
    answer = await ask("/healthz", unhealthy=["worker 1 does not answer"])
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["worker 1 does not answer"])
    answer = await ask("/readyz", not_ready=["draining"])
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["draining"]})
    assert (await ask("/readyz")).json() == {"ready": True, "reasons": []}


async def test_metrics_are_exposed_with_their_labels_escaped() -> None:
    answer = await ask("/metrics")
    assert 'causeway_things{kind="odd \\"kind\\"\\n"} 3.0' in answer.text


async def test_there_is_nothing_else() -> None:
    assert (await ask("/")).status_code == 404


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_a_histogram_counts_every_observation_once_and_in_order(seconds: list[float]) -> None:
    histogram = Histogram()
    for each in seconds:
        histogram.observe(each)
    buckets = cumulative_buckets(histogram.counts)
    assert [bound for bound, _ in buckets] == [*map(str, LATENCY_BUCKETS_S), "+Inf"]
    for bound, count in buckets:
        assert count == sum(each <= float(bound) for each in seconds)
    assert histogram.sum == pytest.approx(sum(seconds))


def test_checks_pass_where_nothing_failed() -> None:
    good = CheckResult("a", "b", Status.PASS, "well")
    left = CheckResult("a", "b", Status.SKIP, "not now")
    bad = CheckResult("a", "b", Status.FAIL, "broken", "mend it")
    assert passed([good, left])
    assert passed([])
    assert not passed([good, bad, left])
