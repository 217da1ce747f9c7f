"""Figures over several rounds, and ratios."""

import pytest

from bench.figures import Summary, paired_ratio, per_unit, percentile, summarise
from bench.ratios import RATIOS, measured


def test_a_summary_has_the_median_and_the_spread() -> None:
    assert Summary.of([3.0, 1.0, 2.0]) == Summary(2.0, 1.0, 3.0, (3.0, 1.0, 2.0))


def test_each_figure_is_summarised_over_all_rounds() -> None:
    found = summarise([{"cpu_us": 10.0, "p50_ms": 1.0}, {"cpu_us": 30.0, "p50_ms": 3.0}])
    assert found["cpu_us"].median == 20.0
    assert found["p50_ms"].highest == 3.0


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was twice as slow in the second round; the ratio does not show it.
    ours = [{"cpu_us": 10.0}, {"cpu_us": 20.0}]
    theirs = [{"cpu_us": 20.0}, {"cpu_us": 40.0}]
    assert paired_ratio(ours, theirs, "cpu_us") == Summary(0.5, 0.5, 0.5, (0.5, 0.5))


def test_cpu_is_counted_per_hop_and_in_sum() -> None:
    found = per_unit("cpu_us", {"edge": 0.2, "connector": 0.1}, 1e6, 1000)
    assert found == pytest.approx({"cpu_us": 300.0, "cpu_us.edge": 200.0, "cpu_us.connector": 100.0})


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.0), (0.99, 3.0), (1.0, 3.0)])
def test_percentiles_stay_within_the_values(share: float, expected: float) -> None:
    assert percentile([1.0, 2.0, 3.0], share) == expected


def test_the_ratios_have_just_the_promised_keys() -> None:
    assert [ratio.key for ratio in RATIOS] == [
        "kept_cpu_vs_haproxy_rhttp",
        "kept_cpu_vs_envoy_reverse",
        "fresh_rsa_cpu_vs_haproxy_rhttp",
        "fresh_p256_mtls_cpu_vs_haproxy_rhttp",
        "resumed_rsa_cpu_vs_haproxy_rhttp",
        "bulk_cpu_vs_haproxy_rhttp",
        "idle_kb",
        "cpu_two_workers_vs_one",
        "first_byte_added_ms",
    ]


def test_ratios_come_from_the_samples_of_their_workload() -> None:
    cpu = {"causeway": 50.0, "causeway-2": 55.0, "haproxy-rhttp": 100.0, "envoy-reverse": 200.0}
    by_system = {system: [{"cpu_us": value, "cpu_ms_per_gb": value}] for system, value in cpu.items()}
    workloads = ("kept", "fresh-rsa", "fresh-p256-mtls", "resumed-rsa-mtls", "download")
    samples = {
        **dict.fromkeys(workloads, by_system),
        "idle": {"causeway": [{"idle_kb": 25.0}]},
        "first-byte": {"causeway": [{"first_byte_ms": 0.75}], "origin": [{"first_byte_ms": 0.25}]},
    }
    found = {key: summary.median for key, summary in measured(samples).items() if summary is not None}
    assert found == pytest.approx(
        {
            "kept_cpu_vs_haproxy_rhttp": 0.5,
            "kept_cpu_vs_envoy_reverse": 0.25,
            "fresh_rsa_cpu_vs_haproxy_rhttp": 0.5,
            "fresh_p256_mtls_cpu_vs_haproxy_rhttp": 0.5,
            "resumed_rsa_cpu_vs_haproxy_rhttp": 0.5,
            "bulk_cpu_vs_haproxy_rhttp": 0.5,
            "idle_kb": 25.0,
            "cpu_two_workers_vs_one": 1.1,
            "first_byte_added_ms": 0.5,
        }
    )


def test_what_was_left_out_has_no_ratio() -> None:
    assert set(measured({"kept": {"causeway": [{"cpu_us": 1.0}]}}).values()) == {None}
