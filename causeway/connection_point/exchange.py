"""One request on the premises: the connection point's end of a stream, and the site system's answer."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog

from causeway.connection_point.questions import BadQuestion, Question
from causeway.connection_point.upstream import UpstreamConnection
from causeway.http import (
    IDEMPOTENT_METHODS,
    BadRequest,
    Framing,
    ResponseHead,
    checked_trailers,
    encode_chunk,
    last_chunk,
)
from causeway.refusals import CLIENT_GONE, REFUSALS, Refused
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import END, MAX_WHOLE_BYTES, FrameType
from causeway.tunnel.prelude import NONE, Prelude, upgrade_fields
from causeway.tunnel.stream import Stream

if TYPE_CHECKING:
    from causeway.connection_point.route import SiteSystemRoute
    from causeway.connection_point.tunnel import ConnectionPointTunnel

log = structlog.get_logger()

_NONE: Final = Framing.NONE
_RESPONSE: Final = int(FrameType.RESPONSE)
_RESET: Final = int(FrameType.RESET)


class Exchange(Stream):
    """A request that came up a stream.

    Attributes:
        method: as the device sent it.
        request_id: in headers and in the logs of every hop.
        deadline: loop time by which the answer must have begun or the body moved on.
    """

    __slots__ = (
        "_body_left",
        "_bytes_in",
        "_bytes_out",
        "_chunked",
        "_connecting",
        "_given_up",
        "_head",
        "_noted",
        "_path",
        "_pending",
        "_prelude",
        "_request_done",
        "_retried",
        "_route",
        "_started",
        "_status",
        "_tunnel",
        "_upstream",
        "_upstream_paused",
        "deadline",
        "method",
        "request_id",
        "upgrade",
    )

    def __init__(self, tunnel: "ConnectionPointTunnel", number: int, request_id: bytes, prelude: Prelude) -> None:
        super().__init__(tunnel, number)
        self._tunnel = tunnel
        self.request_id = request_id
        self._prelude = prelude
        self._route: SiteSystemRoute | None = None
        self._started = time.monotonic()  # the loop's own clock counts whole milliseconds
        self._upstream: UpstreamConnection | None = None
        self._upstream_paused = False
        self._connecting: asyncio.Task[None] | None = None
        self._given_up = False
        self._pending: list[bytes] = []  # what came of the body while the connection was being made
        self._head = b""
        self._path = b""
        self._chunked = False
        self._body_left = 0
        self._request_done = False
        self._retried = False
        self._noted = False
        self._status = 0
        self._bytes_in = 0
        self._bytes_out = 0
        self.method = b""
        self.upgrade = b""
        self.deadline = 0.0

    # The request.

    def begin(self, question: Question | BadQuestion, *, end: bool) -> None:
        """Send what the gateway asks to the site system, or give it up; ``end`` where nothing follows the head."""
        self._request_done = end
        if isinstance(question, BadQuestion):
            self._fail(question.word, question.details)
            return
        if end is question.goes_on:
            self._fail("CMGConnector_BadRequest", "the head and the stream differ on whether there is a body")
            return
        route = question.route
        signed = b""
        if route.signed is not None:
            try:
                signed = route.signed.line(self._prelude.identity, time.time())
            except Refused as refused:
                self._fail(refused.refused_word, str(refused))
                return
        self._route = route
        self._path = question.path
        self.method = question.method
        self.upgrade = question.upgrade
        self._chunked = question.chunked
        self._body_left = question.content_length
        self._head = b"".join((question.before_id, self.request_id, b"\r\n", signed, question.after_id))
        self.deadline = self._started + route.response_timeout_s
        upstream = self._tunnel.bound_upstream(self._prelude.binding, route.pool) if route.connection_bound else None
        if upstream is None and not route.connection_bound:
            upstream = route.pool.take(self._started)
        if upstream is None:
            self._connect(route)
        else:
            self._upstream = upstream
            upstream.begin(self, self._head)

    def _connect(self, route: "SiteSystemRoute") -> None:
        # The one task on the data path: a new connection has to wait for its handshake.
        self._connecting = self._tunnel.loop.create_task(self._connected(route))

    async def _connected(self, route: "SiteSystemRoute") -> None:
        try:
            upstream = await route.pool.connect()
        except Refused as refused:
            if not self._given_up:
                self._connecting = None
                self._fail(refused.refused_word, str(refused))
            return
        if self._given_up:
            # Whoever asked has gone meanwhile, and the connection is as good as new. The attempt is not cancelled: a
            # connection that stood just then would belong to nobody, and a flood of resets would dial for naught.
            if route.connection_bound:
                upstream.abort()
            else:
                route.pool.keep(upstream, time.monotonic())
            return
        self._connecting = None
        self._upstream = upstream
        if route.connection_bound:
            self._tunnel.bind_upstream(self._prelude.binding, upstream)
        upstream.begin(self, self._head)
        if not self.upgrade:
            self._send_pending(upstream)

    def _send_pending(self, upstream: UpstreamConnection) -> None:
        pending, self._pending = self._pending, []
        for data in pending:
            upstream.write(data)
        if pending and not self._upstream_paused:
            self.grant_credit()

    def data_received(self, data: bytes, end: bool) -> None:
        """A piece of the request's body.

        Raises:
            TunnelError: it goes beyond the credit or the length that the head announced.
        """
        if self._request_done:
            raise TunnelError("a body goes on after its end")
        size = len(data)
        if size:
            self.count_received(size)
            self._bytes_in += size
        route = self._route
        if route is None:
            return
        if self.upgrade:
            pass  # bytes of another protocol, which has a framing of its own
        elif self._chunked:
            if self._bytes_in > route.max_body_bytes:
                self._fail("CMGService_BodyTooLarge", f"{route.max_body_bytes} bytes allowed")
                return
            data = (encode_chunk(data) if size else b"") + (last_chunk() if end else b"")
        else:
            self._body_left -= size
            if self._body_left < 0 or (end and self._body_left):
                raise TunnelError("a body of another length than its head says")
        self._request_done = end
        self._pass_on(data)

    def trailers_received(self, trailers: bytes) -> None:
        """The end of a body in chunks, with trailers, which are read as strictly as the head.

        Raises:
            TunnelError: there can be none, or they are no trailers: what follows them would be another request.
        """
        if self._request_done or not self._chunked:
            raise TunnelError("trailers where none can be")
        try:
            checked = checked_trailers(trailers)
        except BadRequest as error:
            raise TunnelError(str(error)) from error
        self._request_done = True
        self._pass_on(last_chunk(checked))

    def _pass_on(self, data: bytes) -> None:
        if self._upstream is None or (self.upgrade and self._status != 101):
            # No more than the first credit, since none is granted before the connection stands. And nothing of another
            # protocol before the site system has agreed to it, nor where it has not: it would read it as a request.
            if not self._status:
                self._pending.append(data)
            return
        self._upstream.write(data)
        if not self._upstream_paused:
            if not self._request_done:
                self.grant_credit()
            self.deadline = time.monotonic() + self._route.response_timeout_s  # type: ignore[union-attr]

    def upstream_paused(self) -> None:
        """The site system does not keep up: the device gets no more credit."""
        self._upstream_paused = True
        self.stalled()

    def upstream_resumed(self) -> None:
        """It keeps up again."""
        self._upstream_paused = False
        if not self._request_done:
            self.grant_credit()
        if self._route is not None:
            self.deadline = time.monotonic() + self._route.response_timeout_s

    # The answer.

    def head_received(self, head: ResponseHead) -> None:
        """Pass a head on, with one byte that says how the body ends; an interim one has a status below 200."""
        if head.status == 101 and self._upstream is not None:
            self._status = head.status
            fields = head.head + upgrade_fields(self.upgrade)
            self._tunnel.send(_RESPONSE, self.number, bytes((head.framing,)) + fields)
            self._send_pending(self._upstream)
            return
        end = False
        if head.status >= 200:
            self._status = head.status
            end = head.framing is _NONE
        self._tunnel.send(_RESPONSE | END if end else _RESPONSE, self.number, head.payload)

    def answer_received(self, head: ResponseHead, body: bytes) -> None:
        """Pass on a head and the whole body of the length that it says, in one frame where there is room and credit."""
        if len(body) > MAX_WHOLE_BYTES or len(body) > self.credit_out or self._tunnel.paused:
            self.head_received(head)
            self.body_received(body, end=True)
            return
        self._status = head.status
        self._bytes_out = len(body)
        self._tunnel.send_two(_RESPONSE | END, self.number, head.whole, body)

    def body_received(self, data: bytes, *, end: bool) -> None:
        """Pass a piece of the body on."""
        self._bytes_out += len(data)
        self.send_data(data, end=end)

    def answer_complete(self, trailers: bytes | None) -> None:
        """The answer is whole; ``trailers`` are None where its last piece, or its head, said so already.

        The stream goes on while bytes are held back for want of credit.
        """
        upstream, self._upstream = self._upstream, None
        route = self._route
        now = time.monotonic()
        if upstream is not None and route is not None:
            if not self._request_done:
                upstream.abort()
            elif not route.connection_bound:
                route.pool.keep(upstream, now)
        if trailers is not None:
            self.send_end(trailers)
        self._note(self._status, "", now)
        if not self.holding:
            self._tunnel.forget(self)

    def pause_source(self) -> None:
        """The way up does not keep up: read no more from the site system."""
        if self._upstream is not None:
            self._upstream.pause_reading()

    def resume_source(self) -> None:
        """It keeps up again."""
        if self._upstream is not None:
            self._upstream.resume_reading()
        else:
            self._tunnel.forget(self)

    # Ends.

    def upstream_lost(self, word: str, details: str, *, untouched: bool) -> None:
        """The site system is gone; a request that cannot have done anything is sent once more on a new connection."""
        upstream, self._upstream = self._upstream, None
        route = self._route
        stale = upstream is not None and upstream.served > 0
        may_repeat = self.method in IDEMPOTENT_METHODS and self._request_done and not self._bytes_in
        if route is not None and stale and untouched and may_repeat and not self._retried:
            self._retried = True
            self._tunnel.point.metrics.retries += 1
            self._connect(route)
            return
        self._fail(word, details)

    def reset_received(self) -> None:
        """Nobody waits for the answer any more."""
        if not self._noted:
            self._note(499, CLIENT_GONE)
        self._give_up()

    def check_deadline(self, now: float) -> None:
        """Called every second: a site system that does not begin its answer is given up."""
        if self._route is not None and not self._status and now > self.deadline:
            self._fail("CMGConnector_SiteSystemTimeout", f"no answer within {self._route.response_timeout_s:.0f} s")

    def tunnel_lost(self) -> None:
        """The way up is gone."""
        if not self._noted:
            self._note(502, "TunnelLost")
        self._give_up()

    def _fail(self, word: str, details: str) -> None:
        log.warning(
            "request failed",
            request_id=self.request_id.decode(),
            word=word,
            endpoint=self._prelude.endpoint.decode(),
            details=details[:300],
        )
        self._tunnel.send(_RESET, self.number, word.encode())
        self._note(self._status or REFUSALS[word].status, word)
        self._give_up()

    def _give_up(self) -> None:
        self._given_up = True
        self._pending.clear()
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.owner = None
            upstream.abort()
        self._tunnel.forget(self)

    def _note(self, status: int, word: str, now: float = 0.0) -> None:
        self._noted = True
        point = self._tunnel.point
        seconds = (now or time.monotonic()) - self._started
        if word:
            point.metrics.failures[word] += 1
        if (route := self._route) is not None:
            route.metrics.statuses[status] += 1
            route.metrics.bytes_in += self._bytes_in
            route.metrics.bytes_out += self._bytes_out
            route.metrics.latency.observe(seconds)
        point.access_log.write(
            self.request_id,
            self.method or NONE,
            self._path,
            self._prelude.endpoint,
            status,
            word,
            seconds,
            self._bytes_in,
            self._bytes_out,
            self._prelude.peer,
        )
