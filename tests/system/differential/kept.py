"""Many requests on one connection, and their answers."""

import asyncio
from collections.abc import Sequence

from fuzz.wire import ReadResponse, responses_in

_AT_A_TIME = 50

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def exchange(connection: Connection, requests: Sequence[bytes], methods: Sequence[bytes]) -> list[ReadResponse]:
    """Send whole requests on one connection, some at a time, and read the answers as they come.

    Returns:
        the answers, in order; fewer than requests where the server closed the connection before.
    """
    reader, writer = connection
    found: list[ReadResponse] = []
    try:
        for start in range(0, len(requests), _AT_A_TIME):
            batch = methods[start : start + _AT_A_TIME]
            writer.write(b"".join(requests[start : start + _AT_A_TIME]))
            answers, closed = await _answers(reader, batch)
            found += answers
            if closed:
                break
    finally:
        writer.close()
    return found


async def _answers(reader: asyncio.StreamReader, methods: Sequence[bytes]) -> tuple[list[ReadResponse], bool]:
    received = b""
    while True:
        data = await reader.read(1 << 16)
        received += data
        # No body in these tests has an empty line, so heads can be counted before they are read.
        if data and received.count(b"\r\n\r\n") - received.count(b"HTTP/1.1 100 ") < len(methods):
            continue
        answers, rest = responses_in(received, methods, closed=not data)
        if not data or len(answers) == len(methods):
            assert not data or not rest, rest
            return answers, not data
