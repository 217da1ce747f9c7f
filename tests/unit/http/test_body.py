"""Bodies in chunks: any split gives the same content, and what is not valid never passes."""

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.http import BadRequest, BadResponse, ChunkedDecoder, encode_chunk, last_chunk
from causeway.http.body import MAX_TRAILER_BYTES

contents = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
extensions = st.sampled_from((b"", b";a", b" ; a=b", b';a="b c"', b"\t;x", b";" + b"e" * 100))
trailers = st.lists(st.sampled_from((b"X-Sum: 1\r\n", b'ETag: "x"\r\n', b"x-other:\r\n")), max_size=3).map(b"".join)
cuts = st.lists(st.integers(0, 400), max_size=12)


def decode(encoded: bytes, positions: list[int]) -> tuple[bytes, bytes, bytes, bool]:
    decoder = ChunkedDecoder()
    content = b""
    bounds = sorted({0, len(encoded), *(position for position in positions if position < len(encoded))})
    for start, end in pairwise(bounds):
        piece = encoded[start:end]
        if decoder.finished:
            decoder.rest += piece
        else:
            content += b"".join(decoder.feed(piece))
    return content, decoder.trailers, decoder.rest, decoder.finished


@given(contents, extensions, trailers, st.binary(max_size=20), cuts)
def test_any_split_of_a_valid_body_gives_the_same_content(
    pieces: list[bytes], extension: bytes, lines: bytes, behind: bytes, positions: list[int]
) -> None:
    encoded = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    encoded += b"0" + extension + b"\r\n" + lines + b"\r\n" + behind
    assert decode(encoded, positions) == (b"".join(pieces), lines, behind, True)


@given(contents, trailers)
def test_what_is_encoded_is_decoded(pieces: list[bytes], lines: bytes) -> None:
    encoded = b"".join(map(encode_chunk, pieces)) + last_chunk(lines)
    assert decode(encoded, []) == (b"".join(pieces), lines, b"", True)


nearly = st.builds(
    lambda pieces, noise, position: (
        (encoded := b"".join(map(encode_chunk, pieces)) + last_chunk(b"X: y\r\n"))[: position % len(encoded)]
        + noise
        + encoded[position % len(encoded) :]
    ),
    contents,
    st.sampled_from((b"\r", b"\n", b" ", b"0", b"g", b"-", b";", b"\x00", b"0x", b"\r\n", b"ffffffffffffffff", b"_")),
    st.integers(0, 1000),
)


@given(nearly | st.binary(max_size=120), cuts)
def test_any_bytes_split_anyhow_are_content_or_one_error(encoded: bytes, positions: list[int]) -> None:
    results: list[object] = []
    for split in ([], positions, list(range(len(encoded)))):
        try:
            results.append(decode(encoded, split))
        except BadRequest:
            results.append("refused")
    assert results[0] == results[1] == results[2]


@given(nearly | st.binary(max_size=120))
def test_a_body_that_we_accept_h11_reads_the_same(encoded: bytes) -> None:
    try:
        content, _, rest, finished = decode(encoded, [])
    except BadRequest:
        return
    if not finished:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + encoded)
    assert isinstance(connection.next_event(), h11.Request)
    received = b""
    while isinstance(event := connection.next_event(), h11.Data):
        received += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert (received, connection.trailing_data[0]) == (content, rest)


@pytest.mark.parametrize(
    "encoded",
    [
        b"5\nhello\r\n",
        b"5\r\nhello",
        b"5\r\nhelloX",
        b"5\r\nhello\n",
        b"5\r\nhello\r\r",
        b" 5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"-5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5_\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"5;a\x00\r\nhello\r\n",
        b"5;a\nb\r\nhello\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"\r\nhello\r\n",
        b";a\r\nhello\r\n",
        b"1000000000000000\r\nhello\r\n",
        b"g\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\n X: y\r\n\r\n",
        b"0\r\nX\r\n\r\n",
        b"0\r\nX: y\n\r\n\r\n",
        b"0\r\nX: \x00\r\n\r\n",
    ],
)
def test_a_chunk_game_is_refused(encoded: bytes) -> None:
    decoder = ChunkedDecoder()
    try:
        decoder.feed(encoded)
    except BadRequest:
        return
    assert not decoder.finished
    with pytest.raises(BadRequest):
        decoder.feed(b"XX")


def test_a_broken_answer_is_the_site_systems_error() -> None:
    with pytest.raises(BadResponse):
        ChunkedDecoder(BadResponse).feed(b"nonsense\r\n")


def test_a_size_line_of_any_length_but_a_short_one_is_refused_in_one_piece_and_in_many() -> None:
    line = b"1;" + b"x" * 300 + b"\r\na\r\n"
    for cut in ([], list(range(len(line)))):
        with pytest.raises(BadRequest):
            decode(line, cut)


@pytest.mark.parametrize("size", [MAX_TRAILER_BYTES, MAX_TRAILER_BYTES + 1])
def test_trailers_have_one_limit_however_they_come(size: int) -> None:
    lines = b"X: " + b"y" * (size - 5) + b"\r\n"
    encoded = last_chunk(lines)
    fits = size <= MAX_TRAILER_BYTES
    for cut in ([], list(range(0, len(encoded), 7)), list(range(len(encoded)))):
        try:
            assert decode(encoded, cut) == (b"", lines, b"", True)
        except BadRequest:
            assert not fits
        else:
            assert fits


def test_endless_trailers_cost_bounded_memory() -> None:
    endless = b"0\r\n" + b"X: y\r\n" * MAX_TRAILER_BYTES
    with pytest.raises(BadRequest):
        decode(endless, list(range(0, len(endless), 6)))


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: 5",
        b"Host: b",
        b"X-Forwarded-For: 1.2.3.4",
        b"x_forwarded_for: 1",
        b"Authorization: x",
        b"TE: x",
    ],
)
def test_trailers_that_would_change_the_message_are_dropped(line: bytes) -> None:
    assert decode(last_chunk(line + b"\r\nX-Sum: 1\r\n"), [])[1] == b"X-Sum: 1\r\n"
