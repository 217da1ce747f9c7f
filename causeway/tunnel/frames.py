"""Frames: nine bytes of header, then the payload. No sockets here.

::

    0      1             5              9
    +------+-------------+--------------+---------
    | type | stream      | length       | payload …
    +------+-------------+--------------+---------

All numbers are big-endian. Bit 7 of the type is END: the sender has no more for this stream.
"""

import struct
from enum import IntEnum
from typing import Final

from causeway.tunnel.errors import TunnelError

HEADER: Final = struct.Struct(">BII")
HEADER_BYTES: Final = HEADER.size
END: Final = 0x80

MAX_PAYLOAD_BYTES: Final = 64 * 1024
"""The largest payload; a head of a request with its prelude always fits."""

MAX_WHOLE_BYTES: Final = 16 * 1024
"""The largest body that an answer brings along in the frame of its head; more would be copied once more on its way."""

BUFFER_BYTES: Final = 256 * 1024


class FrameType(IntEnum):
    """The types of version 1. An unknown one ends the tunnel: a new type needs a new version."""

    HELLO = 1
    SETTINGS = 2
    STATUS = 3
    PING = 4
    PONG = 5
    DRAIN = 6
    RELEASE = 7
    RENEW = 8
    REQUEST = 16
    RESPONSE = 17
    DATA = 18
    TRAILERS = 19
    CREDIT = 20
    RESET = 21


_DATA: Final = int(FrameType.DATA)
_KNOWN: Final = frozenset(int(kind) for kind in FrameType)


def encode(kind: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame; ``kind`` may carry END."""
    return HEADER.pack(kind, stream, len(payload)) + payload


class FrameReader:
    """Reads frames from one preallocated buffer, so that a busy tunnel allocates nothing but the payloads.

    The payload of a DATA frame is handed on as it comes, in pieces; all others come whole. The transport fills
    ``buffer()`` and says how much with ``received()``; a subclass takes the frames.
    """

    __slots__ = ("_bytes", "_filled", "_kind", "_left", "_stream", "_view")

    def __init__(self) -> None:
        self._bytes = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._bytes)
        self._filled = 0  # bytes at the start of the buffer that are not decoded yet
        self._left = 0  # bytes of an open DATA frame still to come
        self._kind = 0
        self._stream = 0

    def frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """Called for every frame, in order; ``number`` is its stream's."""
        raise NotImplementedError

    def buffer(self) -> memoryview:
        """Where the next bytes go."""
        return self._view[self._filled :]

    def received(self, count: int) -> None:
        """Decode what has come.

        Raises:
            TunnelError: an unknown type or an oversized frame.
        """
        view = self._view
        filled = self._filled + count
        position = 0
        if self._left:
            position = min(self._left, filled)
            self._left -= position
            self.frame(_DATA, bool(self._kind & END) and not self._left, self._stream, view[:position].tobytes())
        unpack, buffer = HEADER.unpack_from, self._bytes
        kind: int
        stream: int
        length: int
        while filled - position >= HEADER_BYTES:
            kind, stream, length = unpack(buffer, position)
            if length > MAX_PAYLOAD_BYTES or kind & 0x7F not in _KNOWN:
                raise TunnelError(f"a frame of type {kind & 0x7F} with {length} bytes")
            start = position + HEADER_BYTES
            position = start + length
            if position <= filled:
                self.frame(kind & 0x7F, kind >= END, stream, view[start:position].tobytes())
            elif kind & 0x7F == _DATA:
                self._kind, self._stream, self._left = kind, stream, position - filled
                if start < filled:
                    self.frame(_DATA, False, stream, view[start:filled].tobytes())
                position = filled
                break
            else:
                position = start - HEADER_BYTES
                break
        self._filled = filled - position
        if self._filled and position:
            buffer[: self._filled] = buffer[position:filled]
