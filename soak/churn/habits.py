"""What clients do over and over: each habit is one visit, and raises where something is not as it should be."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from soak.churn.client import Answer, Client, Gateway, Unexpected
from soak.sizes import BIG_BYTES, MEDIUM_BYTES, SMALL_BYTES

Habit = Callable[[Gateway], Awaitable[int]]
"""Returns how many requests were answered."""

_CHANCE = random.Random()
_HOST = " HTTP/1.1\r\nHost: localhost\r\n"
_PIECE_BYTES = 16 * 1024
_GARBAGE = (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\0" * 100)


def _request(method: str, target: str, fields: str = "") -> bytes:
    return f"{method} {target}{_HOST}{fields}\r\n".encode()


def _expect(answer: Answer, status: int, *, word: str = "", body_bytes: int | None = None) -> None:
    if answer.status != status or (word and answer.word != word):
        raise Unexpected(f"{answer.status} {answer.word}, not {status} {word}")
    if body_bytes is not None and answer.body_bytes != body_bytes:
        raise Unexpected(f"{answer.body_bytes} bytes, not {body_bytes}")


async def device(gateway: Gateway) -> int:
    """A device with a certificate asks a few times on one connection."""
    async with await Client.connect(gateway, _CHANCE.choice(gateway.devices)) as client:
        for _ in range(_CHANCE.randint(1, 5)):
            _expect(await client.ask(_request("GET", "/devices/small")), 200, body_bytes=SMALL_BYTES)
            if client.closes:
                break
        return client.answered


async def newcomer(gateway: Gateway) -> int:
    """Somebody without a certificate gets what is for all, and nothing else."""
    asked = [
        (_request("GET", "/site/small"), 200, ""),
        (_request("GET", "/devices/small"), 403, "CMGConnector_ClientCertificateRequired"),
        (_request("GET", "/nothing/here"), 404, "CMGService_NotPublished"),
        (_request("GET", "/site/small", "X-Forwarded-For: 192.0.2.1\r\n"), 200, ""),
    ]
    async with await Client.connect(gateway, gateway.anonymous) as client:
        for request, status, word in _CHANCE.sample(asked, 2):
            _expect(await client.ask(request), status, word=word)
            if client.closes:
                break
        return client.answered


async def pipeliner(gateway: Gateway) -> int:
    """Several requests at once; a gateway that drains answers the first and closes."""
    async with await Client.connect(gateway, gateway.devices[0]) as client:
        client.send(_request("GET", "/devices/small") * 5)
        for _ in range(5):
            _expect(await client.answer(), 200, body_bytes=SMALL_BYTES)
            if client.closes:
                break
        return client.answered


async def uploader(gateway: Gateway) -> int:
    """A body with a length, or in chunks."""
    size = _CHANCE.choice((1000, 100_000, 400_000))
    target = f"/site/upload/{_CHANCE.randrange(20)}"
    async with await Client.connect(gateway, _CHANCE.choice(gateway.devices)) as client:
        if _CHANCE.random() < 0.5:
            client.send(_request("PUT", target, f"Content-Length: {size}\r\n") + bytes(size))
        else:
            client.send(_request("PUT", target, "Transfer-Encoding: chunked\r\n"))
            for _ in range(4):
                client.send(b"%x\r\n%b\r\n" % (size // 4, bytes(size // 4)))
                await asyncio.sleep(0)
            client.send(b"0\r\n\r\n")
        answer = await client.answer()
        if answer.status not in (201, 204):
            raise Unexpected(f"{answer.status} {answer.word} for an upload")
        return client.answered


async def slow_reader(gateway: Gateway) -> int:
    """Reads a download in small pieces with pauses, to its end."""
    async with await Client.connect(gateway, gateway.anonymous, slow=True) as client:
        client.send(_request("GET", "/site/medium"))
        status, word, left = await client.head()
        _expect(Answer(status, word, left), 200, body_bytes=MEDIUM_BYTES)
        while left:
            piece = await client.reader.read(_PIECE_BYTES)
            if not piece:
                raise Unexpected(f"a slow download {left} bytes short")
            left -= len(piece)
            await asyncio.sleep(0.02)  # what makes it slow
        return 1


async def idler(gateway: Gateway) -> int:
    """Says nothing for a while, then asks, unless the gateway has ended the connection, as one that drains does."""
    async with await Client.connect(gateway, _CHANCE.choice(gateway.devices)) as client:
        await asyncio.sleep(_CHANCE.uniform(0.5, 6.0))  # what makes it idle
        if client.ended:
            return 0
        _expect(await client.ask(_request("GET", "/devices/small")), 200, body_bytes=SMALL_BYTES)
        return 1


async def download_quitter(gateway: Gateway) -> int:
    """Goes in the middle of a download."""
    async with await Client.connect(gateway, gateway.anonymous) as client:
        client.send(_request("GET", "/site/big"))
        status, word, length = await client.head()
        _expect(Answer(status, word, length), 200, body_bytes=BIG_BYTES)
        await client.reader.readexactly(_CHANCE.randint(1, 500_000))
        client.leave()
        return 0


async def upload_quitter(gateway: Gateway) -> int:
    """Goes in the middle of an upload."""
    async with await Client.connect(gateway, _CHANCE.choice(gateway.devices)) as client:
        fields = _CHANCE.choice(("Content-Length: 900000\r\n", "Transfer-Encoding: chunked\r\n"))
        client.send(_request("PUT", "/site/upload/never", fields))
        client.send(b"%x\r\n" % 800_000 + bytes(_CHANCE.randint(0, 700_000)))
        await asyncio.sleep(_CHANCE.uniform(0.0, 0.05))  # so that some of it has arrived
        client.leave()
        return 0


async def head_quitter(gateway: Gateway) -> int:
    """Goes in the middle of a head, or having said nothing."""
    async with await Client.connect(gateway, gateway.anonymous) as client:
        client.send(_request("GET", "/site/small")[: _CHANCE.randrange(30)])
        await asyncio.sleep(_CHANCE.uniform(0.0, 0.05))
        client.leave()
        return 0


async def handshake_quitter(gateway: Gateway) -> int:
    """Goes in the middle of the handshake, or says what is none."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_CHANCE.choice(_GARBAGE))
    await asyncio.sleep(_CHANCE.uniform(0.0, 0.05))
    writer.transport.abort()
    return 0


HABITS: dict[Habit, int] = {
    device: 8,
    newcomer: 4,
    pipeliner: 2,
    uploader: 3,
    slow_reader: 4,
    idler: 8,
    download_quitter: 2,
    upload_quitter: 2,
    head_quitter: 2,
    handshake_quitter: 2,
}
"""How many clients have each habit."""
