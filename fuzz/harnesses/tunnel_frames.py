"""Frames: however the bytes are cut, the same frames or the same end; and always room for the next bytes."""

from collections.abc import Iterable
from typing import NamedTuple

from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import (
    BUFFER_BYTES,
    END,
    HEADER,
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    FrameType,
    encode,
)
from fuzz.frames import FrameDecoder
from fuzz.harnesses.splits import WHOLE, pieces


class _Frame(NamedTuple):
    kind: int
    end: bool
    stream: int
    payload: bytes


def check(data: bytes) -> bool:
    """The first byte says how the rest is cut."""
    cut, body = (data[0], data[1:]) if data else (WHOLE, b"")
    frames, refused = _decoded(pieces(body, cut))
    assert (_joined(frames), refused) == _read_plainly(body)
    written = b"".join(encode(frame.kind | END if frame.end else frame.kind, *frame[2:]) for frame in frames)
    assert _decoded([written]) == (frames, False)
    return not refused and bool(frames)


def _decoded(parts: Iterable[bytes]) -> tuple[list[_Frame], bool]:
    frames: list[_Frame] = []
    decoder = FrameDecoder(lambda *frame: frames.append(_Frame(*frame)))
    try:
        for part in parts:
            rest = part
            while rest:
                room = decoder.buffer()
                assert len(room) >= BUFFER_BYTES - MAX_PAYLOAD_BYTES - HEADER_BYTES
                count = min(len(room), len(rest))
                room[:count] = rest[:count]
                decoder.received(count)
                rest = rest[count:]
    except TunnelError:
        return frames, True
    return frames, False


def _joined(frames: Iterable[_Frame]) -> list[_Frame]:
    """Pieces of DATA of one stream as one: where they are cut has no meaning."""
    joined: list[_Frame] = []
    for frame in frames:
        if joined and _goes_on(joined[-1], frame):
            joined[-1] = frame._replace(payload=joined[-1].payload + frame.payload)
        else:
            joined.append(frame)
    return joined


def _goes_on(last: _Frame, frame: _Frame) -> bool:
    return last.kind == frame.kind == FrameType.DATA and last.stream == frame.stream and not last.end


def _read_plainly(body: bytes) -> tuple[list[_Frame], bool]:
    """The frames as the protocol's description says them, without any care for speed."""
    frames: list[_Frame] = []
    while len(body) >= HEADER_BYTES:
        kind, stream, length = HEADER.unpack_from(body)
        end, kind = bool(kind & END), kind & ~END
        if length > MAX_PAYLOAD_BYTES or kind not in set(FrameType):
            return _joined(frames), True
        payload = body[HEADER_BYTES : HEADER_BYTES + length]
        whole = len(payload) == length
        if whole or (kind == FrameType.DATA and payload):
            frames.append(_Frame(kind, end and whole, stream, payload))
        if not whole:
            break
        body = body[HEADER_BYTES + length :]
    return _joined(frames), False
