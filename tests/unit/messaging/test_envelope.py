import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.envelope import FIXED_BOUNDARY, Part, build, parse
from causeway.messaging.errors import EnvelopeError, MessagingError, TooLargeError

TYPE = f'multipart/mixed; boundary="{FIXED_BOUNDARY}"'
parts = st.lists(
    st.builds(Part, st.sampled_from(["text/plain; charset=UTF-16", "application/octet-stream", ""]), st.binary()),
    min_size=1,
    max_size=8,
).map(tuple)


@given(parts)
def test_parts_come_back_as_they_were_built(made: tuple[Part, ...]) -> None:
    assert parse(*build(made)) == made


@given(st.text(), st.binary())
def test_arbitrary_bytes_are_parsed_or_refused(content_type: str, body: bytes) -> None:
    with contextlib.suppress(MessagingError):
        parse(content_type, body)


@given(st.binary())
def test_arbitrary_bytes_after_a_right_start_are_parsed_or_refused(body: bytes) -> None:
    with contextlib.suppress(MessagingError):
        parse(TYPE, f"--{FIXED_BOUNDARY}\r\n".encode() + body)


def test_the_fixed_boundary_gives_the_native_client_bytes() -> None:
    content_type, body = build((Part("text/plain; charset=UTF-16", b"A"), Part("application/octet-stream", b"B")))
    assert content_type == 'multipart/mixed; boundary="aAbBcCdDv1234567890VxXyYzZ"'
    assert body == (
        b"--aAbBcCdDv1234567890VxXyYzZ\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\nA\r\n"
        b"--aAbBcCdDv1234567890VxXyYzZ\r\ncontent-type: application/octet-stream\r\n\r\nB\r\n"
        b"--aAbBcCdDv1234567890VxXyYzZ--"
    )


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nan epilogue"])
def test_what_follows_the_closing_delimiter_is_ignored(end: bytes) -> None:
    _, body = build((Part("a/b", b"x"),))
    assert parse(TYPE, body + end) == (Part("a/b", b"x"),)


def test_a_random_boundary_with_form_data_dispositions_is_taken() -> None:
    body = (
        b'--f00d\r\nContent-Disposition: form-data; name="Msg"\r\nContent-Type: text/plain; charset=UTF-16\r\n\r\nH\r\n'
        b'--f00d\r\nContent-Disposition: form-data; name="RequestAssignments"\r\n\r\nP\r\n--f00d--\r\n'
    )
    assert parse("multipart/mixed; boundary=f00d", body) == (Part("text/plain; charset=UTF-16", b"H"), Part("", b"P"))


def test_a_boundary_that_is_a_prefix_of_content_does_not_end_the_part() -> None:
    body = b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--bb\r\ny\r\n--b--"
    assert parse("multipart/mixed; boundary=b", body) == (Part("a/b", b"x\r\n--bb\r\ny"),)


def test_a_part_that_contains_the_boundary_gets_another_one() -> None:
    evil = Part("a/b", f"\r\n--{FIXED_BOUNDARY}--".encode())
    content_type, body = build((evil,))
    assert FIXED_BOUNDARY not in content_type
    assert parse(content_type, body) == (evil,)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/mixed",
        "multipart/mixed; boundary=",
        'multipart/mixed; boundary=""',
        "multipart/mixed; boundary=" + "x" * 71,
        'multipart/mixed; boundary="ends in space "',
        'multipart/mixed; boundary="un\u00efcode"',
        "multipart/mixed; charset=x" + "; a=b" * 200,
    ],
)
def test_a_content_type_without_a_usable_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(EnvelopeError):
        parse(content_type, b"--x\r\n\r\n\r\n--x--")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x--",
        b"garbage before\r\n--x\r\nA: b\r\n\r\n\r\n--x--",
        b"--x\r\nContent-Type: a/b\r\n\r\nnever closed",
        b"--x\r\nContent-Type: a/b\r\n\r\nclosed by half\r\n--x-",
        b"--x\r\n\r\n--x--",
        b"--x\r\nno colon here\r\n\r\nbody\r\n--x--",
        b"--x\r\nA: " + b"a" * 5000 + b"\r\n\r\nbody\r\n--x--",
        b"--x" + b"\r\n\r\n\r\n\r\n--x" * 9 + b"--",
    ],
)
def test_a_broken_body_is_refused(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse("multipart/mixed; boundary=x", body)


def test_a_body_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLargeError):
        parse(TYPE, b"x" * 101, max_bytes=100)


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a\r\nb"])
def test_a_boundary_that_cannot_be_written_is_refused(boundary: str) -> None:
    with pytest.raises(EnvelopeError):
        build((Part("a/b", b""),), boundary=boundary)


def test_a_content_type_with_a_line_end_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        build((Part("a/b\r\nEvil: yes", b""),))
