"""Frames: any split gives the same ones, and other bytes end the tunnel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import BUFFER_BYTES, END, HEADER_BYTES, MAX_PAYLOAD_BYTES, FrameType, encode
from fuzz.frames import FrameDecoder
from tests.unit.tunnel.manual import Frame, feed, frames_of

frames = st.tuples(
    st.sampled_from(FrameType), st.booleans(), st.integers(0, 2**32 - 1) | st.integers(0, 3), st.binary(max_size=60)
)


def whole(pieces: list[Frame]) -> list[Frame]:
    """Join the pieces in which the payload of a DATA frame is handed on."""
    joined: list[Frame] = []
    for kind, end, stream, payload in pieces:
        if kind == FrameType.DATA and joined:
            last_kind, last_end, last_stream, last_payload = joined[-1]
            if (last_kind, last_end, last_stream) == (FrameType.DATA, False, stream):
                joined[-1] = (kind, end, stream, last_payload + payload)
                continue
        joined.append((kind, end, stream, payload))
    return joined


@given(st.lists(frames, max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_split_gives_the_same_frames(sent: list[tuple[FrameType, bool, int, bytes]], steps: list[int]) -> None:
    data = b"".join(encode(kind | END if end else kind, stream, payload) for kind, end, stream, payload in sent)
    received: list[Frame] = []
    decoder = FrameDecoder(lambda *frame: received.append(frame))
    position = 0
    while position < len(data):
        size = min(steps[position % len(steps)], len(data) - position)
        decoder.buffer()[:size] = data[position : position + size]
        decoder.received(size)
        position += size
    assert whole(received) == whole([(int(kind), end, stream, payload) for kind, end, stream, payload in sent])


@given(st.binary(max_size=300) | st.lists(st.sampled_from((1, 18, 146, 0, 255)), max_size=300).map(bytes))
def test_any_bytes_are_frames_or_a_tunnel_error(data: bytes) -> None:
    for step in (None, 1):
        decoder = FrameDecoder(lambda *frame: None)
        try:
            feed(decoder, data, step=step)
        except TunnelError:
            continue
        assert len(decoder.buffer()) > 0


@pytest.mark.parametrize("kind", [0, 9, 15, 22, 127])
def test_a_frame_of_an_unknown_type_ends_the_tunnel(kind: int) -> None:
    for end in (0, END):
        with pytest.raises(TunnelError):
            frames_of(encode(kind | end, 0))


@pytest.mark.parametrize("kind", [FrameType.DATA, FrameType.REQUEST, FrameType.SETTINGS])
def test_an_oversized_frame_is_refused_by_its_header(kind: FrameType) -> None:
    with pytest.raises(TunnelError):
        frames_of(encode(kind, 1, bytes(MAX_PAYLOAD_BYTES + 1))[:HEADER_BYTES])


@pytest.mark.parametrize("kind", [FrameType.DATA, FrameType.REQUEST])
def test_the_largest_frame_always_fits_the_buffer(kind: FrameType) -> None:
    data = encode(FrameType.PING, 0) + encode(kind, 1, bytes(MAX_PAYLOAD_BYTES))
    received: list[Frame] = []
    decoder = FrameDecoder(lambda *frame: received.append(frame))
    feed(decoder, data * 9, step=MAX_PAYLOAD_BYTES - 1)
    assert sum(len(payload) for *_, payload in received) == 9 * MAX_PAYLOAD_BYTES
    assert len(decoder.buffer()) == BUFFER_BYTES


def test_the_end_of_a_split_data_frame_comes_with_its_last_piece() -> None:
    data = encode(FrameType.DATA | END, 7, b"abcdef")
    received: list[Frame] = []
    feed(FrameDecoder(lambda *frame: received.append(frame)), data, step=HEADER_BYTES + 2)
    assert received == [(FrameType.DATA, False, 7, b"ab"), (FrameType.DATA, True, 7, b"cdef")]
