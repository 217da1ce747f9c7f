"""Uvicorn with h11, and what it lacks: the client's certificate, reason phrases, and an end to slow requests.

h11 and not httptools, because httptools' parser knows only the standard methods and answers 400 to ``CCM_POST``.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Generator
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from causeway.errors import OperatorError
from causeway.site.errors import Refused, RequestMalformed, RequestTooSlow
from causeway.site.peer import TLS_STATE, Client, TlsPeer

REASON_HEADER = b"x-causeway-reason"
"""A response header that becomes the reason phrase and is not sent: ASGI has no place for one."""

MAX_HEAD_BYTES = 32 * 1024
_KEEP_ALIVE_S = 75
_GOODBYE_S = 0.5


OnRefused = Callable[[Client, Refused], None]
"""Told of what never becomes a request."""

Identify = Callable[[bytes | None], TlsPeer | None]
"""Who holds a certificate, in DER, that the handshake has verified."""


class SiteConnection(h11.Connection):
    """Takes the reason phrase of a response out of its headers."""

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]  # not its overloads
        """The bytes to send for an event."""
        if isinstance(event, h11.Response):
            reason = next((value for name, value in event.headers if name == REASON_HEADER), None)
            if reason is not None:
                event = h11.Response(
                    status_code=event.status_code,
                    headers=[(name, value) for name, value in event.headers if name != REASON_HEADER],
                    reason=reason,
                )
        return super().send(event)


class SiteProtocol(H11Protocol):
    """One connection."""

    request_timeout_s: float
    on_refused: OnRefused
    identify: Identify

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = SiteConnection(h11.SERVER, MAX_HEAD_BYTES)
        self._overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learn who the peer is, once for all its requests, and give it a limited time for the first."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        peer = self.identify(tls.getpeercert(binary_form=True)) if tls is not None else None
        self.app_state = {**self.app_state, TLS_STATE: peer}
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand the bytes on, and keep the time while a request is on its way."""
        if self._overdue is None:
            self._watch()
        super().data_received(data)
        if self.conn.their_state in {h11.DONE, h11.MUST_CLOSE, h11.CLOSED}:
            self._unwatch()

    def on_response_complete(self) -> None:
        """Between two requests only the keep-alive timer runs."""
        self._unwatch()
        super().on_response_complete()
        self._end_soon()

    def shutdown(self) -> None:
        """The server stops: close when idle."""
        super().shutdown()
        self._end_soon()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for too long."""
        super().timeout_keep_alive_handler()
        self._end_soon()

    def _end_soon(self) -> None:
        """End a connection that is being closed, once everything is sent.

        A TLS connection that closes waits half a minute for the peer's goodbye, which many clients never send.
        """
        if not self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() == 0:
            self.loop.call_later(_GOODBYE_S, self.transport.abort)
        else:
            self.loop.call_later(_GOODBYE_S, self._end_soon)

    def _watch(self) -> None:
        self._overdue = self.loop.call_later(self.request_timeout_s, self._give_up)

    def _unwatch(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        # A connection on which nothing came at all is a spare one or a port check, and no refusal.
        if not self.transport.is_closing() and self._has_begun():
            self._refuse(RequestTooSlow(f"no whole request within {self.request_timeout_s:g} s"))
        self.transport.abort()

    def _has_begun(self) -> bool:
        return self.conn.their_state is not h11.IDLE or bool(self.conn.trailing_data[0])

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request."""
        self._refuse(RequestMalformed(msg))
        super().send_400_response(msg)

    def _refuse(self, error: Refused) -> None:
        peer: TlsPeer | None = self.app_state[TLS_STATE]
        address = self.client[0] if self.client else ""
        self.on_refused(Client(address, "", self.scheme == "https", peer, None), error)


class SiteServer(uvicorn.Server):
    """A server that leaves the signals to the service: one process runs several."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def protocol_with(request_timeout_s: float, on_refused: OnRefused, identify: Identify) -> type[SiteProtocol]:
    """The protocol class of one server: Uvicorn makes the instances, and tells them nothing of ours."""
    values = {
        "request_timeout_s": request_timeout_s,
        "on_refused": staticmethod(on_refused),
        "identify": staticmethod(identify),
    }
    return type("SiteProtocol", (SiteProtocol,), values)


def make_server(
    app: ASGIApp,
    *,
    context: ssl.SSLContext | None,
    request_timeout_s: float,
    max_connections: int,
    drain_s: int,
    on_refused: OnRefused,
    identify: Identify,
) -> SiteServer:
    """A server for ``app``; ``context`` is None for plain HTTP. It is given its socket when it is run."""
    return SiteServer(
        uvicorn.Config(
            app,
            http=protocol_with(request_timeout_s, on_refused, identify),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=drain_s,
            limit_concurrency=max_connections,
            ssl_context_factory=(lambda _config, _default: context) if context is not None else None,
        )
    )


def listen(address: str, port: int, what: str) -> socket.socket:
    """A listening socket.

    Raises:
        OperatorError: the address is not this machine's, or the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise OperatorError(
            f"{what}: cannot listen on {address} port {port}: {reason}; choose another port or stop what uses it"
        ) from error
    listener.setblocking(False)
    return listener
