"""Which tunnel a request goes down, why handshakes fail, how refusals look, and what is counted."""

import ssl
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.gateway.handshakes import failure_reason
from causeway.gateway.metrics import WorkerMetrics, families
from causeway.gateway.responses import own_answer, refusal_head_and_body
from causeway.gateway.tunnel import Tunnels
from causeway.gateway.worker_process import snapshot_of
from causeway.refusals import REFUSALS, Refused
from fuzz.data_path import DataPath


class Tunnel(SimpleNamespace):
    """As much of a tunnel as the choice looks at."""


def tunnel(name: str, busy: int = 0, **attributes: Any) -> Any:
    return Tunnel(
        **{"name": name, "streams": range(busy), "usable": True, "max_streams": 10, "suspect": False, **attributes}
    )


def tunnels(*each: Any) -> Tunnels:
    all_of_them = Tunnels()
    for one in each:
        all_of_them.add(one)
    return all_of_them


def test_the_least_busy_tunnel_is_chosen() -> None:
    choice = tunnels(tunnel("a", 3), tunnel("b", 1), tunnel("c", 2))
    assert {choice.choose().name for _ in range(5)} == {"b"}


def test_equals_take_turns() -> None:
    choice = tunnels(tunnel("a"), tunnel("b"), tunnel("c"))
    assert Counter(choice.choose().name for _ in range(30)) == {"a": 10, "b": 10, "c": 10}


def test_a_tunnel_that_drains_is_not_chosen() -> None:
    assert tunnels(tunnel("a", usable=False), tunnel("b", 9)).choose().name == "b"


def test_a_tunnel_that_owes_an_answer_to_a_ping_is_chosen_only_where_there_is_no_other() -> None:
    silent = tunnel("a", suspect=True)
    assert {tunnels(silent, tunnel("b", 9)).choose().name for _ in range(4)} == {"b"}
    assert tunnels(silent).choose().name == "a"


@pytest.mark.parametrize("each", [(), ("a",), ("a", "b")])
def test_without_a_usable_tunnel_there_is_no_connection_point(each: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as caught:
        tunnels(*(tunnel(name, usable=False) for name in each)).choose()
    assert caught.value.refused_word == "CMGService_NoConnectionPoint"


@pytest.mark.parametrize("each", [("a",), ("a", "b")])
def test_where_all_are_as_busy_as_they_may_be_they_are_busy(each: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as caught:
        tunnels(*(tunnel(name, 10) for name in each)).choose()
    assert caught.value.refused_word == "CMGConnector_Busy"


def verification_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (verification_error(10), "certificate_expired"),
        (verification_error(9), "certificate_not_yet_valid"),
        (verification_error(23), "certificate_revoked"),
        (verification_error(18), "certificate_untrusted"),
        (verification_error(20), "certificate_untrusted"),
        (ssl_error("PEER_DID_NOT_RETURN_A_CERTIFICATE"), "certificate_missing"),
        (ssl_error("WRONG_VERSION_NUMBER"), "protocol"),
        (ssl.SSLEOFError(8, "EOF occurred"), "closed"),
        (ConnectionResetError(), "closed"),
        (TimeoutError(), "timeout"),
        (OSError(), "other"),
    ],
)
def test_a_failed_handshake_has_one_of_few_reasons(error: Exception, reason: str) -> None:
    assert failure_reason(error) == reason


@pytest.mark.parametrize("word", REFUSALS)
def test_every_refusal_is_a_whole_answer(word: str) -> None:
    status, data = refusal_head_and_body(word, b"00ff", head_only=False, close=True, allow="GET, HEAD")
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    assert lines[0] == f"HTTP/1.1 {status} {word}"
    assert f"Content-Length: {len(body)}" in lines
    assert "Connection: close" in lines
    assert "X-Request-Id: 00ff" in lines
    assert ("Allow: GET, HEAD" in lines) is (status == 405)
    assert body.decode().splitlines() == [f"{status} {word}", REFUSALS[word].meaning, "Request 00ff"]
    _, short = refusal_head_and_body(word, b"00ff", head_only=True, close=False)
    assert short.endswith(b"\r\n\r\n")
    assert b"Connection:" not in short


def test_an_own_answer_has_a_body_unless_only_its_head_was_asked_for() -> None:
    assert own_answer(b"{}", b"1", head_only=False, close=False).endswith(
        b"Content-Length: 2\r\nX-Request-Id: 1\r\n\r\n{}"
    )
    assert own_answer(b"{}", b"1", head_only=True, close=True).endswith(b"Connection: close\r\n\r\n")


async def test_a_snapshot_becomes_metrics(path: DataPath) -> None:
    metrics: WorkerMetrics = path.worker.metrics
    metrics.refusals["CMGService_NotPublished"] += 2
    metrics.endpoints["files"].statuses[200] += 3
    metrics.endpoints["files"].latency.observe(0.002)
    metrics.tunnel_refusals["TunnelProtocol"] += 1
    samples = [
        sample
        for family in families({0: snapshot_of(path.worker), 1: snapshot_of(path.worker)})
        for sample in family.samples
    ]
    found = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}
    word = ("word", "CMGService_NotPublished")
    for worker in ("0", "1"):
        label = ("worker", worker)
        assert found["causeway_gateway_refusals_total", word, label] == 2
        assert found["causeway_gateway_requests_total", ("endpoint", "files"), ("status", "200"), label] == 3
        assert found["causeway_gateway_request_seconds_count", ("endpoint", "files"), label] == 1
        assert found["causeway_gateway_tunnels", ("connection_point", "connection-point"), label] == 1
        assert found["causeway_gateway_settings_version", label] == 1
        assert found["causeway_gateway_tunnel_refusals_total", ("word", "TunnelProtocol"), label] == 1
