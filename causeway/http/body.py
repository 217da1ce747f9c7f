"""Bodies in chunks (RFC 9112, 7.1): strictly read, plainly written."""

import re
from typing import Final

from causeway.http.errors import BadRequest, HttpError
from causeway.http.headers import HEADER_BLOCK, HOP_BY_HOP, is_identity_header

MAX_TRAILER_BYTES: Final = 8 * 1024
_MAX_SIZE_LINE: Final = 256
# At most 15 digits: no size that overflows another program's 64-bit integer.
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_NEVER_IN_TRAILERS: Final = HOP_BY_HOP | frozenset(
    (
        b"host",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"content-range",
        b"authorization",
        b"cookie",
        b"expect",
    )
)


def encode_chunk(data: bytes) -> bytes:
    """One chunk; ``data`` must not be empty, since an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: bytes = b"") -> bytes:
    """The end of a body in chunks; ``trailers`` are header lines, each with its CRLF."""
    return b"0\r\n" + trailers + b"\r\n"


def checked_trailers(block: bytes, error: type[HttpError] = BadRequest) -> bytes:
    """The lines of a trailer section that may pass.

    Args:
        block: header lines, each with its CRLF, without the empty line at the end.
        error: what is raised.

    Raises:
        HttpError: of the class ``error``; a line is malformed, or they are too large.
    """
    if len(block) > MAX_TRAILER_BYTES or HEADER_BLOCK.fullmatch(block) is None:
        raise error("a trailer line is malformed, or the trailers are too large")
    return b"".join(line + b"\r\n" for line in block.split(b"\r\n")[:-1] if _may_pass(line))


class ChunkedDecoder:
    """Takes the bytes of a body in chunks and gives the pieces of its content.

    Attributes:
        finished: the body has ended; what came after it is in ``rest``.
        trailers: the trailer lines that may pass, each with its CRLF.
        rest: bytes after the end.
    """

    __slots__ = ("_buffer", "_error", "_in_trailers", "_left", "finished", "rest", "trailers")

    def __init__(self, error: type[HttpError] = BadRequest) -> None:
        self._error = error
        self._buffer = b""
        self._left = 0  # bytes of the current chunk still to come, its CRLF included
        self._in_trailers = False
        self.finished = False
        self.trailers = b""
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, give the pieces of content in them.

        Raises:
            HttpError: of the class given to the constructor; the framing is broken or too large.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self.finished:
            if self._left:
                position = self._content(data, position, pieces)
            elif self._in_trailers:
                position = self._trailers(data, position)
            else:
                position = self._size(data, position)
            if position < 0:
                break
        if self.finished:
            self.rest = data[position:]
        return pieces

    def _content(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        left = self._left
        content = left - 2
        if content > 0:
            piece = data[position : position + content]
            pieces.append(piece)
            self._left = left - len(piece)
            return position + len(piece)
        end = data[position : position + left]
        if end != b"\r\n"[2 - left : 2 - left + len(end)]:
            raise self._error("a chunk does not end where its size says")
        self._left = left - len(end)
        return position + len(end)

    def _size(self, data: bytes, position: int) -> int:
        line = _SIZE_LINE.match(data, position)
        if line is None:
            self._wait(data[position:], _MAX_SIZE_LINE, "a chunk's size line is malformed")
            return -1
        if line.end() - position > _MAX_SIZE_LINE:
            raise self._error("a chunk's size line is too long")
        size = int(line[1], 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailers = True
        return line.end()

    def _trailers(self, data: bytes, position: int) -> int:
        if data.startswith(b"\r\n", position):
            self.finished = True
            return position + 2
        end = data.find(b"\r\n\r\n", position)
        if end < 0:
            self._wait(data[position:], MAX_TRAILER_BYTES + 1, "the trailers are too large")
            return -1
        self.trailers = checked_trailers(data[position : end + 2], self._error)
        self.finished = True
        return end + 4

    def _wait(self, rest: bytes, limit: int, complaint: str) -> None:
        """Keep an incomplete line for the next bytes, unless it can no longer become a good one."""
        if len(rest) > limit or (not self._in_trailers and not _may_become_size_line(rest)):
            raise self._error(complaint)
        self._buffer = rest


def _may_become_size_line(rest: bytes) -> bool:
    return re.fullmatch(rb"[0-9A-Fa-f]{1,15}(?:[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?)?\r?", rest) is not None


def _may_pass(line: bytes) -> bool:
    name = line[: line.index(b":")].lower()
    return name not in _NEVER_IN_TRAILERS and not is_identity_header(name)
