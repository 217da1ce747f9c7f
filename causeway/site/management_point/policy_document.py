"""The bytes of a policy as they are served in the clear; the hash in its assignment covers them."""

import zlib

from causeway.messaging.safe_xml import element
from causeway.messaging.text import encode_utf16


def document(body: str, *, compress: bool) -> bytes:
    """A policy's document as UTF-16 with a byte order mark; compressed, hex of a zlib stream inside ``PolicyXML``."""
    plain = encode_utf16(body, byte_order_mark=True)
    if not compress:
        return plain
    packed = element("PolicyXML", zlib.compress(plain).hex().upper(), Compression="zlib")
    return encode_utf16(packed, byte_order_mark=True)
