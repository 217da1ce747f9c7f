"""Requests have one reading or none, whatever the bytes."""

import time

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.http import MAX_HEAD_BYTES, BadRequest, RequestHead, is_identity_header, parse_request_head
from causeway.http.errors import ExpectationFailed
from causeway.http.headers import HOP_BY_HOP
from tests.unit.http.heads import any_request_bytes, methods, request_heads, targets

_FRAMING_AND_CONNECTION = HOP_BY_HOP | {b"host", b"content-length", b"expect"}


def accepted(head: bytes) -> RequestHead | None:
    try:
        return parse_request_head(head)
    except BadRequest:
        return None


def names_of(fields: bytes) -> list[bytes]:
    return [line.partition(b":")[0].lower() for line in fields.split(b"\r\n") if line]


@given(any_request_bytes)
def test_any_bytes_are_either_one_request_or_a_bad_request(head: bytes) -> None:
    parsed = accepted(head)
    assert parsed is None or isinstance(parsed, RequestHead)


@given(any_request_bytes)
def test_what_we_accept_h11_reads_the_same(head: bytes) -> None:
    parsed = accepted(head)
    if parsed is None:
        return
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    body = b"5\r\nhello\r\n0\r\n\r\n" if parsed.chunked else b"x" * min(parsed.content_length or 0, 1000)
    connection.receive_data(head + body)
    event = connection.next_event()
    assert isinstance(event, h11.Request)
    assert event.method == parsed.method
    assert event.http_version == b"1.%d" % parsed.minor
    if event.target.startswith(b"/"):
        assert event.target == parsed.target
    named = {
        option.strip().lower() for name, value in event.headers if name == b"connection" for option in value.split(b",")
    }
    passed = [
        (name, value)
        for name, value in event.headers
        if name not in _FRAMING_AND_CONNECTION and not is_identity_header(name) and name not in named
    ]
    ours = [tuple(line.split(b":", 1)) for line in parsed.fields.split(b"\r\n") if line]
    assert [(name.lower(), value.strip(b" \t")) for name, value in ours] == passed
    received = b""
    while isinstance(event := connection.next_event(), h11.Data):
        received += event.data
    if (parsed.content_length or 0) <= 1000:
        assert isinstance(event, h11.EndOfMessage)
    assert received == (b"hello" if parsed.chunked else body)


@given(any_request_bytes)
def test_nothing_that_only_the_gateway_may_say_passes(head: bytes) -> None:
    parsed = accepted(head)
    if parsed is None:
        return
    for name in names_of(parsed.fields):
        assert name not in _FRAMING_AND_CONNECTION
        assert name.replace(b"_", b"-") not in _FRAMING_AND_CONNECTION
        assert not is_identity_header(name)


@given(request_heads)
def test_what_the_gateway_passes_on_is_read_the_same_at_the_other_end(head: bytes) -> None:
    parsed = accepted(head)
    if parsed is None:
        return
    framing = b""
    if parsed.content_length is not None:
        framing = b"Content-Length: %d\r\n" % parsed.content_length
    elif parsed.chunked:
        framing = b"Transfer-Encoding: chunked\r\n"
    again = parse_request_head(
        b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b%b\r\n"
        % (
            parsed.method,
            parsed.target,
            parsed.host or b"-",
            framing,
            b"Expect: 100-continue\r\n" if parsed.expects_continue else b"",
            parsed.fields,
        )
    )
    assert again.forged == ()
    assert again[:2] == parsed[:2]
    assert (again.fields, again.content_length, again.chunked) == (
        parsed.fields,
        parsed.content_length,
        parsed.chunked,
    )
    assert again.expects_continue == parsed.expects_continue


@given(methods, targets, st.lists(st.tuples(st.sampled_from((b"X-A", b"Accept", b"CCMClientID")), st.just(b"v{1}$&"))))
def test_method_target_and_plain_headers_pass_byte_for_byte(
    method: bytes, target: bytes, lines: list[tuple[bytes, bytes]]
) -> None:
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    parsed = parse_request_head(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    assert (parsed.method, parsed.target, parsed.fields) == (method, target, fields)


@pytest.mark.parametrize(
    "target",
    [
        b"/SMS_MP/.sms_pol?{1b62f1d2-9a0c-4b5e-a6f1-000000000001}.1_00",
        b"/SMS_MP/.sms_aut?SITESIGNCERT",
        b"/a/%7Bguid%7D/$metadata?a&b&&c",
        b'/quoted"and<angled>|pipe^caret`',
        b"/",
    ],
)
def test_the_targets_of_management_clients_pass(target: bytes) -> None:
    assert parse_request_head(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n").target == target


def test_an_absolute_target_becomes_a_path_where_its_host_is_the_host_header() -> None:
    parsed = parse_request_head(b"GET HTTPS://A.example:8443/x?y HTTP/1.1\r\nHost: a.Example:8443\r\n\r\n")
    assert parsed.target == b"/x?y"


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [
        (b"1.1", b"", False),
        (b"1.1", b"Connection: close\r\n", True),
        (b"1.1", b"Connection: Keep-Alive, CLOSE\r\n", True),
        (b"1.0", b"", True),
        (b"1.0", b"Connection: keep-alive\r\n", False),
        (b"1.0", b"Connection: close\r\n", True),
    ],
)
def test_a_client_says_whether_the_connection_stays(version: bytes, connection: bytes, closes: bool) -> None:
    assert parse_request_head(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + connection + b"\r\n").closes is closes


def test_an_expectation_counts_only_where_a_body_follows() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n%b\r\n"
    assert parse_request_head(head % b"Content-Length: 3\r\n").expects_continue
    assert parse_request_head(head % b"Transfer-Encoding: chunked\r\n").expects_continue
    assert not parse_request_head(head % b"Content-Length: 0\r\n").expects_continue
    assert not parse_request_head(head % b"").expects_continue


def test_another_expectation_is_refused_with_its_own_word() -> None:
    with pytest.raises(ExpectationFailed) as caught:
        parse_request_head(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: miracles\r\n\r\n")
    assert caught.value.word == "CMGService_ExpectationFailed"


def test_an_upgrade_is_seen_only_where_connection_names_it() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n%b\r\n"
    assert parse_request_head(head % b"Connection: Upgrade\r\n").upgrade == b"websocket"
    assert parse_request_head(head % b"").upgrade == b""


def test_a_hundred_header_lines_pass_and_one_more_does_not() -> None:
    lines = [b"X-%d: y\r\n" % number for number in range(99)]
    assert parse_request_head(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(lines) + b"\r\n")
    with pytest.raises(BadRequest):
        parse_request_head(b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n" + b"".join(lines) + b"\r\n")


def test_a_head_without_a_host_leaves_room_for_the_one_that_the_gateway_adds() -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(100))
    with pytest.raises(BadRequest):
        parse_request_head(b"GET / HTTP/1.0\r\n" + lines + b"\r\n")


@pytest.mark.parametrize(
    "filling",
    [b"a: b\r\n", b"a:" + b" " * 500 + b"\r\n", b":", b"a", b" \t", b"a" * 200 + b":\r\n", b"\r\n ", b"\xff"],
    ids=repr,
)
def test_the_largest_head_is_read_or_refused_in_no_time(filling: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + filling * (MAX_HEAD_BYTES // len(filling)) + b"\r\n\r\n"
    started = time.process_time()
    accepted(head)
    assert time.process_time() - started < 0.25


@pytest.mark.parametrize("framing", [b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("kept", [b"", b"A: b\r\n"])
def test_other_header_lines_leave_the_framing_as_it_is(framing: bytes, kept: bytes) -> None:
    begin = b"POST /x HTTP/1.1\r\nHost: a\r\n" + framing
    head = parse_request_head(begin + b"Authorization: Bearer a.b.c\r\n" + kept + b"\r\n")
    without = parse_request_head(begin + kept + b"\r\n")
    assert head.with_fields(kept) == without._replace(plain=False)
