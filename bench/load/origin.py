"""The origin for bodies and events: ``python origin.py <port>``.

``/answer/<n>`` takes the body whole and answers with ``n`` bytes. ``/events`` sends the head and the first event at
once, and the last event a few milliseconds later.
"""

import asyncio
import re
import sys
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_PATH = re.compile(rb"\S+ (?:/answer/(\d+)|/events)")
_PAUSE_S = 0.003
_EVENTS_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_EVENT = b"data: something has happened\n\n"
_CHUNK = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._head = b""
        self._answer = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
            if self._left <= 0:
                self._transport.write(self._answer)
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head, body = self._head[:end], self._head[end:]
        self._head = b""
        path = _PATH.match(head)
        if path is None:
            self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif path[1] is None:
            self._transport.write(_EVENTS_HEAD)
            self._transport.write(_CHUNK)
            asyncio.get_running_loop().call_later(_PAUSE_S, self._transport.write, _CHUNK + b"0\r\n\r\n")
        else:
            size = int(path[1])
            self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
            length = _LENGTH.search(head)
            self._left = (int(length[1]) if length else 0) - len(body)
            if self._left <= 0:
                self._left = 0
                self._transport.write(self._answer)


async def _main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1])))
