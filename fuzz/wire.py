"""What h11, which is none of ours, reads in bytes that Causeway wrote."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import h11


class ReadRequest(NamedTuple):
    """A request as h11 reads it; header names in lower case, in order."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]]
    complete: bool

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header ``name``."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def asks_for_change_of_protocol(self) -> bool:
        """Whether what follows may be another protocol's."""
        options = b",".join(value for name, value in self.headers if name == b"connection").lower().split(b",")
        return b"upgrade" in (option.strip() for option in options)


class ReadResponse(NamedTuple):
    """A response as h11 reads it, without its interim ones."""

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool


_MAX_HEAD_BYTES = 1 << 20
_NOTHING_YET = (h11.NEED_DATA, h11.PAUSED)


def requests_in(data: bytes) -> tuple[list[ReadRequest], bytes]:
    """The requests on one connection, one after another, and the bytes after them; the last may be incomplete.

    It ends with a request that ends its connection, or that asks for a change of protocol.

    Raises:
        h11.RemoteProtocolError: it is not HTTP.
    """
    found: list[ReadRequest] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
    connection.receive_data(data)
    while True:
        event = connection.next_event()
        if not isinstance(event, h11.Request):
            return found, connection.trailing_data[0]
        body = b""
        while isinstance(part := connection.next_event(), h11.Data):
            body += part.data
        trailers = list(part.headers) if isinstance(part, h11.EndOfMessage) else []
        complete = isinstance(part, h11.EndOfMessage)
        request = ReadRequest(bytes(event.method), bytes(event.target), list(event.headers), body, trailers, complete)
        found.append(request)
        if not complete or request.asks_for_change_of_protocol or not _goes_on(connection):
            return found, connection.trailing_data[0]


def _goes_on(connection: h11.Connection) -> bool:
    """Have h11 go on with the next request, unless this one was the last."""
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


def responses_in(data: bytes, methods: Sequence[bytes], *, closed: bool) -> tuple[list[ReadResponse], bytes]:
    """The responses to requests of ``methods`` on one connection, and the bytes after them.

    Raises:
        h11.RemoteProtocolError: they are not HTTP.
    """
    found: list[ReadResponse] = []
    rest = data
    for method in methods:
        if b"\r\n\r\n" not in rest:
            break
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        offered = [(b"Host", b"a"), (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        connection.send(h11.Request(method=method, target=b"/", headers=offered))
        connection.send(h11.EndOfMessage())
        connection.receive_data(rest)
        if closed:
            connection.receive_data(b"")
        response = _response(connection)
        if response is None:
            break
        found.append(response)
        rest = connection.trailing_data[0]
        if not response.complete or response.status == _SWITCHING:
            break
    return found, rest


_SWITCHING = 101


def _response(connection: h11.Connection) -> ReadResponse | None:
    event = connection.next_event()
    while isinstance(event, h11.InformationalResponse) and event.status_code != _SWITCHING:
        event = connection.next_event()
    if event in _NOTHING_YET or isinstance(event, h11.ConnectionClosed):
        return None
    assert isinstance(event, h11.Response | h11.InformationalResponse)
    body = b""
    complete = event.status_code == _SWITCHING
    if not complete:
        try:
            while isinstance(part := connection.next_event(), h11.Data):
                body += part.data
            complete = isinstance(part, h11.EndOfMessage)
        except h11.RemoteProtocolError as error:
            # A body that ends too early is how an answer is broken off; anything else is a fault.
            if "peer closed connection" not in str(error):
                raise
    return ReadResponse(event.status_code, bytes(event.reason), list(event.headers), body, complete)


def without(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> list[tuple[bytes, bytes]]:
    """``headers`` but those called ``names`` (lower case)."""
    return [(name, value) for name, value in headers if name not in names]
