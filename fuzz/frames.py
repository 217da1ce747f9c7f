"""Frames, read as a tunnel reads them, for whoever looks at what it wrote."""

from collections.abc import Callable

from causeway.tunnel.frames import FrameReader


class FrameDecoder(FrameReader):
    """Hands each frame to a function: type, end, stream, payload."""

    def __init__(self, handler: Callable[[int, bool, int, bytes], object]) -> None:
        super().__init__()
        self._handler = handler

    def frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """Hand it on."""
        self._handler(kind, end, number, payload)
