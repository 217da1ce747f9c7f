"""The head of a request."""

import re
from typing import Final, NamedTuple

from causeway.http.errors import BadRequest, ExpectationFailed
from causeway.http.headers import (
    HEADER_BLOCK,
    HOP_BY_HOP,
    HOST,
    MAX_HEADERS,
    PLAIN,
    connection_options,
    is_identity_header,
)
from causeway.recent import Recent

MAX_HEAD_BYTES: Final = 32 * 1024

# The method is any token (CCM_POST, BITS_POST, PROPFIND). The target is any visible ASCII but a fragment: management
# clients send raw braces, dollars and ampersands in queries that are not key=value, and all of it must pass.
_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21\x22\x24-\x7e]+) HTTP/1\.([01])\r\n")
_ABSOLUTE: Final = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?]+)(/.*)?")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")

# Everything that needs a second look; all other headers pass as they are.
_SPECIAL: Final = frozenset((b"host", b"content-length", b"expect")) | HOP_BY_HOP


class RequestHead(NamedTuple):
    """A request head with one reading.

    Attributes:
        method: as sent.
        target: origin form, as sent, byte for byte.
        path: the target without its query.
        minor: the minor version of HTTP/1: 0 or 1.
        host: the ``Host`` header; empty only with HTTP/1.0.
        fields: the header lines that may pass, each with its CRLF; framing, hop-by-hop and identity headers are gone.
        tail: what stands last in the head when the request is passed on: framing, expectation, ``fields``, empty line.
        content_length: the length of the body; None without a Content-Length.
        chunked: the body comes in chunks.
        has_body: there is a body, and it is not empty.
        expects_continue: the client waits for ``100 Continue``.
        closes: the client wants the connection closed after the answer.
        upgrade: the protocol that the client asks for, or empty; never with a body.
        forged: the names of identity headers that the client sent and that were dropped.
        plain: nothing in it can be a secret: there is no query, and no header but such as every client sends.
    """

    method: bytes
    target: bytes
    path: bytes
    minor: int
    host: bytes
    fields: bytes
    tail: bytes
    content_length: int | None
    chunked: bool
    has_body: bool
    expects_continue: bool
    closes: bool
    upgrade: bytes
    forged: tuple[bytes, ...]
    plain: bool

    def with_fields(self, fields: bytes) -> "RequestHead":
        """The same head with other header lines to pass on."""
        before = self.tail[: -len(self.fields) - 2]
        return self._replace(fields=fields, tail=before + fields + b"\r\n")


# All but method, target and path follows from what stands behind the target, and most clients send that unchanged.
_Rest = tuple[
    int, bytes, bytes, bytes, int | None, bool, bool, bool, bool, bytes, tuple[bytes, ...]
]  # from ``minor`` to ``forged``
_rests: Final[Recent[_Rest]] = Recent(most=512, most_bytes=1024)

# And many devices ask for the very same thing.
_heads: Final[Recent[RequestHead]] = Recent(most=512, most_bytes=1024)


def parse_request_head(head: bytes) -> RequestHead:
    """Read a head: everything up to and with the empty line.

    Raises:
        BadRequest: it has no single reading.
    """
    known = _heads.get(head)
    if known is not None:
        return known
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise BadRequest("the request line is malformed")
    method, target, minor = line.groups()
    block = head[line.start(3) :]
    rest = _rests.get(block)
    plain = known_block = rest is not None
    if rest is None:
        rest, plain = _read_rest(block, 1 if minor == b"1" else 0)
    if target[0] != 0x2F:
        target = _origin_form(target, rest[1])
    path, query, _ = target.partition(b"?")
    plain = plain and not query
    read = RequestHead._make((method, target, path, *rest, plain))
    if known_block and plain:
        _heads.keep(head, read)
    return read


def _read_rest(block: bytes, minor: int) -> tuple[_Rest, bool]:
    """Read a head from its minor version on; also whether no header in it can be a secret."""
    start, end = 3, len(block) - 2
    if HEADER_BLOCK.fullmatch(block, start, end) is None or block[end:] != b"\r\n":
        raise BadRequest("a header line is malformed")
    lines = block[start:end].split(b"\r\n")
    lines.pop()
    special, kept, forged, plain = _sorted(lines)
    if len(lines) + (b"host" not in special) > MAX_HEADERS:  # a missing Host is added on the way
        raise BadRequest(f"more than {MAX_HEADERS} header lines")
    rest = _assemble(minor, special, kept, forged)
    if plain:
        _rests.keep(block, rest)
    return rest, plain


def _sorted(lines: list[bytes]) -> tuple[dict[bytes, bytes], list[bytes], tuple[bytes, ...], bool]:
    """What needs a second look, by name; the lines that pass; forged names; and whether nothing can be a secret."""
    special: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    forged: tuple[bytes, ...] = ()
    plain = True
    for field in lines:
        name, _, value = field.partition(b":")
        if name in PLAIN:
            kept.append(field)
            continue
        name = name.lower()
        if name in _SPECIAL:
            if name in special:
                if name in (b"host", b"content-length", b"transfer-encoding", b"expect"):
                    raise BadRequest(f"two {name.decode()} headers")
                special[name] += b"," + value
            else:
                special[name] = value.strip(b" \t")
            plain = plain and name != b"proxy-authorization"
        elif is_identity_header(name):
            forged += (name,)
            plain = False
        else:
            kept.append(field)
            plain = False
    return special, kept, forged, plain


def _assemble(minor: int, special: dict[bytes, bytes], kept: list[bytes], forged: tuple[bytes, ...]) -> _Rest:
    host = special.pop(b"host", b"")
    if (minor == 1 or host) and HOST.fullmatch(host) is None:
        raise BadRequest("the Host header is missing or malformed")
    closes = minor == 0
    content_length = None
    chunked = expects_continue = False
    upgrade = b""
    if special:
        content_length, chunked = _framing(special, minor)
        if (expectation := special.get(b"expect")) is not None and minor == 1:
            if expectation.lower() != b"100-continue":
                raise ExpectationFailed("the Expect header is not 100-continue")
            expects_continue = chunked or bool(content_length)
        if (connection := special.get(b"connection")) is not None:
            options = connection_options(connection)
            closes = b"close" in options or (minor == 0 and b"keep-alive" not in options)
            if b"upgrade" in options and minor == 1:
                upgrade = special.get(b"upgrade", b"")
            kept = [field for field in kept if field[: field.index(b":")].lower() not in options]
    has_body = chunked or bool(content_length)
    fields = b"\r\n".join(kept) + b"\r\n" if kept else b""
    tail = fields + b"\r\n"
    if expects_continue:
        tail = b"Expect: 100-continue\r\n" + tail
    if chunked:
        tail = b"Transfer-Encoding: chunked\r\n" + tail
    elif content_length is not None:
        tail = b"Content-Length: %d\r\n" % content_length + tail
    return (
        minor,
        host,
        fields,
        tail,
        content_length,
        chunked,
        has_body,
        expects_continue,
        closes,
        b"" if has_body else upgrade,
        forged,
    )


def _framing(special: dict[bytes, bytes], minor: int) -> tuple[int | None, bool]:
    """The length of the body and whether it comes in chunks (RFC 9112, 6.3); never both, and never a doubt."""
    length = special.get(b"content-length")
    if length is not None and _LENGTH.fullmatch(length) is None:
        raise BadRequest("the Content-Length is not a number")
    coding = special.get(b"transfer-encoding")
    if coding is not None and (length is not None or minor == 0 or coding.lower() != b"chunked"):
        raise BadRequest("the Transfer-Encoding is not exactly chunked, or stands beside a Content-Length")
    return None if length is None else int(length), coding is not None


def _origin_form(target: bytes, host: bytes) -> bytes:
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise BadRequest("the target is neither a path nor a URL")
    if absolute[1].lower() != host.lower():
        raise BadRequest("the target names another host than the Host header")
    return absolute[2] or b"/"
