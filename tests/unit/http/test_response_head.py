"""Answers of site systems: one reading or a 502."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.http import BadResponse, Framing, ResponseHead, is_identity_header, parse_response_head
from causeway.http.headers import HOP_BY_HOP
from tests.unit.http.heads import any_response_bytes

METHODS = st.sampled_from((b"GET", b"HEAD", b"POST", b"CCM_POST"))


def accepted(head: bytes, method: bytes) -> ResponseHead | None:
    try:
        return parse_response_head(head, method)
    except BadResponse:
        return None


def parse(lines: bytes, *, status: bytes = b"200 OK", method: bytes = b"GET", version: bytes = b"1.1") -> ResponseHead:
    return parse_response_head(b"HTTP/" + version + b" " + status + b"\r\n" + lines + b"\r\n", method)


@given(any_response_bytes, METHODS)
def test_any_bytes_are_either_one_answer_or_a_bad_response(head: bytes, method: bytes) -> None:
    parsed = accepted(head, method)
    assert parsed is None or 100 <= parsed.status <= 599


@given(any_response_bytes, METHODS)
def test_what_we_accept_h11_reads_the_same(head: bytes, method: bytes) -> None:
    parsed = accepted(head, method)
    if parsed is None or parsed.status == 101:
        return
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    bodies = {
        Framing.NONE: (b"", b""),
        Framing.LENGTH: (b"x" * min(parsed.content_length, 1000),) * 2,
        Framing.CHUNKED: (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        Framing.CLOSE: (b"till close", b"till close"),
    }
    sent, content = bodies[parsed.framing]
    connection.receive_data(head + sent)
    if parsed.framing is Framing.CLOSE:
        connection.receive_data(b"")
    event = connection.next_event()
    if parsed.status < 200:
        assert isinstance(event, h11.InformationalResponse)
        return
    assert isinstance(event, h11.Response)
    assert event.status_code == parsed.status
    reason = parsed.head.partition(b"\r\n")[0][len(b"HTTP/1.1 200 ") :]
    assert bytes(event.reason) == reason
    named = {
        option.strip().lower() for name, value in event.headers if name == b"connection" for option in value.split(b",")
    }
    dropped = HOP_BY_HOP | {b"content-length"} | named
    passed = [(n, v) for n, v in event.headers if n not in dropped and not is_identity_header(n)]
    ours = [tuple(line.split(b":", 1)) for line in parsed.head.split(b"\r\n")[1:] if line]
    kept = [(n.lower(), v.strip(b" \t")) for n, v in ours if n.lower() != b"content-length"]
    assert kept == passed
    received = b""
    while isinstance(event := connection.next_event(), h11.Data):
        received += event.data
    assert received == content
    if parsed.framing is not Framing.LENGTH or parsed.content_length <= 1000:
        assert isinstance(event, h11.EndOfMessage)


@given(any_response_bytes, METHODS)
def test_nothing_hop_by_hop_passes(head: bytes, method: bytes) -> None:
    parsed = accepted(head, method)
    if parsed is None:
        return
    assert parsed.head.endswith(b"\r\n")
    for line in parsed.head.split(b"\r\n")[1:-1]:
        name = line.partition(b":")[0].lower()
        assert name not in HOP_BY_HOP
        assert not is_identity_header(name)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (b"200 OK", b"HTTP/1.1 200 OK"),
        (b"200", b"HTTP/1.1 200 "),
        (b"200 ", b"HTTP/1.1 200 "),
        (b"403 CMGConnector_Unauthorized", b"HTTP/1.1 403 CMGConnector_Unauthorized"),
        (b"500 Erreur interne \xe9", b"HTTP/1.1 500 Erreur interne \xe9"),
        (b"599 a:b; c", b"HTTP/1.1 599 a:b; c"),
    ],
)
def test_the_reason_phrase_passes_as_it_is(status: bytes, line: bytes) -> None:
    assert parse(b"", status=status).head == line + b"\r\n"


@pytest.mark.parametrize(
    ("lines", "status", "method", "framing"),
    [
        (b"Content-Length: 5\r\n", b"200 OK", b"GET", Framing.LENGTH),
        (b"Content-Length: 0\r\n", b"200 OK", b"GET", Framing.NONE),
        (b"Transfer-Encoding: chunked\r\n", b"200 OK", b"GET", Framing.CHUNKED),
        (b"", b"200 OK", b"GET", Framing.CLOSE),
        (b"Content-Length: 5\r\n", b"200 OK", b"HEAD", Framing.NONE),
        (b"Transfer-Encoding: chunked\r\n", b"200 OK", b"HEAD", Framing.NONE),
        (b"", b"204 No Content", b"GET", Framing.NONE),
        (b"Content-Length: 5\r\n", b"304 Not Modified", b"GET", Framing.NONE),
        (b"", b"100 Continue", b"POST", Framing.NONE),
        (b"Content-Length: 5\r\n", b"103 Early Hints", b"GET", Framing.NONE),
    ],
)
def test_the_end_of_a_body_is_known(lines: bytes, status: bytes, method: bytes, framing: Framing) -> None:
    assert parse(lines, status=status, method=method).framing is framing


@pytest.mark.parametrize(
    ("lines", "status", "method", "stays"),
    [
        (b"Content-Length: 5\r\n", b"200 OK", b"HEAD", True),
        (b"Content-Length: 5\r\n", b"304 Not Modified", b"GET", True),
        (b"Content-Length: 0\r\n", b"200 OK", b"GET", True),
        (b"Content-Length: 0\r\n", b"204 No Content", b"GET", False),
        (b"Content-Length: 5\r\n", b"103 Early Hints", b"GET", False),
    ],
)
def test_a_length_stays_in_the_head_where_it_may_be(lines: bytes, status: bytes, method: bytes, stays: bool) -> None:
    assert (b"Content-Length" in parse(lines, status=status, method=method).head) is stays


@pytest.mark.parametrize(
    ("version", "lines", "kept"),
    [
        (b"1.1", b"Content-Length: 1\r\n", True),
        (b"1.1", b"Content-Length: 1\r\nConnection: close\r\n", False),
        (b"1.0", b"Content-Length: 1\r\n", False),
        (b"1.0", b"Content-Length: 1\r\nConnection: keep-alive\r\n", True),
        (b"1.1", b"", False),
    ],
)
def test_it_is_known_whether_the_connection_may_be_used_again(version: bytes, lines: bytes, kept: bool) -> None:
    assert parse(lines, version=version).keep_alive is kept


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 5\r\n",
        b"X: y\r\n folded\r\n",
        b"X: y\nZ: w\r\n",
        b"X : y\r\n",
        b"X: \x00\r\n",
    ],
)
def test_an_answer_with_two_readings_is_refused(lines: bytes) -> None:
    with pytest.raises(BadResponse):
        parse(lines)


def test_chunks_in_http_1_0_are_refused() -> None:
    with pytest.raises(BadResponse):
        parse(b"Transfer-Encoding: chunked\r\n", version=b"1.0")


def test_two_equal_lengths_are_one() -> None:
    parsed = parse(b"Content-Length: 5\r\nContent-Length: 5\r\n")
    assert (parsed.content_length, parsed.head.count(b"Content-Length")) == (5, 1)


@pytest.mark.parametrize(
    "line", [b"HTTP/2 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 600 X", b"HTTP/1.1  200 OK", b"ICY 200"]
)
def test_a_malformed_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(BadResponse):
        parse_response_head(line + b"\r\n\r\n", b"GET")


def test_more_headers_than_any_server_sends_are_refused() -> None:
    with pytest.raises(BadResponse):
        parse(b"X: y\r\n" * 201)
