"""The ratios that the project promises: how each is measured, what it must reach and what it aims at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Sample, Summary, paired_ratio

Samples = Mapping[str, Mapping[str, Sequence[Sample]]]
"""By workload, then by system."""

Formula = Callable[[Samples], Summary]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One promise.

    Attributes:
        key: in the results.
        meaning: for people.
        limit: what it must not exceed.
        aim: what would be better still.
        formula: raises KeyError where something was not measured.
    """

    key: str
    meaning: str
    limit: float
    aim: float
    formula: Formula


def _against(peer: str, workload: str, figure: str) -> Formula:
    return lambda samples: paired_ratio(samples[workload]["causeway"], samples[workload][peer], figure)


def _two_workers(samples: Samples) -> Summary:
    kept = samples["kept"]
    return paired_ratio(kept["causeway-2"], kept["causeway"], "cpu_us")


def _idle(samples: Samples) -> Summary:
    return Summary.of(sample["idle_kb"] for sample in samples["idle"]["causeway"])


def _first_byte(samples: Samples) -> Summary:
    both = zip(samples["first-byte"]["causeway"], samples["first-byte"]["origin"], strict=True)
    return Summary.of(ours["first_byte_ms"] - alone["first_byte_ms"] for ours, alone in both)


RATIOS = (
    Ratio(
        "kept_cpu_vs_haproxy_rhttp",
        "CPU per request on kept connections, against HAProxy reverse HTTP",
        1.0,
        0.75,
        _against("haproxy-rhttp", "kept", "cpu_us"),
    ),
    Ratio(
        "kept_cpu_vs_envoy_reverse",
        "the same, against Envoy reverse tunnel",
        0.45,
        0.35,
        _against("envoy-reverse", "kept", "cpu_us"),
    ),
    Ratio(
        "fresh_rsa_cpu_vs_haproxy_rhttp",
        "CPU per request, a fresh connection each, RSA-2048",
        1.15,
        1.0,
        _against("haproxy-rhttp", "fresh-rsa", "cpu_us"),
    ),
    Ratio(
        "fresh_p256_mtls_cpu_vs_haproxy_rhttp",
        "the same, P-256, client certificates",
        1.15,
        1.0,
        _against("haproxy-rhttp", "fresh-p256-mtls", "cpu_us"),
    ),
    Ratio(
        "resumed_rsa_cpu_vs_haproxy_rhttp",
        "CPU per request, a fresh resumed connection each, RSA-2048, client certificates",
        1.15,
        0.9,
        _against("haproxy-rhttp", "resumed-rsa-mtls", "cpu_us"),
    ),
    Ratio(
        "bulk_cpu_vs_haproxy_rhttp",
        "CPU per GB, 10 MB downloads",
        1.0,
        0.7,
        _against("haproxy-rhttp", "download", "cpu_ms_per_gb"),
    ),
    Ratio("idle_kb", "kB at the gateway per idle client with a certificate, of 10,000", 28.0, 22.0, _idle),
    Ratio(
        "cpu_two_workers_vs_one", "CPU per request on kept connections, two workers against one", 1.1, 1.0, _two_workers
    ),
    Ratio(
        "first_byte_added_ms",
        "ms that two hops add to the first byte of an event, p50, one client",
        0.6,
        0.3,
        _first_byte,
    ),
)


def measured(samples: Samples) -> dict[str, Summary | None]:
    """Every ratio; None for one whose workload or system was left out."""
    found: dict[str, Summary | None] = {}
    for ratio in RATIOS:
        try:
            found[ratio.key] = ratio.formula(samples)
        except KeyError:
            found[ratio.key] = None
    return found
