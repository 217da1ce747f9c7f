"""The head of a site system's answer."""

import re
from enum import IntEnum
from typing import Final, NamedTuple

from causeway.http.errors import BadResponse
from causeway.http.headers import HEADER_BLOCK, HOP_BY_HOP, PLAIN, connection_options, is_identity_header
from causeway.recent import Recent

# The reason phrase passes as it is: Configuration Manager's roles put a code into it that clients show.
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SPECIAL: Final = frozenset((b"content-length",)) | HOP_BY_HOP

MAX_HEADERS: Final = 200


class Framing(IntEnum):
    """How the end of the body is known."""

    NONE = 0
    LENGTH = 1
    CHUNKED = 2
    CLOSE = 3


class ResponseHead(NamedTuple):
    """An answer's head.

    Attributes:
        status: 100 to 599.
        head: status line and the header lines that may pass, each with its CRLF, without the empty line at the end.
        payload: one byte that says how the body ends, then ``head``: as an answer crosses the tunnel.
        whole: the same for an answer that crosses with its body: behind the byte two more with the length of ``head``.
        framing: how the body ends.
        content_length: of the body, where ``framing`` is LENGTH.
        keep_alive: the connection may be used again.
        plain: no header in it can be a secret.
    """

    status: int
    head: bytes
    payload: bytes
    whole: bytes
    framing: Framing
    content_length: int
    keep_alive: bool
    plain: bool


# Site systems answer the same question with the same head, at least within a second, which is what a Date counts.
_heads: Final[Recent[ResponseHead]] = Recent(most=512, most_bytes=1024)


def parse_response_head(head: bytes, method: bytes) -> ResponseHead:
    """Read a head (with its empty line) that answers a request of ``method``.

    Raises:
        BadResponse: it has no single reading.
    """
    if method == b"HEAD":
        return _read(head, method)
    known = _heads.get(head)
    if known is None:
        known = _read(head, method)
        if known.plain:
            _heads.keep(head, known)
    return known


def _read(head: bytes, method: bytes) -> ResponseHead:
    line = _STATUS_LINE.match(head)
    if line is None:
        raise BadResponse("the status line is malformed")
    start, end = line.end(), len(head) - 2
    if HEADER_BLOCK.fullmatch(head, start, end) is None or head[end:] != b"\r\n":
        raise BadResponse("a header line is malformed")
    minor, status_digits, reason = line.groups()
    status = int(status_digits)
    lines = head[start:end].split(b"\r\n")
    lines.pop()
    if len(lines) > MAX_HEADERS:
        raise BadResponse(f"more than {MAX_HEADERS} header lines")
    special, kept, plain = _sorted(lines)
    kept.insert(0, b"HTTP/1.1 %b %b" % (status_digits, reason or b""))
    keep_alive = minor == b"1"
    if (connection := special.get(b"connection")) is not None:
        options = connection_options(connection)
        keep_alive = b"close" not in options and (keep_alive or b"keep-alive" in options)
        named = frozenset(options)
        kept[1:] = [field for field in kept[1:] if field[: field.index(b":")].lower() not in named]
    if minor == b"0" and b"transfer-encoding" in special:
        raise BadResponse("a Transfer-Encoding in HTTP/1.0")  # RFC 9112, 6.1: its framing is faulty
    framing, length = _framing(status, method, special, kept)
    kept.append(b"")
    passed = b"\r\n".join(kept)
    keep_alive = keep_alive and framing is not Framing.CLOSE
    kind = bytes((framing,))
    whole = kind + len(passed).to_bytes(2, "big") + passed
    return ResponseHead(status, passed, kind + passed, whole, framing, length, keep_alive, plain)


def _sorted(lines: list[bytes]) -> tuple[dict[bytes, bytes], list[bytes], bool]:
    """What needs a second look, by name; the lines that pass; and whether all of those can hold no secret."""
    special: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    plain = True
    for field in lines:
        name, _, value = field.partition(b":")
        if name in PLAIN:
            kept.append(field)
            continue
        name = name.lower()
        if name in _SPECIAL:
            value = value.strip(b" \t")
            if name in special:
                if name == b"content-length" and special[name] != value:
                    raise BadResponse("two different Content-Length headers")
                special[name] = value if name == b"content-length" else special[name] + b"," + value
            else:
                special[name] = value
        elif not is_identity_header(name):
            kept.append(field)
            plain = False
    return special, kept, plain


def _framing(status: int, method: bytes, special: dict[bytes, bytes], kept: list[bytes]) -> tuple[Framing, int]:
    """RFC 9112, 6.3. A Content-Length that describes the body, or would for a HEAD or a 304, stays in the head."""
    coding = special.get(b"transfer-encoding")
    length = special.get(b"content-length")
    if coding is not None and (coding.lower() != b"chunked" or length is not None):
        raise BadResponse("the Transfer-Encoding is not exactly chunked, or stands beside a Content-Length")
    if length is not None:
        if _LENGTH.fullmatch(length) is None:
            raise BadResponse("the Content-Length is not a number")
        if status >= 200 and status != 204:
            kept.append(b"Content-Length: " + length)
    if method == b"HEAD" or status < 200 or status in (204, 304):
        return Framing.NONE, 0
    if coding is not None:
        return Framing.CHUNKED, 0
    if length is None:
        return Framing.CLOSE, 0
    value = int(length)
    return (Framing.LENGTH, value) if value else (Framing.NONE, 0)
