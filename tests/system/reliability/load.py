"""Good clients under way, on kept and on fresh connections, and what each of their requests met.

A kept client reconnects when it was told ``Connection: close``, and when it finds its connection ended before it sends.
It repeats nothing: whatever goes wrong once a request is on its way is a failure.
"""

import asyncio
import random
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.system.certificates import Pair
from tests.system.data_path.path import DataPath
from tests.system.reliability.program import Program, main

_TIMEOUT_S = 60.0


class Done(NamedTuple):
    """One request.

    Attributes:
        start: ``time.monotonic()``, the same clock in all processes.
        kind: ``kept`` or ``fresh``; a kept client's request on a new connection is ``new``.
        failure: empty where it was answered 200 with its whole body; else what happened.
        worker: the gateway's process that answered; empty where none did.
    """

    start: float
    seconds: float
    kind: str
    failure: str
    worker: str


@dataclass(frozen=True, slots=True)
class Report:
    """What all clients met, in the order in which they asked."""

    done: list[Done]

    @property
    def failures(self) -> list[Done]:
        return [each for each in self.done if each.failure]

    def between(self, start: float, end: float) -> "Report":
        """Only the requests that began in this time."""
        return Report([each for each in self.done if start <= each.start < end])

    def of(self, kind: str) -> "Report":
        return Report([each for each in self.done if each.kind == kind])

    def percentile_s(self, percent: float) -> float:
        """How long requests took; the most that ``percent`` of them did."""
        seconds = sorted(each.seconds for each in self.done)
        assert seconds, "no requests"
        return seconds[min(len(seconds) - 1, int(len(seconds) * percent / 100))]


class Load(Program):
    """Clients of ``path``, from the first answer that each of them had until ``stop``.

    Args:
        kept: clients that keep their connection.
        fresh: clients that make a connection for every request.
        pause_s: the mean pause of a client between two requests.
        source: the clients' address.
    """

    def __init__(
        self,
        path: DataPath,
        target: str,
        *,
        kept: int = 0,
        fresh: int = 0,
        pause_s: float = 0.05,
        method: str = "GET",
        body_bytes: int = 0,
        pair: Pair | None = None,
        host: str = "127.0.0.1",
        source: str = "",
    ) -> None:
        asked = {
            "host": host,
            "port": path.port,
            "root": str(path.certificates.root),
            "pair": pair and pair.both,
            "target": target,
            "kept": kept,
            "fresh": fresh,
            "pause_s": pause_s,
            "method": method,
            "body_bytes": body_bytes,
            "source": source,
        }
        super().__init__("tests.system.reliability.load", asked)

    def stop(self) -> Report:
        """Let the requests under way end; returns what all of them met."""
        return Report(sorted(Done(*each) for each in self.finish()))


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.closes = False

    async def ask(self, request: bytes) -> tuple[str, str]:
        """Send a request and read its answer: what went wrong with it, and who answered."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.split("\r\n")[:-2]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        await self.reader.readexactly(int(fields["content-length"]))
        self.closes = fields.get("connection", "").lower() == "close"
        status = status_line.partition(" ")[2]
        return "" if status.startswith("200") else status, fields["x-request-id"][:12]


class _Clients:
    def __init__(self, asked: dict[str, Any], ready: Callable[[], None], stop: asyncio.Event) -> None:
        self._asked = asked
        self._ready = ready
        self._stop = stop
        self._waiting = asked["kept"] + asked["fresh"]
        self._context = ssl.create_default_context(cafile=asked["root"])
        if asked["pair"]:
            self._context.load_cert_chain(*asked["pair"])
        length = f"Content-Length: {asked['body_bytes']}\r\n" if asked["body_bytes"] else ""
        head = f"{asked['method']} {asked['target']} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n"
        self._request = head.encode() + bytes(asked["body_bytes"])
        self.done: list[Done] = []

    async def run(self) -> list[Done]:
        kinds = ["kept"] * self._asked["kept"] + ["fresh"] * self._asked["fresh"]
        await asyncio.gather(*map(self._live, kinds))
        return self.done

    async def _live(self, kind: str) -> None:
        pause = self._asked["pause_s"]
        await self._rest(random.uniform(0.0, pause))
        connection: _Connection | None = None
        first = True
        while not self._stop.is_set():
            connection = await self._once(kind, connection)
            if first:
                first = False
                self._waiting -= 1
                if not self._waiting:
                    self._ready()
            await self._rest(random.uniform(0.5, 1.5) * pause)
        if connection is not None:
            connection.writer.close()

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _once(self, kind: str, connection: _Connection | None) -> _Connection | None:
        """One request; returns the connection where it is kept."""
        await asyncio.sleep(0)  # an end that has come is to be seen before the next request, as any client would
        if connection is not None and connection.reader.at_eof():
            connection.writer.close()
            connection = None
        kind = "new" if kind == "kept" and connection is None else kind
        start, failure, worker = time.monotonic(), "", ""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                if connection is None:
                    connection = await self._connect()
                failure, worker = await connection.ask(self._request)
        except (OSError, EOFError, TimeoutError) as error:
            failure = f"{type(error).__name__}: {error}"
        self.done.append(Done(start, time.monotonic() - start, kind, failure, worker))
        if connection is not None and (failure or connection.closes or kind == "fresh"):
            connection.writer.close()
            return None
        return connection

    async def _connect(self) -> _Connection:
        asked = self._asked
        source = (asked["source"], 0) if asked["source"] else None
        reader, writer = await asyncio.open_connection(
            asked["host"],
            asked["port"],
            family=socket.AF_INET,
            ssl=self._context,
            server_hostname="localhost",
            local_addr=source,
        )
        return _Connection(reader, writer)


async def _life(asked: dict[str, Any], ready: Callable[[], None], stop: asyncio.Event) -> list[Done]:
    return await _Clients(asked, ready, stop).run()


if __name__ == "__main__":
    main(_life)
