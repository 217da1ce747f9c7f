"""The framing of one request's body: from what the client sends to what the stream carries."""

from typing import TYPE_CHECKING

from causeway.http import ChunkedDecoder, RequestHead
from causeway.refusals import Refused

if TYPE_CHECKING:
    from causeway.gateway.exchange import Exchange


class RequestBody:
    """Takes the bytes behind a head and hands the body to its exchange.

    A body has a length or comes in chunks; behind a change of protocol, bytes pass as they come until either side ends.
    """

    __slots__ = ("_chunks", "_exchange", "_left", "_limit")

    def __init__(self, exchange: "Exchange", head: RequestHead) -> None:
        self._exchange = exchange
        self._left = head.content_length or 0
        self._chunks = ChunkedDecoder() if head.chunked else None
        self._limit = exchange.route.max_body_bytes

    def feed(self, data: bytes) -> bytes:
        """Hand on what belongs to the body; returns what came after its end.

        Raises:
            BadRequest: a chunk is malformed.
            Refused: the body is larger than the endpoint takes.
        """
        exchange = self._exchange
        if exchange.upgrading:
            exchange.send_body(data, end=False)
            return b""
        if self._chunks is None:
            left = self._left
            piece = data if len(data) <= left else data[:left]
            self._left = left - len(piece)
            exchange.send_body(piece, end=not self._left)
            return data[left:]
        for piece in self._chunks.feed(data):
            if exchange.bytes_in + len(piece) > self._limit:
                raise Refused("CMGService_BodyTooLarge", f"{self._limit} bytes allowed")
            exchange.send_body(piece, end=False)
        if self._chunks.finished:
            exchange.end_body(self._chunks.trailers)
        return self._chunks.rest
