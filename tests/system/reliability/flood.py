"""Those who would stop the service: each kind of flood as a program of its own, as fast as it can.

What they cannot do is fill a line or a processor of a real gateway; they share this machine with what they attack.
"""

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.system.data_path.path import DataPath
from tests.system.reliability.program import Program, main

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_OPENING_AT_ONCE = 100
_PIPELINE = 500
_TRICKLE_S = 0.25
_READ_BYTES = 1 << 16


class Flood(Program):
    """A flood of one kind, from its first connections to the end of the block.

    Args:
        kind: the name of a habit of ``_Attackers``.
        attackers: how many there are at a time.
        sources: their addresses, in turn.
    """

    def __init__(self, path: DataPath, kind: str, attackers: int, *sources: str) -> None:
        asked = {
            "port": path.port,
            "root": str(path.certificates.root),
            "kind": kind,
            "attackers": attackers,
            "sources": sources,
        }
        super().__init__("tests.system.reliability.flood", asked)

    def stop(self) -> Counter[str]:
        """End it; returns what it has done: ``begun`` connections, and what else its kind counts."""
        return Counter(self.finish())


class _Attackers:
    def __init__(self, asked: dict[str, Any], ready: Callable[[], None], stop: asyncio.Event) -> None:
        self._asked, self._ready, self._stop = asked, ready, stop
        self._context = ssl.create_default_context(cafile=asked["root"])
        self._hello = _client_hello(self._context)
        self._sources: Iterator[str] = itertools.cycle(asked["sources"])
        self._opening = asyncio.Semaphore(_OPENING_AT_ONCE)
        self._not_begun: set[asyncio.Task[None] | None] = set()
        self._done: Counter[str] = Counter()

    async def run(self) -> dict[str, int]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # TLS that is reset complains
        habit: Callable[[], Awaitable[None]] = getattr(self, self._asked["kind"])
        attackers = [asyncio.create_task(self._live(habit)) for _ in range(self._asked["attackers"])]
        self._not_begun.update(attackers)
        await self._stop.wait()
        for attacker in attackers:
            attacker.cancel()
        await asyncio.gather(*attackers, return_exceptions=True)
        return dict(self._done)

    async def _live(self, habit: Callable[[], Awaitable[None]]) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, EOFError):
                await habit()
            self._begun()
            await asyncio.sleep(0.01)  # so that refused connections do not keep this process busy

    def _begun(self) -> None:
        """This attacker has its first connection, or was turned away."""
        if self._not_begun:
            self._not_begun.discard(asyncio.current_task())
            if not self._not_begun:
                self._ready()

    # What there is to do with a connection.

    async def _tcp(self) -> socket.socket:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            sock.bind((next(self._sources), 0))
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._asked["port"]))
        except BaseException:
            sock.close()
            raise
        self._done["begun"] += 1
        return sock

    @contextlib.asynccontextmanager
    async def _raw(self) -> Any:
        """A connection without TLS; reset at its end."""
        async with self._opening:
            sock = await self._tcp()
        reader, writer = await asyncio.open_connection(sock=sock)
        self._begun()
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def _secured(self) -> Any:
        """A connection past its handshake; reset at its end."""
        async with self._opening:
            sock = await self._tcp()
            reader, writer = await asyncio.open_connection(sock=sock, ssl=self._context, server_hostname="localhost")
        self._done["secured"] += 1
        self._begun()
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _until_ended(self, reader: asyncio.StreamReader) -> None:
        """Hold the connection for as long as the gateway lets it."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_READ_BYTES):
                self._done["timed out"] += data.startswith(b"HTTP/1.1 408 CMGService_RequestTimeout\r\n")
        self._done["ended"] += 1

    # The habits.

    async def silent(self) -> None:
        """Connects and says nothing, not even a ClientHello."""
        async with self._raw() as (reader, _):
            await self._until_ended(reader)

    async def idle(self) -> None:
        """Says nothing after the handshake."""
        async with self._secured() as (reader, _):
            await self._until_ended(reader)

    async def handshakes(self) -> None:
        """Has the gateway sign, and goes: a recorded ClientHello costs the attacker nothing."""
        async with self._raw() as (reader, writer):
            writer.write(self._hello)
            if await reader.read(_READ_BYTES):
                self._done["signed"] += 1

    async def resets(self) -> None:
        """Begins requests, whole and half ones, and resets the connection before there is an answer."""
        async with self._secured() as (_, writer):
            number = self._done["requests"]
            if number % 2:
                writer.write(_request("GET", "/site/small") * 3)
            else:
                writer.write(_request("PUT", "/site/upload/x", "Content-Length: 100000\r\n") + bytes(1000))
            self._done["requests"] += 1
            await asyncio.sleep(0.001 * (number % 5))  # to be met at different points of its way

    async def pipelines(self) -> None:
        """Sends hundreds of requests at once, and reads the answers."""
        async with self._secured() as (reader, writer):
            for _ in range(20):
                writer.write(_request("GET", "/site/small") * _PIPELINE)
                for _ in range(_PIPELINE):
                    await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(1024)
                    self._done["requests"] += 1

    async def slow_handshakes(self) -> None:
        async with self._raw() as (reader, writer):
            await self._trickle(reader, writer, b"", self._hello)

    async def slow_heads(self) -> None:
        async with self._secured() as (reader, writer):
            await self._trickle(reader, writer, b"", _request("GET", "/site/small", "X-Filler: x\r\n" * 100))

    async def slow_bodies(self) -> None:
        async with self._secured() as (reader, writer):
            head = _request("PUT", "/site/upload/x", "Content-Length: 1000\r\n")
            await self._trickle(reader, writer, head, bytes(1000))

    async def _trickle(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at_once: bytes, trickle: bytes
    ) -> None:
        """Send ``trickle`` byte by byte, until the gateway has had enough."""
        writer.write(at_once)
        ended = asyncio.create_task(self._until_ended(reader))
        try:
            for number in range(len(trickle)):
                writer.write(trickle[number : number + 1])
                done, _ = await asyncio.wait([ended], timeout=_TRICKLE_S)
                if done:
                    return
        finally:
            ended.cancel()


def _request(method: str, target: str, lines: str = "") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()


def _client_hello(context: ssl.SSLContext) -> bytes:
    """What a client says first."""
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


async def _life(asked: dict[str, Any], ready: Callable[[], None], stop: asyncio.Event) -> dict[str, int]:
    return await _Attackers(asked, ready, stop).run()


if __name__ == "__main__":
    main(_life)
