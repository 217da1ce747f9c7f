"""The answering half of a client's connection: what is written to it, how requests end, and their books."""

from typing import TYPE_CHECKING, Final

import structlog

from causeway.gateway.addresses import Address
from causeway.gateway.asker import Asker
from causeway.gateway.client import Client
from causeway.gateway.exchange import Exchange
from causeway.gateway.responses import own_answer, refusal_head_and_body
from causeway.http import RequestHead
from causeway.identity import Denied
from causeway.refusals import Refused
from causeway.transport import TlsServerTransport

if TYPE_CHECKING:
    from causeway.gateway.publishing import Route
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_UNREAD: Final = b"-"
_SMALL_BYTES: Final = 32 * 1024


class ClientAnswers(Asker):
    """Writes answers and refusals, one after another; ``ClientConnection`` reads the requests.

    Attributes:
        deadline: loop time by which something must have happened.
    """

    __slots__ = (
        "_address",
        "_buffer",
        "_client",
        "_exchange",
        "_limits",
        "_peer",
        "_transport",
        "_waiting",
        "_worker",
        "deadline",
    )

    def __init__(self, worker: "Worker", peer: str, address: Address) -> None:
        super().__init__(http_1_1=True)
        self._worker = worker
        self._address = address
        self._limits = worker.config.limits
        self._transport: TlsServerTransport | None = None
        self._buffer = b""
        self._waiting: tuple[RequestHead, bytes] | None = None  # a request whose token is being verified
        self._exchange: Exchange | None = None
        self._peer = peer
        self._client: Client
        self.deadline = 0.0

    def _read_head(self, data: bytes) -> None:
        """Start the request at the beginning of ``data``; the reading half's."""
        raise NotImplementedError

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
            self._exchange.stalled()

    def resume_writing(self) -> None:
        """It keeps up again."""
        self.writable = True
        limits = self._limits
        idle_now = self._worker.draining and self._exchange is None
        self.deadline = self._worker.now() + (limits.drain_idle_s if idle_now else limits.stall_timeout_s)
        if self._exchange is not None:
            self._exchange.writable_again()
        elif self._transport is not None and self._waiting is None:
            self._transport.resume_reading()
            self._next_pipelined()

    def exchange_done(self, exchange: Exchange, rest: list[bytes]) -> None:
        """The answer is whole, and this is the rest of it: then the next request, or the end."""
        if self._transport is not None:
            if exchange.bytes_out <= _SMALL_BYTES:
                self._transport.write(b"".join(rest))
            else:
                self._transport.writelines(rest)
        self._note(exchange, exchange.status, "")
        self._exchange = None
        self._go_on(complete=exchange.request_done)

    def exchange_failed(self, exchange: Exchange, word: str) -> None:
        """No answer will come, or no more of it."""
        self._exchange = None
        refused = Refused(word)
        if exchange.status:
            self._break_off(exchange, refused)
        else:
            self._answer_refusal(
                refused, exchange.request_id, exchange.method, exchange.path, go_on=exchange.request_done
            )
        self._note(exchange, exchange.status, word)

    def _give_up(self, exchange: Exchange, refused: Refused) -> None:
        """Something is wrong with the body of a request under way."""
        self._exchange = None
        exchange.refuse_body()
        if exchange.status:
            self._break_off(exchange, refused)
        else:
            self._answer_refusal(refused, exchange.request_id, exchange.method, exchange.path, go_on=False)
        self._note(exchange, exchange.status, refused.refused_word)

    def _break_off(self, exchange: Exchange, refused: Refused) -> None:
        """End in the middle of an answer, so that the client sees that it is not whole."""
        self._log_refusal(exchange.request_id, refused, exchange.path)
        if self._transport is None:
            return
        if exchange.status == 101:
            self._transport.close()  # there is no length to fall short of: closed is closed
        else:
            self._transport.abort()

    def _refuse(self, refused: Refused, head: RequestHead | None, route: "Route | None", *, may_go_on: bool) -> None:
        """Refuse a request that went nowhere; ``head`` is None where it could not be read."""
        request_id = self._worker.next_request_id()
        method, path = (_UNREAD, _UNREAD) if head is None else (head.method, head.path)
        endpoint, allow = (_UNREAD, b"") if route is None else (route.name, b", ".join(sorted(route.methods)))
        status = self._answer_refusal(refused, request_id, method, path, go_on=may_go_on, allow=allow)
        self._worker.note_refused(
            request_id, method, path, endpoint, status, refused.refused_word, self._client.peer_bytes
        )

    def _answer_refusal(
        self, refused: Refused, request_id: bytes, method: bytes, path: bytes, *, go_on: bool, allow: bytes = b""
    ) -> int:
        """Write a refusal; where the rest of a request may still come, the connection ends with it."""
        self._log_refusal(request_id, refused, path)
        self.close_after = self.close_after or not go_on
        status, data = refusal_head_and_body(
            refused.refused_word, request_id, head_only=method == b"HEAD", close=self.close_after, allow=allow.decode()
        )
        self.write(data)
        self._go_on(complete=go_on)
        return status

    def _answer_itself(self, route: "Route", body: bytes, head: RequestHead, rest: bytes) -> None:
        request_id = self._worker.next_request_id()
        has_body = head.has_body
        self.close_after = self.close_after or has_body
        head_only = head.method == b"HEAD"
        self.write(own_answer(body, request_id, head_only=head_only, close=self.close_after))
        sent_bytes = 0 if head_only else len(body)
        self._worker.note_answered(request_id, head.method, head.path, route, sent_bytes, self._client.peer_bytes)
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
        if self._exchange is None and self._buffer and self.writable and self._transport is not None:
            data, self._buffer = self._buffer, b""
            self._read_head(data)

    # Books.

    def _note(self, exchange: Exchange, status: int, word: str) -> None:
        self._address.requests -= 1
        self._worker.note(exchange, status, word, self._client.peer_bytes)

    def _log_refusal(self, request_id: bytes, refused: Refused, path: bytes) -> None:
        log.info(
            "refused",
            request_id=request_id.decode(),
            word=refused.refused_word,
            peer=self._peer,
            client=self._client.name,
            path=path.decode("latin-1")[:200],
            details=str(refused),
            **({"remedy": refused.denial.remedy} if isinstance(refused, Denied) else {}),
        )
