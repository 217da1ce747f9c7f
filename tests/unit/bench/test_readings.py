"""What other programs say, and how it is read."""

import pytest

from bench.certificates import ServerKey
from bench.errors import BenchError
from bench.haproxy_source import mirror, sources
from bench.load import wrk
from bench.machine import read_limits

_LINE = (
    'BENCH {"requests": %d, "bytes": 5000, "seconds": 2.0, "p50_ms": 1.0, "p99_ms": 2.0, "p999_ms": 3.0, '
    '"failed": %d, "not_2xx": %d}\n'
)
_SHIM = {"handshakes": 12, "resumed": 7, "p50_ms": 4.0, "p99_ms": 5.0, "p999_ms": 6.0}


def test_latencies_of_kept_connections_are_wrks_own() -> None:
    found = wrk.result("it", "Running …\n" + _LINE % (10, 0, 0), "", _SHIM, close=False)
    assert (found.requests, found.p50_ms, found.handshakes, found.resumed) == (10, 1.0, 12, 7)


def test_latencies_of_fresh_connections_have_the_handshake_in_them() -> None:
    found = wrk.result("it", _LINE % (10, 0, 0), "", _SHIM, close=True)
    assert (found.p50_ms, found.p99_ms, found.p999_ms) == (4.0, 5.0, 6.0)


@pytest.mark.parametrize("counts", [(10, 1, 0), (10, 0, 1), (0, 0, 0)])
def test_a_failed_or_refused_request_ends_the_run(counts: tuple[int, int, int]) -> None:
    with pytest.raises(BenchError, match="it: of"):
        wrk.result("it", _LINE % counts, "", {}, close=False)


def test_no_result_is_told_with_the_reason() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        wrk.result("it", "", "unable to connect\n", {}, close=False)


@pytest.mark.parametrize(("seconds", "expected"), [(0.2, "1s"), (2, "2s"), (3.4, "3s")])
def test_wrk_gets_whole_seconds(seconds: float, expected: str) -> None:
    assert wrk.duration(seconds) == expected


_SPEED = """\
+F2:2:2048:4000.0:80000.0
+F2:3:3072:800.0:40000.0
+F4:3:256:50000.0:20000.0
+F5:22:253:40000.0:0.000025
"""


def test_the_limit_of_full_handshakes_follows_from_openssl_speed() -> None:
    limits = read_limits(_SPEED)
    assert limits.handshakes_per_s(ServerKey.RSA, certificate=False) == pytest.approx(1 / (250e-6 + 50e-6))
    expected = 1 / (20e-6 + 50e-6 + 12.5e-6 + 25e-6)
    assert limits.handshakes_per_s(ServerKey.P256, certificate=True) == pytest.approx(expected)


def test_a_report_of_openssl_in_another_form_is_an_error() -> None:
    with pytest.raises(BenchError, match="openssl speed"):
        read_limits("+F2:2:2048:4000.0:80000.0\n")


def test_the_source_comes_from_the_mirror_that_the_machine_uses() -> None:
    targets = "Vendor|Extras|https://vendor.example/\nDebian|Debian-Security|http://mirror.example/security/\n"
    with pytest.raises(BenchError, match="Debian"):
        mirror(targets)
    address = mirror(targets + "Debian|Debian|http://mirror.example/debian/\n")
    assert address == "http://mirror.example/debian/"
    assert "URIs: http://mirror.example/debian/\n" in sources(address)
