"""Requests as odd as HTTP allows, and such that are nearly requests. All chance comes from a seed."""

import random
from collections.abc import Callable
from typing import NamedTuple

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND", b"CCM_POST", b"BITS_POST")
_TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PATH = "!\"$&'()*+,-.0123456789:;<=>@ABCxyz[]^_`{|}~"
_QUERY = _PATH + "/?%\\"
_VALUE = "\t !\"#$%&'()*+,-./0123456789:;<=>?@ABCxyz[\\]^_`{|}~\x80\xe9\xff"
_NAMES = (
    "Accept",
    "CCMClientID",
    "Content-Type",
    "Cookie",
    "Depth",
    "Range",
    "SOAPAction",
    "User-Agent",
    "X-Twice",
    "X-Twice",
    "x_under_score",
)
_ONCE = ("Authorization: Basic eA==", 'If-None-Match: "x"', "Referer: https://a/?b#c")
_NEVER_PASS = (
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-Client-Cert: Hash=00",
    "x_real_ip: 10.0.0.1",
    "Forwarded: for=10.0.0.1",
    "X-Request-Id: 0",
    "Keep-Alive: timeout=5",
    "TE: trailers",
    "Trailer: X-Sum",
    "Proxy-Connection: close",
    "Proxy-Authorization: Basic eA==",
    "Content_Length: 7",
    "Transfer_Encoding: chunked",
    "Upgrade: h2c",
)
_NOISE = (
    b"",
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b",",
    b";",
    b"\r\n ",
    b"\r\nContent-Length: 3",
    b"\r\nTransfer-Encoding: chunked",
    b"\r\nTransfer-Encoding:\x0bchunked",
    b"\r\nHost: b",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"GET /files/smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HTTP/1.1",
    b"chunked, ",
    b"+",
    b"0x",
    b"/../",
    b"%2e%2e",
)


class Generated(NamedTuple):
    """One request as a client sends it.

    Attributes:
        head: with its empty line.
        body: with its framing.
        content: what the body holds.
        trailers: that may pass, in lower case.
    """

    head: bytes
    body: bytes
    content: bytes
    trailers: list[tuple[bytes, bytes]]

    @property
    def raw(self) -> bytes:
        """Everything."""
        return self.head + self.body


class Generator:
    """Makes requests for the published path ``/files``."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def valid(self, *, least_minor: int = 0) -> Generated:
        """A request that HTTP/1.0 or 1.1 allows, though few clients would send it."""
        chance = self._random
        minor = b"%d" % max(least_minor, chance.random() > 0.1)
        host = chance.choice(
            ("gateway.example", "GATEWAY.example:443", "[2001:db8::7]:8443", "10.1.2.3", "a_b.example")
        )
        target = self._path() + self._query()
        if chance.random() < 0.1:
            target = chance.choice(("http://", "HTTPS://")) + host.swapcase() + target
        lines = [f"{self._case('Host')}:{self._space()}{host}{self._space()}"]
        lines += [self._field() for _ in range(chance.randrange(8))]
        lines += chance.sample(_ONCE, chance.choice((0, 0, 1)))
        lines += chance.sample(_NEVER_PASS, chance.choice((0, 0, 1, 3)))
        lines += self._connection(lines)
        framing, body, content, trailers = self._body(chunks=minor == b"1")
        lines += framing
        chance.shuffle(lines)
        method = chance.choice(METHODS)
        head = b"%b %b HTTP/1.%b\r\n%b\r\n" % (
            method,
            target.encode(),
            minor,
            b"".join(line.encode("latin-1") + b"\r\n" for line in lines),
        )
        return Generated(head, body, content, trailers)

    def nearly(self) -> bytes:
        """A request with a few bytes put in, taken out or replaced, somewhere in its head or body."""
        raw = bytearray(self.valid().raw)
        for _ in range(self._random.randrange(1, 4)):
            position = self._random.randrange(len(raw) + 1)
            taken = self._random.choice((0, 0, 0, 1, 2))
            raw[position : position + taken] = self._random.choice(_NOISE)
        return bytes(raw)

    def cuts(self, data: bytes) -> list[bytes]:
        """``data`` in pieces, as a network may deliver it."""
        marks = sorted(self._random.randrange(len(data) + 1) for _ in range(self._random.choice((0, 0, 1, 3))))
        return [data[start:end] for start, end in zip([0, *marks], [*marks, len(data)], strict=True)]

    # Parts of a head.

    def _text(self, alphabet: str, least: int, most: int) -> str:
        return "".join(self._random.choices(alphabet, k=self._random.randint(least, most)))

    def _case(self, text: str) -> str:
        change: Callable[[str], str] = self._random.choice((str, str.lower, str.upper, str.swapcase))
        return change(text)

    def _space(self) -> str:
        return self._random.choice(("", " ", " ", "\t", "  "))

    def _path(self) -> str:
        segments = [self._segment() for _ in range(self._random.randrange(4))]
        return "/".join([self._case("/files"), *segments])

    def _segment(self) -> str:
        plain = self._text(_PATH, 0, 8)
        return plain + self._random.choice(("", "", "%41", "%7B%c3%A9", "%20", "%25", "..."))

    def _query(self) -> str:
        return self._random.choice(("", "", "?", "?" + self._text(_QUERY, 0, 20)))

    def _field(self) -> str:
        name = (
            self._case(self._random.choice(_NAMES)) if self._random.random() < 0.7 else "X" + self._text(_TOKEN, 0, 9)
        )
        most = 2000 if self._random.random() < 0.02 else 24
        return f"{name}:{self._space()}{self._text(_VALUE, 0, most)}{self._space()}"

    def _connection(self, lines: list[str]) -> list[str]:
        named = self._random.choice(lines).partition(":")[0]
        options = self._random.choice(("keep-alive", "Keep-Alive, x-hop", f"{named}", "x-hop,,", "TE"))
        return [f"{self._case('Connection')}: {options}"] * self._random.choice((0, 0, 1, 2))

    # Bodies.

    def _body(self, *, chunks: bool) -> tuple[list[str], bytes, bytes, list[tuple[bytes, bytes]]]:
        kind = self._random.choice(("none", "none", "length", "chunks"))
        expect = [f"{self._case('Expect')}: 100-{self._case('continue')}"] * (self._random.random() < 0.2)
        if kind == "none" or (kind == "chunks" and not chunks):
            return [], b"", b"", []
        content = self._random.randbytes(self._random.choice((0, 1, 5, 300, 5000)))
        if kind == "length":
            zeroes = "0" * self._random.choice((0, 0, 3))
            return (
                [*expect, f"{self._case('Content-Length')}:{self._space()}{zeroes}{len(content)}"],
                content,
                content,
                [],
            )
        body, trailers = self._chunks(content)
        return [*expect, f"{self._case('Transfer-Encoding')}: {self._case('chunked')}"], body, content, trailers

    def _chunks(self, content: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        body, rest = b"", content
        while rest:
            size = self._random.randint(1, len(rest))
            digits = self._case(f"{size:x}".rjust(self._random.choice((1, 1, 6)), "0"))
            body += digits.encode() + self._extension() + b"\r\n" + rest[:size] + b"\r\n"
            rest = rest[size:]
        trailers = [(b"x-sum", b"%d" % n) for n in range(self._random.choice((0, 0, 1, 2)))]
        lines = b"".join(b"X-Sum: %b\r\n" % value for _, value in trailers)
        lines += self._random.choice((b"", b"", b"Content-Length: 5\r\n", b"X-Forwarded-For: 10.0.0.1\r\n"))
        return body + b"0" + self._extension() + b"\r\n" + lines + b"\r\n", trailers

    def _extension(self) -> bytes:
        return self._random.choice((b"", b"", b";a", b' ; a="b c"', b"\t;x=y"))
