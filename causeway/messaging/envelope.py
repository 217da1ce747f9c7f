"""The multipart/mixed layer around a message.

The layouts that clients send: the fixed boundary of the native client, a random boundary with form-data dispositions
(media and task sequences), and a CRLF after the closing delimiter or none.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from causeway.messaging.errors import EnvelopeError, TooLargeError

FIXED_BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
MAX_BODY_BYTES = 32 * 1024 * 1024
_MAX_PARTS = 8
_MAX_PART_HEADER_BYTES = 4096

_CONTENT_TYPE = re.compile(r"\s*multipart/(?:mixed|form-data)\s*((?:;[^;]*)*)", re.IGNORECASE)
_BOUNDARY_PARAMETER = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)', re.IGNORECASE)
# RFC 2046 5.1.1: at most 70 characters of this set, the last one not a space.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its content type as written (empty when it has none) and its bytes."""

    content_type: str
    body: bytes


def parse(content_type: str, body: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> tuple[Part, ...]:
    """Split an HTTP body into its parts, in order.

    Args:
        content_type: the value of the request's or response's Content-Type.
        body: the whole HTTP body.
        max_bytes: the longest body accepted.

    Raises:
        EnvelopeError: not multipart, no boundary, broken or unclosed parts, or too many of them.
        TooLargeError: ``body`` is longer than ``max_bytes``.
    """
    if len(body) > max_bytes:
        raise TooLargeError(f"message of {len(body)} bytes, and at most {max_bytes} are accepted")
    delimiter = b"--" + _boundary_of(content_type).encode("ascii")
    # A CRLF in front lets the first delimiter look like every other one.
    position, closed = _next_delimiter(b"\r\n" + body[: len(delimiter) + 2], delimiter, 0)
    if position != 0 or closed:
        raise EnvelopeError("the body does not start with the boundary that its content type names")
    start = len(delimiter) + 2
    parts: list[Part] = []
    while True:
        if len(parts) == _MAX_PARTS:
            raise EnvelopeError(f"more than {_MAX_PARTS} parts")
        position, closed = _next_delimiter(body, delimiter, start - 2)
        if position < 0:
            raise EnvelopeError("the last part is not closed by the boundary")
        parts.append(_parse_part(body[start:position]))
        if closed:
            return tuple(parts)
        start = position + 2 + len(delimiter) + 2


def build(parts: Sequence[Part], *, boundary: str = FIXED_BOUNDARY) -> tuple[str, bytes]:
    """Return the Content-Type and the body that carry ``parts``.

    A part that happens to contain the boundary gets a random one instead: nothing inside a part can end it.

    Raises:
        EnvelopeError: a part's content type or the boundary cannot be written.
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise EnvelopeError("the boundary is not 1 to 70 characters of the set that RFC 2046 allows")
    while any(boundary.encode("ascii") in part.body for part in parts):
        boundary = secrets.token_hex(20)
    pieces: list[bytes] = []
    for part in parts:
        if not part.content_type.isascii() or not part.content_type.isprintable():
            raise EnvelopeError("a part's content type is not printable ASCII")
        pieces.append(f"--{boundary}\r\ncontent-type: {part.content_type}\r\n\r\n".encode("ascii"))
        pieces.append(part.body + b"\r\n")
    pieces.append(f"--{boundary}--".encode("ascii"))
    return f'multipart/mixed; boundary="{boundary}"', b"".join(pieces)


def _boundary_of(content_type: str) -> str:
    match = _CONTENT_TYPE.fullmatch(content_type[:512])
    if match is None or len(content_type) > 512:
        raise EnvelopeError("the content type is not multipart/mixed")
    found = _BOUNDARY_PARAMETER.search(match[1])
    if found is None:
        raise EnvelopeError("the content type names no boundary")
    boundary = found[1] if found[1] is not None else found[2]
    if not _BOUNDARY.fullmatch(boundary):
        raise EnvelopeError("the boundary is not 1 to 70 characters of the set that RFC 2046 allows")
    return boundary


def _next_delimiter(body: bytes, delimiter: bytes, start: int) -> tuple[int, bool]:
    """Return where the CRLF before the next delimiter stands (-1: nowhere) and whether that delimiter closes."""
    line = b"\r\n" + delimiter
    position = body.find(line, start)
    while position >= 0:
        end = body[position + len(line) : position + len(line) + 2]
        if end in {b"\r\n", b"--"}:
            return position, end == b"--"
        # The boundary as a prefix of other bytes is content.
        position = body.find(line, position + 1)
    return -1, False


def _parse_part(part: bytes) -> Part:
    if part.startswith(b"\r\n"):
        return Part("", part[2:])
    end = part.find(b"\r\n\r\n", 0, _MAX_PART_HEADER_BYTES)
    if end < 0:
        raise EnvelopeError(f"a part has no end of its headers within {_MAX_PART_HEADER_BYTES} bytes")
    content_type = ""
    for line in part[:end].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            raise EnvelopeError("a part has a header line without a colon")
        if name.strip().lower() == b"content-type":
            content_type = value.strip().decode("latin-1")
    return Part(content_type, part[end + 4 :])
