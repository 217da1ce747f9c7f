"""The text encodings of the protocol: UTF-16 little-endian with or without a byte order mark, padded with NULs."""

import codecs

from causeway.messaging.errors import XmlError

_PADDING = "\0\r\n\t "


def decode_utf16(data: bytes) -> str:
    """Return the text of ``data``: UTF-16 with a byte order mark, or little-endian without one.

    Clients end a text with one NUL character, with three NUL bytes, or with nothing; padding is removed at both ends.

    Raises:
        XmlError: the bytes are not UTF-16.
    """
    if len(data) % 2:
        if data[-1]:
            raise XmlError("UTF-16 text has an odd number of bytes")
        data = data[:-1]
    encoding = "utf-16-le"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return data.decode(encoding).strip(_PADDING)
    except UnicodeDecodeError as error:
        raise XmlError(f"text is not UTF-16: {error.reason} at byte {error.start}") from None


def decode_document(data: bytes) -> str:
    """Return the text of a document that came without a reliable charset: UTF-16 if it looks so, otherwise UTF-8.

    Location replies and the fallback status point's reports come in either encoding.

    Raises:
        XmlError: the bytes are in neither encoding.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0")):
        return decode_utf16(data)
    try:
        return data.decode("utf-8-sig").strip(_PADDING)
    except UnicodeDecodeError as error:
        raise XmlError(f"text is not UTF-8: {error.reason} at byte {error.start}") from None


def encode_utf16(text: str, *, byte_order_mark: bool = False, terminated: bool = False) -> bytes:
    """Return ``text`` as UTF-16 little-endian, with a byte order mark or a closing NUL character where asked.

    Raises:
        XmlError: ``text`` contains half of a surrogate pair, which has no encoding.
    """
    try:
        encoded = text.encode("utf-16-le")
    except UnicodeEncodeError as error:
        raise XmlError(f"text cannot be encoded: {error.reason} at character {error.start}") from None
    return (codecs.BOM_UTF16_LE if byte_order_mark else b"") + encoded + (b"\0\0" if terminated else b"")
