"""A connection to a site system: requests out, answers framed strictly."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, Protocol, cast

from causeway.http import BadResponse, ChunkedDecoder, Framing, ResponseHead, parse_response_head

if TYPE_CHECKING:
    from causeway.connection_point.exchange import Exchange

_NONE: Final = Framing.NONE
_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_CLOSE: Final = Framing.CLOSE
_MAX_HEAD_BYTES: Final = 32 * 1024
_MAX_INTERIM: Final = 32
_WRITE_HIGH_WATER_BYTES: Final = 256 * 1024


class Keeper(Protocol):
    """Who keeps the connection while it is idle."""

    def opened(self, connection: "UpstreamConnection") -> None:
        """It stands."""

    def forget(self, connection: "UpstreamConnection") -> None:
        """It ended."""


class UpstreamConnection:
    """One connection to a site system. A protocol for uvloop.

    Attributes:
        owner: whose request is under way; None while the connection is idle.
        served: requests answered on it so far.
        idle_since: loop time.
    """

    def __init__(self, pool: Keeper) -> None:
        self.pool = pool
        self.owner: Exchange | None = None
        self.served = 0
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._head: ResponseHead | None = None
        self._left = 0
        self._chunks: ChunkedDecoder | None = None
        self._interim = 0
        self._paused = False
        self._last: ResponseHead | None = None  # the last head before a body with a length
        self._last_bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH_WATER_BYTES)
        self.pool.opened(self)

    @property
    def alive(self) -> bool:
        """Whether it may be used."""
        return self._transport is not None and not self._transport.is_closing()

    # The request.

    def begin(self, owner: "Exchange", head: bytes) -> None:
        """Send a request's head for ``owner``."""
        self.owner = owner
        self._head = None
        self._chunks = None
        self._interim = 0
        self.write(head)

    def write(self, data: bytes) -> None:
        """Send bytes of the request."""
        if self._transport is not None:
            self._transport.write(data)

    def pause_writing(self) -> None:
        """Tell the owner."""
        if self.owner is not None:
            self.owner.upstream_paused()

    def resume_writing(self) -> None:
        """Tell the owner."""
        if self.owner is not None:
            self.owner.upstream_resumed()

    # The answer.

    def pause_reading(self) -> None:
        """The way up does not keep up."""
        if self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """It keeps up again."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Frame the answer and hand it to the owner."""
        owner = self.owner
        if owner is None:
            self.abort()  # nobody asked
            return
        try:
            if self._head is not None:
                self._read_body(owner, data)
            elif not self._came_again(owner, data):
                self._read_head(owner, data)
        except BadResponse as error:
            self.owner = None
            self.abort()
            owner.upstream_lost(error.word, str(error), untouched=False)

    def _came_again(self, owner: "Exchange", data: bytes) -> bool:
        """Take a whole answer with the same head as the last: mostly it is, within a second, which a Date counts."""
        last, size = self._last, len(self._last_bytes)
        if last is None or self._buffer or owner.method == b"HEAD" or not data.startswith(self._last_bytes):
            return False
        if len(data) - size < last.content_length:
            return False
        self._read_whole(owner, last, data[size:])
        return True

    def _read_head(self, owner: "Exchange", data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                if len(data) > _MAX_HEAD_BYTES:
                    raise BadResponse("the answer's head is too large")
                self._buffer = data
                return
            head = parse_response_head(data[:end], owner.method)
            if head.framing is _LENGTH and head.plain:
                self._last, self._last_bytes = head, data[:end]
            data = data[end:]
            if head.framing is _LENGTH and len(data) >= head.content_length:
                self._read_whole(owner, head, data)
                return
            if head.status == 101:
                if not owner.upgrade:
                    raise BadResponse("101 Switching Protocols, which nobody asked for")
                head = head._replace(framing=_CLOSE)
            owner.head_received(head)
            if self.owner is not owner:
                return
            if head.status >= 200 or head.status == 101:
                self._begin_body(owner, head, data)
                return
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                raise BadResponse("interim answers without an end")

    def _begin_body(self, owner: "Exchange", head: ResponseHead, data: bytes) -> None:
        self._head = head
        self._left = head.content_length
        self._chunks = ChunkedDecoder(BadResponse) if head.framing is _CHUNKED else None
        if head.framing is _NONE:
            self._finish(owner, extra=bool(data), trailers=None)
        elif data:
            self._read_body(owner, data)

    def _read_whole(self, owner: "Exchange", head: ResponseHead, data: bytes) -> None:
        """An answer that came at once, as most do."""
        self._head = head
        extra = len(data) > head.content_length
        owner.answer_received(head, data[: head.content_length] if extra else data)
        self._finish(owner, extra=extra, trailers=None)

    def _read_body(self, owner: "Exchange", data: bytes) -> None:
        if self._chunks is not None:
            for piece in self._chunks.feed(data):
                owner.body_received(piece, end=False)
            if self._chunks.finished:
                self._finish(owner, extra=bool(self._chunks.rest), trailers=self._chunks.trailers)
            return
        head = cast("ResponseHead", self._head)
        if head.framing is _CLOSE:
            owner.body_received(data, end=False)
            return
        left = self._left
        extra = len(data) > left
        if extra:
            data = data[:left]
        self._left = left - len(data)
        owner.body_received(data, end=not self._left)
        if not self._left:
            self._finish(owner, extra=extra, trailers=None)

    def _finish(self, owner: "Exchange", *, extra: bool, trailers: bytes | None) -> None:
        """The answer is whole. Keep the connection, unless it has said more than it was asked."""
        head = cast("ResponseHead", self._head)
        if self.owner is not owner:
            return  # the owner gave the request up while it was told
        self.owner = None
        self.served += 1
        if extra or not head.keep_alive:
            self.abort()
        if self._paused:
            self.resume_reading()  # the way up may have been slow for this answer; the next one is another
        owner.answer_complete(trailers)

    def eof_received(self) -> bool:
        """A site system that sends no more is done with the connection."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner; an answer that was to end with the connection has ended."""
        self._transport = None
        self.pool.forget(self)
        owner, self.owner = self.owner, None
        if owner is None:
            return
        if self._head is not None and self._head.framing is _CLOSE and exc is None:
            owner.answer_complete(b"")
            return
        refused = isinstance(exc, ssl.SSLError) and self._head is None
        word = "CMGConnector_SiteSystemCertificate" if refused else "CMGConnector_SiteSystemClosed"
        owner.upstream_lost(word, str(exc or ""), untouched=self._head is None and not self._buffer)

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
