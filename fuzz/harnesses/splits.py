"""Bytes as a network may cut them: the cuts are part of the input."""

from collections.abc import Iterator

WHOLE = 0


def pieces(data: bytes, cut: int) -> Iterator[bytes]:
    """``data`` whole (0), byte by byte (1), or in pieces of sizes that ``cut`` determines."""
    if cut == WHOLE:
        yield data
        return
    position, size = 0, cut
    while position < len(data):
        yield data[position : position + size]
        position += size
        # A short cycle of sizes, so that cuts fall on every side of what is being read.
        size = 1 if cut == 1 else size * 5 % 251 + 1
