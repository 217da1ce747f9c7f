"""A token is found in the headers that the settings name, and in no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway.token_headers import TokenHeaders
from causeway.gateway_settings import TokenHeader
from causeway.gateway_settings.document import DEFAULT_TOKEN_HEADERS
from causeway.identity import Denied

BEFORE, AFTER = b"Accept: */*\r\n", b"User-Agent: ccmhttp\r\n"
DEFAULT = TokenHeaders(DEFAULT_TOKEN_HEADERS)


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Bearer a.b.c\r\n",
        b"authorization:bearer a.b.c\r\n",
        b"AUTHORIZATION: \t BEARER \t a.b.c \t\r\n",
        b"Authorization: CCM a.b.c\r\n",
        b"CCMToken: a.b.c\r\n",
        b"ccmtoken:a.b.c\r\n",
    ],
)
def test_a_token_is_found_in_every_form_that_the_settings_name(line: bytes) -> None:
    for fields in (BEFORE + line + AFTER, line + AFTER, BEFORE + line, line):
        assert DEFAULT.find(fields) == b"a.b.c"
        assert DEFAULT.without(fields) == fields.replace(line, b"")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Authorization: Basic a.b.c\r\n",
        b"Authorization: Bearera.b.c\r\n",
        b"Authorization: Bearer\r\n",
        b"Authorization: a.b.c\r\n",
        b"Authorization:\r\n",
        b"CCMToken:\r\n",
        b"X-Authorization: Bearer a.b.c\r\n",
        b"X-Note: Authorization: Bearer a.b.c\r\n",
        b"Authorizations: Bearer a.b.c\r\n",
    ],
)
def test_other_headers_carry_no_token(line: bytes) -> None:
    assert DEFAULT.find(BEFORE + line + AFTER) == b""
    assert DEFAULT.without(BEFORE + line + AFTER) == BEFORE + line + AFTER


def test_the_same_token_twice_is_one_token() -> None:
    fields = b"Authorization: Bearer a.b.c\r\nX: y\r\nCCMToken: a.b.c\r\n"
    assert (DEFAULT.find(fields), DEFAULT.without(fields)) == (b"a.b.c", b"X: y\r\n")


@pytest.mark.parametrize("other", [b"Authorization: CCM d.e.f\r\n", b"CCMToken: d.e.f\r\n"])
def test_two_tokens_are_refused(other: bytes) -> None:
    with pytest.raises(Denied, match="two tokens"):
        DEFAULT.find(b"Authorization: Bearer a.b.c\r\n" + other)


def test_a_header_of_ones_own_replaces_the_default() -> None:
    headers = TokenHeaders((TokenHeader(name="X-Device-Token", scheme="v1"), TokenHeader(name="X-Device-Token")))
    fields = b"Authorization: Bearer a.b.c\r\nx-device-token: V1 d.e.f\r\n"
    assert (headers.find(fields), headers.without(fields)) == (b"d.e.f", b"Authorization: Bearer a.b.c\r\n")
    assert headers.find(b"x-device-token: d.e.f\r\n") == b"d.e.f"
    assert headers.without(b"x-device-token: d.e.f\r\n") == b""


lines = st.lists(
    st.binary(max_size=40).filter(lambda line: b"\r\n" not in line and not line.endswith(b"\r"))
    | st.sampled_from((b"Authorization: Bearer a.b.c", b"CCMToken: a.b.c", b"Authorization: CCM d.e.f", b"CCMToken:")),
    max_size=6,
)


@given(lines)
def test_whatever_the_lines_one_token_is_found_or_none_and_what_is_left_carries_none(lines: list[bytes]) -> None:
    fields = b"".join(line + b"\r\n" for line in lines)
    left = DEFAULT.without(fields)
    assert DEFAULT.find(left) == b""
    try:
        token = DEFAULT.find(fields)
    except Denied:
        assert left != fields
        return
    assert token in fields
    assert (left == fields) == (token == b"")
