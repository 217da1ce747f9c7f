"""Every word that a device can be answered with: status line, headers, body, log line and metric say the same."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest

from causeway.refusals import REFUSALS
from tests.system.data_path.client import Answer, Client
from tests.system.data_path.path import MUTUAL, SERVER, DataPath
from tests.system.origin import Exchange
from tests.system.processes import wait_until


def check(answer: Answer, word: str, *, closes: bool, method: str = "GET") -> None:
    """Everything that a refusal has to say to the client."""
    refusal = REFUSALS[word]
    assert (answer.status, answer.reason) == (refusal.status, word)
    assert answer.header("X-Causeway-Error") == word
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.header("Connection") == ("close" if closes else None)
    if method != "HEAD":
        assert answer.body.decode() == f"{refusal.status} {word}\n{refusal.meaning}\nRequest {answer.request_id}\n"


class Case(NamedTuple):
    word: str
    send: Callable[[Client], None]
    closes: bool = False
    method: str = "GET"
    with_certificate: bool = False


def ask(method: str, target: str, *lines: str) -> Callable[[Client], None]:
    return lambda client: client.start(method, target, *lines)


def raw(data: bytes) -> Callable[[Client], None]:
    return lambda client: client.send(data)


HOST = b"Host: localhost\r\n"
CASES = {
    "unpublished": Case("CMGService_NotPublished", ask("GET", "/nothing/here")),
    "root": Case("CMGService_NotPublished", ask("GET", "/")),
    "half_a_prefix": Case("CMGService_NotPublished", ask("GET", "/appendix")),
    "unpublished_head": Case("CMGService_NotPublished", ask("HEAD", "/nothing"), method="HEAD"),
    "unpublished_with_a_body": Case(
        "CMGService_NotPublished", ask("POST", "/nothing", "Content-Length: 5"), closes=True
    ),
    "another_role": Case("CMGService_NotPublished", ask("GET", "/CCM_Proxy_MutualAuth/1/SMS_MP/x")),
    "no_certificate": Case("CMGConnector_ClientCertificateRequired", ask("GET", f"{MUTUAL}/SMS_MP/x")),
    "wrong_method": Case("CMGService_MethodNotAllowed", ask("PROPFIND", f"{SERVER}/SMS_MP/x")),
    "unheard_of_method": Case("CMGService_MethodNotAllowed", ask("BREW", "/app/x")),
    "too_long_a_body": Case("CMGService_BodyTooLarge", ask("PUT", "/small/x", "Content-Length: 1001"), closes=True),
    "too_long_a_body_expected": Case(
        "CMGService_BodyTooLarge", ask("PUT", "/small/x", "Content-Length: 1001", "Expect: 100-continue"), closes=True
    ),
    "too_many_chunks": Case(
        "CMGService_BodyTooLarge",
        raw(
            b"PUT /small/x HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"1f4\r\n%b\r\n" % bytes(500) * 3
        ),
        closes=True,
    ),
    "other_expectation": Case(
        "CMGService_ExpectationFailed", ask("PUT", "/app/x", "Content-Length: 1", "Expect: miracles"), closes=True
    ),
    "large_head": Case(
        "CMGService_HeadTooLarge", raw(b"GET /app/x HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 40_000), closes=True
    ),
    "length_and_chunks": Case(
        "CMGService_BadRequest",
        ask("POST", "/app/x", "Content-Length: 5", "Transfer-Encoding: chunked"),
        closes=True,
    ),
    "two_lengths": Case(
        "CMGService_BadRequest", ask("POST", "/app/x", "Content-Length: 5", "Content-Length: 6"), closes=True
    ),
    "folded_line": Case("CMGService_BadRequest", ask("GET", "/app/x", "X: y", " z"), closes=True),
    "bare_lf": Case("CMGService_BadRequest", raw(b"GET /app/x HTTP/1.1\nHost: localhost\n\r\n\r\n"), closes=True),
    "no_host": Case("CMGService_BadRequest", raw(b"GET /app/x HTTP/1.1\r\n\r\n"), closes=True),
    "two_hosts": Case("CMGService_BadRequest", ask("GET", "/app/x", "Host: a", "Host: a"), closes=True),
    "nul": Case("CMGService_BadRequest", ask("GET", "/app/x", "X: \0"), closes=True),
    "no_http": Case("CMGService_BadRequest", raw(b"\x16\x03\x01\x00\r\n\r\n"), closes=True),
    "climbing_path": Case("CMGService_BadRequest", ask("GET", "/app/../nothing")),
    "climbing_path_in_disguise": Case("CMGService_BadRequest", ask("GET", "/app/%252e%252E%5c")),
    "broken_chunk": Case(
        "CMGService_BadRequest",
        raw(b"POST /app/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld"),
        closes=True,
    ),
    "negative_chunk": Case(
        "CMGService_BadRequest",
        raw(b"POST /app/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
        closes=True,
    ),
    "unreachable": Case("CMGConnector_SiteSystemUnreachable", ask("GET", "/dead/x")),
    "unreachable_head": Case("CMGConnector_SiteSystemUnreachable", ask("HEAD", "/dead/x"), method="HEAD"),
    "closes_at_once": Case("CMGConnector_SiteSystemClosed", ask("GET", "/app/closes")),
    "resets": Case("CMGConnector_SiteSystemClosed", ask("POST", "/app/closes", "Content-Length: 0")),
    "no_http_answer": Case("CMGConnector_BadSiteSystemAnswer", ask("GET", "/app/babbles")),
    "two_lengths_answer": Case("CMGConnector_BadSiteSystemAnswer", ask("GET", "/app/lengths")),
    "uninvited_switch": Case("CMGConnector_BadSiteSystemAnswer", ask("GET", "/app/switches")),
    "endless_head": Case("CMGConnector_BadSiteSystemAnswer", ask("GET", "/app/endless")),
    "endless_hints": Case("CMGConnector_BadSiteSystemAnswer", ask("GET", "/app/hints-without-end")),
    "late": Case("CMGConnector_SiteSystemTimeout", ask("GET", "/impatient/late")),
}


def misbehave(path: DataPath) -> None:
    def say(data: bytes) -> Callable[[Exchange], None]:
        def handler(exchange: Exchange) -> None:
            exchange.send(data)

        return handler

    path.origin.on("/closes", lambda exchange: exchange.close())
    path.origin.on("/babbles", say(b"220 mail.example ESMTP\r\n\r\n"))
    path.origin.on("/lengths", say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"))
    path.origin.on("/switches", say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"))
    path.origin.on("/endless", say(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000))
    path.origin.on("/hints-without-end", say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100))
    path.origin.on("/late", lambda exchange: None)


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_its_word(path: DataPath, name: str) -> None:
    case = CASES[name]
    misbehave(path)
    with path.connect() as client:
        case.send(client)
        check(client.answer(case.method), case.word, closes=case.closes, method=case.method)
        if case.closes:
            assert client.wait_for_end() == b""
        else:
            assert client.ask("GET", "/app/x").status == 200


def test_every_refusal_is_logged_in_one_line_with_its_request_id_and_counted(path: DataPath) -> None:
    misbehave(path)
    before = path.gateway.metrics()
    expected: Counter[str] = Counter()
    for case in CASES.values():
        with path.connect() as client:
            case.send(client)
            request_id = client.answer(case.method).request_id
        (refused,) = path.gateway.wait_for("refused", request_id=request_id)
        assert (refused["word"], refused["peer"], refused["client"]) == (case.word, "127.0.0.1", "anonymous")
        expected[request_id] += 1
    path.gateway.wait_for("request", request_id=request_id)
    lines = {line["request_id"]: line for line in path.gateway.events("request") if line["request_id"] in expected}
    words = Counter(case.word for case in CASES.values())
    assert Counter(line["word"] for line in lines.values()) == words
    assert all(line["status"] == REFUSALS[line["word"]].status for line in lines.values())
    after = path.gateway.metrics()
    for word, count in words.items():
        name = "causeway_gateway_refusals_total"
        assert after.total(name, word=word) == before.total(name, word=word) + count, word


def test_what_is_refused_at_the_gateway_never_crosses_the_tunnel(path: DataPath) -> None:
    asked = len(path.origin.requests)
    before = path.points["cp1"].metric("causeway_connection_point_requests_total")
    refused_here = [case for case in CASES.values() if case.word.startswith("CMGService") and not case.closes]
    for case in refused_here:
        with path.connect() as client:
            case.send(client)
            client.answer(case.method)
    assert len(path.origin.requests) == asked
    assert path.points["cp1"].metric("causeway_connection_point_requests_total") == before


def test_a_method_that_is_not_allowed_is_told_which_are(path: DataPath) -> None:
    with path.connect() as client:
        assert client.ask("POST", f"{SERVER}/SMS_MP/x").header("Allow") == "GET"


def test_requests_are_counted_by_endpoint_and_status(path: DataPath) -> None:
    name = "causeway_gateway_requests_total"
    for endpoint, status, (method, target) in (
        ("small", "200", ("GET", "/small/x")),
        ("anonymous-mp", "405", ("POST", f"{SERVER}/SMS_MP/x")),
        ("mp", "403", ("GET", f"{MUTUAL}/SMS_MP/x")),
        ("-", "404", ("GET", "/nothing")),
        ("dead", "502", ("GET", "/dead/x")),
    ):
        before = path.gateway.metric(name, endpoint=endpoint, status=status)
        with path.connect() as client:
            assert client.ask(method, target).status == int(status)
        assert path.gateway.metric(name, endpoint=endpoint, status=status) == before + 1


def test_what_failed_on_the_premises_is_logged_and_counted_there_too(path: DataPath) -> None:
    point = path.points["cp1"]
    before = point.metric("causeway_connection_point_failures_total", word="CMGConnector_SiteSystemUnreachable")
    with path.connect() as client:
        answer = client.ask("GET", "/dead/x")
    (logged,) = point.wait_for("request failed", request_id=answer.request_id)
    assert logged["word"] == "CMGConnector_SiteSystemUnreachable"
    assert "127.0.0.1:1" in logged["details"]
    point.wait_for("request", request_id=answer.request_id, status=502)
    after = point.metric("causeway_connection_point_failures_total", word="CMGConnector_SiteSystemUnreachable")
    assert after == before + 1


def test_bytes_are_counted_both_ways(path: DataPath) -> None:
    path.origin.on("/counted", lambda exchange: exchange.answer(bytes(5000)))
    names = ("received_bytes_total", "sent_bytes_total")
    parts = ((path.gateway, "causeway_gateway_"), (path.points["cp1"], "causeway_connection_point_"))
    before = {(prefix, name): part.metric(prefix + name, endpoint="app") for part, prefix in parts for name in names}
    with path.connect() as client:
        client.ask("POST", "/app/counted", body=bytes(3000))
    for (part, prefix), (name, size) in itertools.product(parts, zip(names, (3000, 5000), strict=True)):
        assert part.metric(prefix + name, endpoint="app") == before[prefix, name] + size


def test_a_client_that_goes_away_is_booked_as_gone_and_its_request_given_up(path: DataPath) -> None:
    noticed = threading.Event()

    def handler(exchange: Exchange) -> None:
        assert exchange.read(1) == b""
        noticed.set()

    path.origin.on("/never", handler)
    with path.connect() as client:
        client.start("GET", "/app/never")
        wait_until(lambda: path.origin.of("/never"))
    assert noticed.wait(20)
    (logged,) = path.gateway.wait_for("request", path="/app/never")
    assert (logged["status"], logged["word"]) == (499, "ClientGone")
    path.points["cp1"].wait_for("request", request_id=logged["request_id"], status=499, word="ClientGone")
