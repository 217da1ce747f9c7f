"""A site system that does what a test tells it to, however odd, and remembers what it was asked."""

import contextlib
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any


@dataclass(slots=True)
class Request:
    """A request as it came.

    Attributes:
        connection: which of the origin's connections it came on, counted from 1.
        fields: header names as sent, and values.
    """

    connection: int
    method: str
    target: str
    fields: list[tuple[str, str]]
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.values(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


class Exchange:
    """One request and the way to answer it."""

    def __init__(self, request: Request, reader: BufferedReader, sock: socket.socket) -> None:
        self.request = request
        self._reader = reader
        self._socket = sock
        self._body_read = False
        self.closed = False

    def body(self) -> bytes:
        """The whole body, and the trailers into the request."""
        return b"".join(self.pieces())

    def pieces(self) -> "list[bytes]":
        """The body as it was framed: a piece a chunk."""
        if self._body_read:
            return []
        self._body_read = True
        if (self.request.header("Transfer-Encoding") or "").lower() == "chunked":
            pieces = []
            while size := int(self._reader.readline().split(b";")[0], 16):
                pieces.append(self._reader.read(size))
                assert self._reader.read(2) == b"\r\n"
            self.request.trailers = _fields(self._reader)
            return pieces
        return [self._reader.read(int(self.request.header("Content-Length") or 0))]

    def swallow(self) -> int:
        """The length of the body, which is read as it comes and kept nowhere."""
        self._body_read = True
        if (self.request.header("Transfer-Encoding") or "").lower() != "chunked":
            return self._swallow(int(self.request.header("Content-Length") or 0))
        total = 0
        while size := int(self._reader.readline().split(b";")[0], 16):
            total += self._swallow(size)
            assert self._reader.read(2) == b"\r\n"
        self.request.trailers = _fields(self._reader)
        return total

    def _swallow(self, size: int) -> int:
        left = size
        while left and (piece := self._reader.read1(min(left, 1 << 16))):
            left -= len(piece)
        return size - left

    def read(self, size: int) -> bytes:
        """Bytes as they come."""
        return self._reader.read1(size)

    def wait_for_input(self, seconds: float) -> None:
        """Wait for the other side to say something or go; raises TimeoutError where it does neither."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        finally:
            self._socket.settimeout(None)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, body: bytes = b"", *, status: str = "200 OK", head: str = "") -> None:
        """An ordinary answer with a length."""
        self.body()
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode("latin-1") + body)

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


Handler = Callable[[Exchange], None]


def tell(exchange: Exchange) -> None:
    """Answer with what was asked, as JSON."""
    body = exchange.body()
    request = exchange.request
    seen: dict[str, Any] = {
        "connection": request.connection,
        "method": request.method,
        "target": request.target,
        "fields": request.fields,
        "trailers": request.trailers,
        "body": body.decode("latin-1"),
    }
    exchange.answer(b"" if request.method == "HEAD" else json.dumps(seen).encode())


class Origin:
    """A server on loopback, a thread a connection. By default it tells what it was asked.

    Args:
        context: makes it speak TLS.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._handlers: dict[str, Handler] = {}
        self._numbers = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._open: set[socket.socket] = set()
        self.requests: list[Request] = []
        threading.Thread(target=self._accept, daemon=True, name="origin").start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://localhost:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def on(self, path: str, handler: Handler) -> None:
        """Have ``handler`` answer requests for ``path`` (without its query)."""
        self._handlers[path] = handler

    def of(self, path: str) -> list[Request]:
        """The requests for ``path`` so far."""
        return [request for request in self.requests if request.target.partition("?")[0] == path]

    def close_connections(self) -> None:
        """Close all connections, as a restart would."""
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close_connections()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True, name="origin connection").start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, ssl.SSLError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                stack.callback(sock.close)
            self._open.add(sock)
            stack.callback(self._open.discard, sock)
            number = next(self._numbers)
            reader = stack.enter_context(sock.makefile("rb"))
            while line := reader.readline():
                method, target, _ = line.decode("latin-1").rstrip("\r\n").split(" ", 2)
                request = Request(number, method, target, _fields(reader))
                self.requests.append(request)
                exchange = Exchange(request, reader, sock)
                self._handlers.get(target.partition("?")[0], tell)(exchange)
                if exchange.closed:
                    return


def _fields(reader: BufferedReader) -> list[tuple[str, str]]:
    fields = []
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        fields.append((name, value.strip()))
    return fields
