"""One client connection: raw HTTP/1.1 on TLS, so that a client can misbehave at any byte."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import NamedTuple, Self

_TIMEOUT_S = 60.0
_SMALL_WINDOW_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where clients connect, and as whom."""

    port: int
    anonymous: ssl.SSLContext
    devices: tuple[ssl.SSLContext, ...]


class Answer(NamedTuple):
    """An answer with its whole body."""

    status: int
    word: str
    body_bytes: int


class Unexpected(Exception):
    """An answer that is not the one that there should be, or none."""


class Client:
    """A connection; ends with the block, without ceremony where something went wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer
        self.closes = False
        self.answered = 0

    @classmethod
    async def connect(cls, gateway: Gateway, context: ssl.SSLContext, *, slow: bool = False) -> Self:
        """Connect; a slow client takes little at a time, so that what it does not read stays at the gateway."""
        sock = socket.socket()
        sock.setblocking(False)
        if slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW_BYTES)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", gateway.port))
        except BaseException:
            sock.close()
            raise
        limit = _SMALL_WINDOW_BYTES if slow else 1 << 18
        async with asyncio.timeout(_TIMEOUT_S):
            return cls(*await asyncio.open_connection(sock=sock, ssl=context, server_hostname="localhost", limit=limit))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._writer.transport.abort()
        self._writer.close()

    @property
    def ended(self) -> bool:
        """Whether the gateway has ended the connection."""
        return self.reader.at_eof()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    def leave(self) -> None:
        """Go at once."""
        self._writer.transport.abort()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        self.send(request)
        return await self.answer()

    async def answer(self) -> Answer:
        """The next answer.

        Raises:
            Unexpected: it does not come, or not whole.
        """
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                status, word, left = await self.head()
                answer = Answer(status, word, left)
                while left:
                    piece = await self.reader.read(min(left, 1 << 16))
                    if not piece:
                        raise Unexpected(f"an answer {left} bytes short")
                    left -= len(piece)
        except (OSError, EOFError, TimeoutError) as error:
            raise Unexpected(f"no answer after {self.answered} on this connection: {error!r}") from error
        self.answered += 1
        return answer

    async def head(self) -> tuple[int, str, int]:
        """Status, reason phrase and the length of the body."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.closes = fields.get("connection", "").lower() == "close"
        _, status, word = lines[0].split(" ", 2)
        return int(status), word, int(fields.get("content-length", "0"))
