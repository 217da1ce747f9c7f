"""HTTP/1.1 as the gateway reads it: bytes in, values out, no sockets.

There is one reading of a request or none. Whatever two programs could read in two ways is refused, and what passes is
written anew from the parts that were understood (RFC 9110, RFC 9112).
"""

from causeway.http.body import ChunkedDecoder, checked_trailers, encode_chunk, last_chunk
from causeway.http.errors import BadRequest, BadResponse, HttpError
from causeway.http.headers import IDEMPOTENT_METHODS, is_identity_header
from causeway.http.request import MAX_HEAD_BYTES, RequestHead, parse_request_head
from causeway.http.response import Framing, ResponseHead, parse_response_head

__all__ = [
    "IDEMPOTENT_METHODS",
    "MAX_HEAD_BYTES",
    "BadRequest",
    "BadResponse",
    "ChunkedDecoder",
    "Framing",
    "HttpError",
    "RequestHead",
    "ResponseHead",
    "checked_trailers",
    "encode_chunk",
    "is_identity_header",
    "last_chunk",
    "parse_request_head",
    "parse_response_head",
]
