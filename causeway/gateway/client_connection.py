"""One client's connection: frames requests strictly, one after another, and writes the answers."""

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from causeway.gateway.binding import Binding
from causeway.gateway.client import Client
from causeway.gateway.exchange import Exchange
from causeway.gateway.responses import own_answer, refusal_head_and_body
from causeway.http import MAX_HEAD_BYTES, BadRequest, ChunkedDecoder, RequestHead, parse_request_head
from causeway.refusals import Refused
from causeway.transport import TlsServerTransport
from causeway.tunnel.prelude import NONE, request_payload

if TYPE_CHECKING:
    from causeway.gateway.publishing import Route
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_PIPELINE_BYTES = 64 * 1024


class ClientConnection(asyncio.Protocol):
    """From the first byte after the handshake to the last.

    Attributes:
        http_1_1: the request under way is HTTP/1.1, so its answer may come in chunks.
        close_after: close when the answer under way is written.
        deadline: loop time by which something must have happened.
        writable: the client reads what it is sent.
    """

    __slots__ = (
        "_binding",
        "_body_left",
        "_buffer",
        "_chunks",
        "_client",
        "_exchange",
        "_limits",
        "_peer",
        "_transport",
        "_worker",
        "close_after",
        "deadline",
        "http_1_1",
        "writable",
    )

    def __init__(self, worker: "Worker", peer: str) -> None:
        self._worker = worker
        self._limits = worker.config.limits
        self._peer = peer
        self._transport: TlsServerTransport | None = None
        self._buffer = b""
        self._exchange: Exchange | None = None
        self._body_left = 0
        self._chunks: ChunkedDecoder | None = None
        self._client = Client(worker, peer, None)
        self._binding = Binding(worker)
        self.http_1_1 = True
        self.close_after = False
        self.writable = True
        self.deadline = 0.0

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Decide once who the client is."""
        self._transport = cast("TlsServerTransport", transport)
        self._worker.connections.add(self)
        certificate = self._transport.get_extra_info("ssl_object").getpeercert(True)
        self._client = Client(self._worker, self._peer, certificate)
        self.deadline = self._worker.now() + self._limits.head_timeout_s

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # a client may go as it likes
        """Give up what was under way for it."""
        self._worker.connections.discard(self)
        self._worker.listener.left(self._peer)
        self._transport = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._note(exchange, exchange.status or 499, "ClientGone")
            exchange.client_gone()
        self._binding.release()

    def eof_received(self) -> bool:
        """A client that stops sending with a request under way still gets its answer."""
        return self._exchange is not None and self._exchange.request_done

    # Requests.

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, or of what follows it."""
        exchange = self._exchange
        if exchange is None:
            if self._buffer:
                data = self._buffer + data
            self._read_head(data)
        elif exchange.request_done:
            self._buffer += data
            if len(self._buffer) > _PIPELINE_BYTES and self._transport is not None:
                self._transport.pause_reading()
        else:
            self._read_body(exchange, data)

    def _read_head(self, data: bytes) -> None:
        """Start the request at the beginning of ``data``, if its head is there."""
        if data.startswith(b"\r\n"):
            data = data[2:]  # RFC 9112, 2.2: some clients send an empty line behind a body
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or end > MAX_HEAD_BYTES:
            if len(data) > MAX_HEAD_BYTES:
                self._refuse("CMGService_HeadTooLarge", b"-", b"-", b"-", may_go_on=False)
                return
            if data and not self._buffer:
                self.deadline = self._worker.now() + self._limits.head_timeout_s
            self._buffer = data
            return
        self._buffer = b""
        try:
            head = parse_request_head(data[:end])
        except BadRequest as error:
            self._refuse(error.word, b"-", b"-", b"-", details=str(error), may_go_on=False)
            return
        rest = data[end:]
        self.http_1_1 = head.minor == 1
        self.close_after = head.closes or self._worker.draining
        has_body = head.chunked or bool(head.content_length)
        path = head.target.partition(b"?")[0]
        route = None
        try:
            route = self._client.admit(head)
            if route.answer is not None:
                self._answer_itself(route, head, rest)
                return
            exchange = self._begin(route, head, path, end=not has_body)
        except Refused as refused:
            allow = b", ".join(sorted(route.methods)).decode() if route is not None else ""
            self._buffer = rest
            self._refuse(
                refused.refused_word,
                head.method,
                path,
                route.name if route is not None else b"-",
                details=str(refused),
                may_go_on=not has_body,
                allow=allow,
            )
            return
        if has_body:
            self._body_left = head.content_length or 0
            self._chunks = ChunkedDecoder() if head.chunked else None
            if rest:
                self._read_body(exchange, rest)
        else:
            self._buffer = rest

    def _begin(self, route: "Route", head: RequestHead, path: bytes, *, end: bool) -> Exchange:
        """Open a stream and hand the head over.

        Raises:
            Refused: no tunnel can take it.
        """
        worker = self._worker
        if route.connection_bound:
            tunnel, binding = self._binding.tunnel()
        else:
            tunnel, binding = worker.tunnels.choose(), NONE
        now = worker.now()
        request_id = worker.next_request_id()
        exchange = Exchange(self, tunnel, tunnel.open(), route, request_id, now, head.method, path)
        self._exchange = tunnel.streams[exchange.number] = exchange
        self.deadline = now + self._limits.stall_timeout_s
        exchange.send_head(request_payload(route.name, request_id, self._client.prelude, binding, head), end=end)
        return exchange

    def _read_body(self, exchange: Exchange, data: bytes) -> None:
        self.deadline = self._worker.now() + self._limits.stall_timeout_s
        if self._chunks is None:
            left = self._body_left
            if len(data) > left:
                self._buffer = data[left:]
                data = data[:left]
            self._body_left = left - len(data)
            exchange.send_body(data, end=not self._body_left)
            return
        try:
            pieces = self._chunks.feed(data)
        except BadRequest as error:
            self._give_up(exchange, error.word, str(error))
            return
        for piece in pieces:
            if exchange.bytes_in + len(piece) > exchange.route.max_body_bytes:
                self._give_up(exchange, "CMGService_BodyTooLarge", f"{exchange.route.max_body_bytes} bytes allowed")
                return
            exchange.send_body(piece, end=False)
        if self._chunks.finished:
            self._buffer = self._chunks.rest
            exchange.end_body(self._chunks.trailers)
            self._chunks = None

    def pause_body(self) -> None:
        """The other side does not keep up with the upload."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_body(self) -> None:
        """It keeps up again."""
        self.deadline = self._worker.now() + self._limits.stall_timeout_s
        if self._transport is not None:
            self._transport.resume_reading()

    # Answers.

    def write(self, data: bytes) -> None:
        """Write to the client."""
        if self._transport is not None:
            self._transport.write(data)

    def writelines(self, pieces: list[bytes]) -> None:
        """Write what came together."""
        if self._transport is not None:
            self._transport.writelines(pieces)
            if self.writable:
                self.deadline = self._worker.now() + self._limits.stall_timeout_s

    def pause_writing(self) -> None:
        """The client does not keep up: no more credit for the answer."""
        self.writable = False
        if self._exchange is not None:
            self._exchange.credit_in.stalled()

    def resume_writing(self) -> None:
        """It keeps up again."""
        self.writable = True
        self.deadline = self._worker.now() + self._limits.stall_timeout_s
        if self._exchange is not None:
            self._exchange.writable_again()

    def exchange_done(self, exchange: Exchange) -> None:
        """The answer is written: the next request, or the end."""
        self._note(exchange, exchange.status, "")
        self._exchange = None
        self._go_on(complete=exchange.request_done)

    def exchange_failed(self, exchange: Exchange, word: str) -> None:
        """No answer will come, or no more of it."""
        self._exchange = None
        if exchange.status:
            self._note(exchange, exchange.status, word)
            self._log_refusal(exchange.request_id, word, exchange.path, "broken off in the middle of the answer")
            if self._transport is not None:
                self._transport.abort()
            return
        self._answer_refusal(
            word,
            exchange.request_id,
            exchange.method,
            exchange.path,
            details="",
            may_go_on=exchange.request_done,
        )
        self._note(exchange, 0, word)

    def _give_up(self, exchange: Exchange, word: str, details: str) -> None:
        """Something is wrong with the body of a request under way."""
        self._exchange = None
        exchange.refuse_body()
        self._chunks = None
        if exchange.status:
            if self._transport is not None:
                self._transport.abort()
        else:
            self._answer_refusal(
                word, exchange.request_id, exchange.method, exchange.path, details=details, may_go_on=False
            )
        self._note(exchange, exchange.status, word)

    def _refuse(
        self,
        word: str,
        method: bytes,
        path: bytes,
        endpoint: bytes,
        *,
        details: str = "",
        may_go_on: bool,
        allow: str = "",
    ) -> None:
        """Refuse a request that went nowhere."""
        request_id = self._worker.next_request_id()
        status = self._answer_refusal(word, request_id, method, path, details=details, may_go_on=may_go_on, allow=allow)
        self._worker.note_refused(request_id, method, path, endpoint, status, word, self._peer.encode())

    def _answer_refusal(
        self,
        word: str,
        request_id: bytes,
        method: bytes,
        path: bytes,
        *,
        details: str,
        may_go_on: bool,
        allow: str = "",
    ) -> int:
        """Write a refusal; where the rest of a request may still come, the connection ends with it."""
        self._log_refusal(request_id, word, path, details)
        close = self.close_after or not may_go_on
        status, data = refusal_head_and_body(word, request_id, head_only=method == b"HEAD", close=close, allow=allow)
        self.write(data)
        self.close_after = close
        self._go_on(complete=may_go_on)
        return status

    def _answer_itself(self, route: "Route", head: RequestHead, rest: bytes) -> None:
        request_id = self._worker.next_request_id()
        has_body = head.chunked or bool(head.content_length)
        self.close_after = self.close_after or has_body
        body = route.answer or b""
        self.write(own_answer(body, request_id, head_only=head.method == b"HEAD", close=self.close_after))
        route.metrics.statuses[200] += 1
        self._buffer = rest
        self._go_on(complete=not has_body)

    def _go_on(self, *, complete: bool) -> None:
        """After an answer: close, or take the next request, which may have come already."""
        transport = self._transport
        if transport is None:
            return
        if self.close_after or self._worker.draining or not complete:
            if complete and not self._buffer:
                transport.close()
            else:
                transport.close_lingering()
            self.deadline = self._worker.now() + self._limits.stall_timeout_s
            return
        self.deadline = self._worker.now() + self._limits.idle_timeout_s
        if not transport.is_reading():
            transport.resume_reading()
        if self._buffer:
            # In a turn of its own, so that a pipeline of refused requests is no recursion.
            self._worker.loop.call_soon(self._next_pipelined)

    def _next_pipelined(self) -> None:
        if self._exchange is None and self._buffer and self._transport is not None:
            data, self._buffer = self._buffer, b""
            self._read_head(data)

    # Books.

    def _note(self, exchange: Exchange, status: int, word: str) -> None:
        self._worker.note(exchange, status, word, self._peer.encode())

    def _log_refusal(self, request_id: bytes, word: str, path: bytes, details: str) -> None:
        log.info(
            "refused",
            request_id=request_id.decode(),
            word=word,
            peer=self._peer,
            client=self._client.name,
            path=path.decode("latin-1")[:200],
            details=details,
        )

    # The worker's side.

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._exchange is None and not self._buffer

    def close(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.close()

    def check_deadline(self, now: float) -> None:
        """Called every second: end what has been waiting for too long."""
        if now < self.deadline or self._transport is None:
            return
        exchange = self._exchange
        if exchange is None:
            if self._buffer and not self._transport.is_closing():
                self._refuse("CMGService_RequestTimeout", b"-", b"-", b"-", may_go_on=False)
            elif self._transport.is_closing():
                self._transport.abort()
            else:
                self._transport.close()
        elif not exchange.request_done and not exchange.status and not exchange.holding:
            self._give_up(exchange, "CMGService_RequestTimeout", "the body stands still")
        elif not self.writable:
            self._transport.abort()

    def drain(self) -> None:
        """End with the next answer. An idle client gets a moment for one more request, which may be on its way."""
        self.close_after = True
        if self._exchange is None:
            self.deadline = min(self.deadline, self._worker.now() + self._limits.drain_idle_s)
