"""One client's connection: frames requests strictly, one after another; ``ClientAnswers`` writes the answers."""

from typing import TYPE_CHECKING, Final

from causeway.gateway.addresses import Address
from causeway.gateway.binding import Binding
from causeway.gateway.client import Client
from causeway.gateway.client_answers import ClientAnswers
from causeway.gateway.exchange import Exchange
from causeway.gateway.request_body import RequestBody
from causeway.http import MAX_HEAD_BYTES, BadRequest, RequestHead, parse_request_head
from causeway.identity import Denied
from causeway.refusals import Refused
from causeway.transport import TlsServerTransport
from causeway.tunnel.prelude import NONE, question_of

if TYPE_CHECKING:
    from causeway.gateway.publishing import Route
    from causeway.gateway.tunnel import GatewayTunnel
    from causeway.gateway.worker import Worker

_PIPELINE_BYTES: Final = 64 * 1024


class ClientConnection(ClientAnswers):
    """From the first byte after the handshake to the last."""

    __slots__ = ("_binding", "_body", "_last_bytes", "_last_head", "_repeated", "_verified_under")

    def __init__(self, worker: "Worker", peer: str, address: Address) -> None:
        super().__init__(worker, peer, address)
        self._body: RequestBody
        self._verified_under = worker.contexts.version
        self._binding = Binding(worker)
        self._last_head: RequestHead | None = None  # of the last request that may be repeated as it was
        self._repeated: tuple[Route, bytes] | None = None  # where it went when it came again, and the question
        self._last_bytes = b""  # of that head

    # The connection.

    def connection_made(self, transport: TlsServerTransport) -> None:
        """Decide once who the client is."""
        self._transport = transport
        self._worker.connections.add(self)
        certificate = transport.get_extra_info("ssl_object").getpeercert(True)
        self._client = Client(self._worker, self._peer, certificate, self._verified_under)
        self.deadline = self._worker.now() + self._limits.head_timeout_s
        if self._worker.draining:
            self.drain()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # a client may go as it likes
        """Give up what was under way for it."""
        self._worker.connections.discard(self)
        self._worker.listener.left(self._address)
        self._transport = self._waiting = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._note(exchange, exchange.status or 499, "ClientGone")
            exchange.client_gone()
        self._binding.release()

    def eof_received(self) -> bool:
        """A client that sends no more, but has not closed its connection, gets the answer to its whole request."""
        exchange = self._exchange
        if exchange is None or not exchange.request_done or exchange.upgrading:
            return False
        self.close_after = True
        return True

    # Requests.

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, or of what follows it."""
        exchange = self._exchange
        if exchange is None and self.writable:
            if self._buffer:
                data = self._buffer + data
            self._read_head(data)
        elif exchange is None or exchange.request_done:
            # Requests of a client that does not read its answers wait, so that the answers do not pile up.
            self._buffer += data
            if len(self._buffer) > _PIPELINE_BYTES and self._transport is not None:
                self._transport.pause_reading()
        else:
            self._read_body(exchange, data)

    def _read_head(self, data: bytes) -> None:
        """Start the request at the beginning of ``data``, if its head is there."""
        if self._repeated is not None and self._last_head is not None and data == self._last_bytes:
            self._buffer = b""
            self._start(self._last_head, b"")
            return
        if data.startswith(b"\r\n"):
            data = data[2:]  # RFC 9112, 2.2: some clients send an empty line behind a body
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or end > MAX_HEAD_BYTES:
            if len(data) > MAX_HEAD_BYTES:
                self._refuse(Refused("CMGService_HeadTooLarge"), None, None, may_go_on=False)
                return
            if data and not self._buffer:
                self.deadline = self._worker.now() + self._limits.head_timeout_s
            self._buffer = data
            return
        self._buffer = b""
        try:
            head = parse_request_head(data[:end])
            if head is self._last_head:
                self._last_bytes = data[:end]
        except BadRequest as error:
            self._refuse(Refused(error.word, str(error)), None, None, may_go_on=False)
            return
        self._start(head, data[end:])

    def _start(self, head: RequestHead, rest: bytes) -> None:
        """Pass a request on, answer it, or refuse it; ``rest`` is what came behind its head."""
        self.http_1_1 = head.minor == 1
        self.close_after = head.closes or self._worker.draining
        has_body = head.has_body
        route = None
        try:
            if head is self._last_head and self._repeated is not None and self._client.admits_again():
                route, question = self._repeated
                exchange = self._begin(route, head, self._worker.tunnels.choose(), question, end=not has_body)
            else:
                self._repeated = None  # until this one, too, has been let pass
                route = self._client.route(head)
                admitted = self._client.admit(head, route, self._token_verified)
                if admitted is None:
                    self._wait(head, rest)
                    return
                if route.answer is not None:
                    self._answer_itself(route, route.answer(head.target[len(head.path) + 1 :]), head, rest)
                    return
                exchange = self._pass_on(route, *admitted)
        except Refused as refused:
            self._buffer = rest
            if refused.refused_word == "CMGService_ClientCertificateUntrusted":
                self.close_after = True  # the next handshake decides anew, with the client's whole chain at hand
            self._refuse(refused, head, route, may_go_on=not has_body)
            return
        if exchange.request_done:
            self._buffer = rest
        else:
            self._body = RequestBody(exchange, head)
            if rest:
                self._read_body(exchange, rest)

    def _wait(self, head: RequestHead, rest: bytes) -> None:
        """The request's token is being verified in a thread; nothing more is read meanwhile."""
        self._waiting = head._replace(forged=()), rest  # forged headers have been counted
        self.deadline = self._worker.now() + self._limits.head_timeout_s
        if self._transport is not None:
            self._transport.pause_reading()

    def _token_verified(self) -> None:
        """Admit the request that has been waiting."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or self._transport is None or self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._start(*waiting)

    def _pass_on(self, route: "Route", head: RequestHead, prelude: bytes) -> Exchange:
        """Choose a tunnel for a request that was admitted, and hand its head over.

        Raises:
            Refused: no tunnel can take it, or the client's address has too many under way.
        """
        upgrade = head.upgrade and head.upgrade.lower()
        if upgrade and upgrade not in route.upgrades:
            upgrade = b""
        if route.connection_bound:
            tunnel, binding = self._binding.tunnel()
        else:
            tunnel, binding = self._worker.tunnels.choose(), NONE
        question = question_of(route.name, prelude, binding, head, upgrade)
        if head.plain and prelude is self._client.prelude and not (upgrade or route.connection_bound):
            # A client that asks the same again is the same client: nothing has to be found out anew.
            if head is self._last_head:
                self._repeated = route, question
            else:
                self._last_head, self._last_bytes, self._repeated = head, b"", None
        exchange = self._begin(route, head, tunnel, question, end=not (head.has_body or upgrade))
        exchange.upgrading = bool(upgrade)
        return exchange

    def _begin(
        self, route: "Route", head: RequestHead, tunnel: "GatewayTunnel", question: bytes, *, end: bool
    ) -> Exchange:
        """Open a stream and hand the head over.

        Raises:
            Refused: the client's address has too many under way.
        """
        worker = self._worker
        if self._address.requests >= self._limits.max_requests_per_address:
            raise Refused("CMGService_TooManyRequests")
        now = worker.now()
        request_id = worker.next_request_id()
        exchange = Exchange(self, tunnel, tunnel.open(now), route, request_id, now, head)
        self._exchange = tunnel.streams[exchange.number] = exchange
        self._address.requests += 1
        self.deadline = now + self._limits.stall_timeout_s
        exchange.send_head(request_id + question, end=end)
        return exchange

    def _read_body(self, exchange: Exchange, data: bytes) -> None:
        # Every byte buys time; a body that trickles uses it up in the end.
        limits = self._limits
        bought = self.deadline + len(data) / limits.min_body_bytes_per_s
        self.deadline = min(bought, self._worker.now() + limits.stall_timeout_s)
        try:
            self._buffer = self._body.feed(data)
        except BadRequest as error:
            self._give_up(exchange, Refused(error.word, str(error)))
        except Refused as refused:
            self._give_up(exchange, refused)

    def pause_body(self) -> None:
        """The other side does not keep up with the upload."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_body(self) -> None:
        """It keeps up again."""
        self.deadline = self._worker.now() + self._limits.stall_timeout_s
        if self._transport is not None:
            self._transport.resume_reading()

    # The worker's side.

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._exchange is None and not self._buffer and self.writable and self._waiting is None

    def close(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.close()

    def check_deadline(self, now: float) -> None:
        """Called every second: end what has been waiting for too long, and what nobody waits for any more."""
        if self._exchange is not None and self._transport is not None:
            self._transport.notice_reset()
        if now < self.deadline or self._transport is None:
            return
        exchange = self._exchange
        if exchange is None:
            if self._transport.is_closing() or not self.writable:
                self._transport.abort()
            elif self._waiting is not None:
                self._waiting = None
                self._refuse(Refused("CMGService_Busy"), None, None, may_go_on=False)
            elif self._buffer:
                self._refuse(Refused("CMGService_RequestTimeout"), None, None, may_go_on=False)
            else:
                self.deadline = now + self._limits.stall_timeout_s  # for what is not written yet
                self._transport.close()
        elif not (exchange.request_done or exchange.upgrading or exchange.status or exchange.holding):
            self._give_up(exchange, Refused("CMGService_RequestTimeout", "the body stands still, or comes too slowly"))
        elif not self.writable:
            self._transport.abort()

    def look_again(self) -> None:
        """Settings have changed, or time has passed: end the request under way if its client is refused by now."""
        exchange = self._exchange
        if exchange is not None and (denial := self._client.refused_now(exchange.route)) is not None:
            self._give_up(exchange, Denied.of(denial))

    def drain(self) -> None:
        """End with the next answer. An idle client gets a moment for one more request, which may be on its way.

        One that has not read the whole of its last answer gets that moment when it has.
        """
        self.close_after = True
        if self._exchange is None and self.writable:
            self.deadline = min(self.deadline, self._worker.now() + self._limits.drain_idle_s)
