"""A head that was read before is read the same way again, and what may be a secret is not remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.http import BadRequest, BadResponse, Framing, parse_request_head, parse_response_head
from causeway.http import request as request_module
from causeway.http import response as response_module
from causeway.http.headers import HOP_BY_HOP, IDENTITY, PLAIN, is_identity_header

_LINES = (
    b"User-Agent: ConfigMgr Messaging HTTP Sender",
    b"Content-Length: 5",
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue",
    b"Connection: close, X-A, accept",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Accept: */*",
    b"X-A: b",
    b"X-Forwarded-For: ::1",
    b"Authorization: Bearer secret",
)


def block_of(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def outcome(head: bytes) -> object:
    try:
        return parse_request_head(head)
    except BadRequest as error:
        return str(error)


@given(st.lists(st.sampled_from(_LINES), max_size=6), st.sampled_from((b"0", b"1")))
def test_a_request_head_reads_the_same_at_any_time(lines: list[bytes], minor: bytes) -> None:
    head = b"GET /a?b HTTP/1.%b\r\nHost: gateway.example\r\n" % minor + block_of(lines)
    first = outcome(head)
    assert outcome(head) == first  # by what stands behind the target
    assert outcome(head) == first  # by the whole head
    request_module._heads.clear()
    request_module._rests.clear()
    assert outcome(head) == first


def test_the_minor_version_is_part_of_what_is_remembered() -> None:
    rest = b"Host: gateway.example\r\n\r\n"
    assert not parse_request_head(b"GET / HTTP/1.1\r\n" + rest).closes
    assert parse_request_head(b"GET / HTTP/1.0\r\n" + rest).closes


def test_the_target_is_compared_with_a_host_that_was_remembered() -> None:
    rest = b" HTTP/1.1\r\nHost: gateway.example\r\n\r\n"
    assert parse_request_head(b"GET /" + rest).target == b"/"
    with pytest.raises(BadRequest, match="another host"):
        parse_request_head(b"GET http://other.example/" + rest)


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Bearer secret",
        b"Cookie: a=secret",
        b"Proxy-Authorization: Basic secret",
        b"X-Forwarded-Authorization: secret",
        b"X-Token: secret",
    ],
)
def test_a_request_head_that_may_hold_a_secret_is_not_remembered(line: bytes) -> None:
    block = b"1\r\nHost: gateway.example\r\n" + line + b"\r\n\r\n"
    for _ in range(3):
        parse_request_head(b"GET / HTTP/1." + block)
    assert request_module._rests.get(block) is None
    assert request_module._heads.get(b"GET / HTTP/1." + block) is None


def test_a_query_is_not_remembered_since_it_may_hold_a_secret() -> None:
    head = b"GET /a?sig=secret HTTP/1.1\r\nHost: gateway.example\r\nAccept: */*\r\n\r\n"
    for _ in range(3):
        parse_request_head(head)
    assert request_module._heads.get(head) is None


def test_a_whole_head_is_remembered_when_it_comes_again() -> None:
    head = b"GET /a HTTP/1.1\r\nHost: gateway.example\r\nAccept: */*\r\n\r\n"
    for _ in range(2):
        parse_request_head(head)
    assert request_module._heads.get(head) is not None


def test_one_without_is_remembered() -> None:
    block = b"1\r\nHost: gateway.example\r\nAccept: */*\r\n\r\n"
    parse_request_head(b"GET / HTTP/1." + block)
    assert request_module._rests.get(block) is not None


@pytest.mark.parametrize("line", [b"Set-Cookie: a=secret", b"Location: https://store.example/?sig=secret"])
def test_an_answer_that_may_hold_a_secret_is_not_remembered(line: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + line + b"\r\n\r\n"
    parse_response_head(head, b"GET")
    assert response_module._heads.get(head) is None


def test_an_answer_to_head_and_one_to_get_are_told_apart() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
    for _ in range(2):
        assert parse_response_head(head, b"GET").framing is Framing.LENGTH
        assert parse_response_head(head, b"HEAD").framing is Framing.NONE


def test_an_answer_that_was_refused_is_refused_again() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n"
    for _ in range(2):
        with pytest.raises(BadResponse):
            parse_response_head(head, b"GET")


def test_nothing_that_needs_a_second_look_counts_as_plain() -> None:
    lower = {name.lower() for name in PLAIN}
    special = (
        HOP_BY_HOP | IDENTITY | {b"host", b"content-length", b"expect", b"authorization", b"cookie", b"set-cookie"}
    )
    assert not lower & special
    assert not any(map(is_identity_header, lower))
