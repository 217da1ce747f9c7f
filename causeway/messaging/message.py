"""Whole messages: decode and encode the two parts of an HTTP body, and the reply to a request.

The first part is the header, the second the payload: body text and attachments as UTF-16 little-endian, each ended by
a NUL character, then CR LF; the whole of it one zlib stream when the ``zlib-compress`` hook says so. The ranges in the
header count bytes of the decompressed payload.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from causeway.messaging import envelope
from causeway.messaging.envelope import MAX_BODY_BYTES, Part
from causeway.messaging.errors import ByteRangeError, CompressionError, EnvelopeError, FieldError, TooLargeError
from causeway.messaging.header import (
    Attachment,
    ByteRange,
    Header,
    ReplyCompression,
    ReplyMode,
    header_to_xml,
    parse_header,
)
from causeway.messaging.hooks import Hooks
from causeway.messaging.text import decode_utf16, encode_utf16

MAX_PLAINTEXT_BYTES = 16 * 1024 * 1024
_TEXT = "text/plain; charset=UTF-16"
_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Message:
    """A header and the payload as transmitted, which is what a payload signature covers."""

    header: Header
    payload: bytes

    def plaintext(self, *, max_bytes: int = MAX_PLAINTEXT_BYTES) -> bytes:
        """Return the decompressed payload.

        Raises:
            TooLargeError: it is larger than ``max_bytes``; no more than that is ever decompressed.
            CompressionError: it should be a zlib stream and is not a whole one.
        """
        if self.header.hooks.zlib_compress:
            return decompress(self.payload, max_bytes=max_bytes)
        if len(self.payload) > max_bytes:
            raise TooLargeError(f"payload of {len(self.payload)} bytes, and at most {max_bytes} are accepted")
        return self.payload

    def body_text(self, *, max_bytes: int = MAX_PLAINTEXT_BYTES) -> str:
        """Return the body's text, without its byte order mark and closing NUL.

        Raises:
            MessagingError: as :meth:`plaintext`; or the body's range lies outside, or is not UTF-16.
        """
        return decode_utf16(_cut(self.plaintext(max_bytes=max_bytes), self.header.body))

    def attachments(self, *, max_bytes: int = MAX_PLAINTEXT_BYTES) -> dict[str, bytes]:
        """Return the attachments' bytes by name.

        Raises:
            MessagingError: as :meth:`plaintext`; a range lies outside; a name is used twice; together larger than
                ``max_bytes``, which ranges over the same bytes could be.
        """
        plaintext = self.plaintext(max_bytes=max_bytes)
        found: dict[str, bytes] = {}
        total = 0
        for attachment in self.header.attachments:
            if attachment.name in found:
                raise FieldError("two attachments have the same name")
            found[attachment.name] = _cut(plaintext, attachment.range)
            total += attachment.range.length
            if total > max_bytes:
                raise TooLargeError(f"attachments of more than {max_bytes} bytes")
        return found


@dataclass(frozen=True, slots=True)
class Packed:
    """A payload ready to send, and where its texts lie in it."""

    payload: bytes
    body: ByteRange
    attachments: tuple[Attachment, ...]


def pack(body_xml: str, attachments: Sequence[tuple[str, bytes]] = (), *, compress: bool = True) -> Packed:
    """Return the payload for ``body_xml`` and ``attachments`` (name and bytes each) in the native client's layout.

    Raises:
        XmlError: ``body_xml`` has no UTF-16 form.
    """
    body = encode_utf16(body_xml, terminated=True)
    pieces = [body]
    placed: list[Attachment] = []
    offset = len(body)
    for name, content in attachments:
        pieces.append(content)
        placed.append(Attachment(name, ByteRange(offset, len(content))))
        offset += len(content)
    pieces.append(b"\r\n")
    plaintext = b"".join(pieces)
    return Packed(zlib.compress(plaintext) if compress else plaintext, ByteRange(0, len(body)), tuple(placed))


def compose(
    body_xml: str,
    target_endpoint: str,
    *,
    source_id: str = "",
    source_host: str = "",
    target_host: str = "",
    reply_mode: ReplyMode = ReplyMode.SYNC,
    reply_compression: ReplyCompression | None = ReplyCompression.ZLIB,
    attachments: Sequence[tuple[str, bytes]] = (),
    properties: tuple[tuple[str, str], ...] = (),
    compress: bool = True,
) -> Message:
    """Return a new, unsigned message to a management point's endpoint, such as ``MP_LocationManager``.

    Raises:
        XmlError: ``body_xml`` has no UTF-16 form.
    """
    packed = pack(body_xml, attachments, compress=compress)
    header = Header(
        body=packed.body,
        target_endpoint=target_endpoint,
        source_id=source_id,
        source_host=source_host,
        target_address=f"mp:{target_endpoint}",
        target_host=target_host,
        reply_to=f"direct:{source_host}:{target_endpoint}Reply",
        reply_mode=reply_mode,
        reply_compression=reply_compression,
        sent_time=datetime.now(UTC),
        hooks=Hooks(zlib_compress=compress),
        attachments=packed.attachments,
        properties=properties,
    )
    return Message(header, packed.payload)


def decode(content_type: str, body: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> Message:
    """Decode an HTTP body, request or reply alike. The payload is neither decompressed nor verified yet.

    Raises:
        MessagingError: broken multipart, header, or limits passed.
    """
    parts = envelope.parse(content_type, body, max_bytes=max_bytes)
    if len(parts) != 2:
        raise EnvelopeError(f"a message has two parts, this one has {len(parts)}")
    return Message(parse_header(decode_utf16(parts[0].body)), parts[1].body)


def encode(message: Message, *, boundary: str = envelope.FIXED_BOUNDARY) -> tuple[str, bytes]:
    """Return the Content-Type and the HTTP body of ``message``.

    Raises:
        MessagingError: the header cannot be written.
    """
    header = encode_utf16(header_to_xml(message.header), byte_order_mark=True)
    return envelope.build((Part(_TEXT, header), Part(_OCTETS, message.payload)), boundary=boundary)


def encode_reply(request: Message, reply_xml: str, *, source_id: str = "", source_host: str = "") -> tuple[str, bytes]:
    """Return the Content-Type and the HTTP body that answer ``request`` with ``reply_xml``.

    The payload is compressed unless the request said ``ReplyCompression="none"``: clients that leave the attribute out
    rely on zlib, and the SDK cannot read zlib when it asked for none. The text ends with a NUL and nothing after it.

    Raises:
        MessagingError: the reply cannot be written.
    """
    compress = request.header.reply_compression is not ReplyCompression.NONE
    plaintext = encode_utf16(reply_xml, terminated=True)
    header = Header(
        body=ByteRange(0, len(plaintext)),
        target_endpoint=request.header.reply_to.rpartition(":")[2],
        source_id=source_id,
        source_host=source_host,
        target_address=request.header.reply_to,
        target_host=request.header.source_host,
        correlation_id=request.header.id,
        sent_time=datetime.now(UTC),
        hooks=Hooks(zlib_compress=compress),
    )
    return encode(Message(header, zlib.compress(plaintext) if compress else plaintext))


def decompress(data: bytes, *, max_bytes: int) -> bytes:
    """Return what a zlib stream (RFC 1950) holds.

    Raises:
        TooLargeError: more than ``max_bytes``; decompression stops there.
        CompressionError: not a whole zlib stream, or something follows it.
    """
    stream = zlib.decompressobj()
    try:
        plaintext = stream.decompress(data, max_bytes + 1)
    except zlib.error:
        raise CompressionError("not a zlib stream") from None
    if len(plaintext) > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes after decompression")
    if not stream.eof:
        raise CompressionError("the zlib stream is cut off")
    if stream.unused_data.strip(b"\0\r\n"):
        raise CompressionError("something follows the zlib stream")
    return plaintext


def _cut(plaintext: bytes, span: ByteRange) -> bytes:
    if span.offset + span.length > len(plaintext):
        raise ByteRangeError(
            f"range {span.offset}+{span.length} lies outside the payload of {len(plaintext)} bytes after decompression"
        )
    return plaintext[span.offset : span.offset + span.length]
