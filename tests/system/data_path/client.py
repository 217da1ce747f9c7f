"""A device as bytes: one TLS connection, requests written by hand, answers read strictly."""

import functools
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.certificates import Pair

TIMEOUT_S = 30.0


@dataclass(slots=True)
class Answer:
    """An answer as it came; ``interim`` are the ones before it, such as 100."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    interim: "list[Answer]" = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.values(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def request_id(self) -> str:
        request_id = self.header("X-Request-Id")
        assert request_id
        return request_id

    @property
    def worker(self) -> str:
        """Which of the gateway's processes answered: the first digits of a request id are its own."""
        return self.request_id[:12]


@functools.cache
def _context(root: Path, pair: Pair | None, version: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if pair is not None:
        context.load_cert_chain(*pair.both)
    return context


class Client:
    """One connection to the gateway.

    Args:
        port: of the gateway.
        root: what its certificate leads to.
        pair: the client's certificate.
        version: the one version of TLS to speak.
        window_bytes: of the receive buffer, to be a reader who soon has enough; 0 for the usual.
        source: the client's address.
        session: of an earlier connection with the same certificate and version, to be resumed.
    """

    def __init__(
        self,
        port: int,
        root: Path,
        *,
        pair: Pair | None = None,
        version: ssl.TLSVersion | None = None,
        window_bytes: int = 0,
        source: str = "",
        session: ssl.SSLSession | None = None,
    ) -> None:
        context = _context(root, pair, version)
        raw = socket.socket()
        try:
            raw.settimeout(TIMEOUT_S)
            if window_bytes:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
            if source:
                raw.bind((source, 0))
            raw.connect(("127.0.0.1", port))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = context.wrap_socket(raw, server_hostname="localhost", session=session)
        except BaseException:
            raw.close()
            raise
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def start(self, method: str, target: str, *lines: str, version: str = "1.1") -> None:
        """Send a request's head."""
        host = [] if any(line.lower().startswith("host:") for line in lines) else ["Host: localhost"]
        self.send("\r\n".join([f"{method} {target} HTTP/{version}", *host, *lines, "", ""]).encode("latin-1"))

    def ask(self, method: str, target: str, *lines: str, body: bytes | None = None, version: str = "1.1") -> Answer:
        """A whole request and its answer."""
        length = [] if body is None else [f"Content-Length: {len(body)}"]
        self.start(method, target, *lines, *length, version=version)
        if body:
            self.send(body)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """Read the next answer with its body."""
        answer = self.head()
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if answer.header("Transfer-Encoding") is not None:
            assert answer.header("Transfer-Encoding") == "chunked"
            assert answer.header("Content-Length") is None
            while piece := self.chunk():
                answer.body += piece
            answer.trailers = self._fields()
        elif (length := answer.header("Content-Length")) is not None:
            answer.body = self._reader.read(int(length))
            assert len(answer.body) == int(length), "the answer was broken off"
        else:
            answer.body = self._reader.read()
        return answer

    def head(self) -> Answer:
        """Read the next answer's head, and the interim ones before it."""
        interim: list[Answer] = []
        while True:
            line = self._reader.readline()
            assert line.endswith(b"\r\n"), f"the connection ended where an answer was expected: {line!r}"
            version, status, reason = line.decode("latin-1")[:-2].split(" ", 2)
            assert version == "HTTP/1.1"
            answer = Answer(int(status), reason, self._fields(), interim=interim)
            if answer.status >= 200 or answer.status == 101:
                return answer
            interim.append(answer)

    def chunk(self) -> bytes:
        """Read one chunk; the last one is empty, and trailers follow it."""
        size = int(self._reader.readline(), 16)
        if not size:
            return b""
        data = self._reader.read(size)
        assert self._reader.read(2) == b"\r\n"
        return data

    def read(self, size: int) -> bytes:
        """Read this many bytes, or fewer where the connection ends before."""
        return self._reader.read(size)

    def wait_for_end(self) -> bytes:
        """What still comes before the gateway closes the connection."""
        try:
            return self._reader.read()
        except ConnectionError:
            return b""

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while (line := self._reader.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), f"the connection ended in a head: {line!r}"
            name, _, value = line.decode("latin-1")[:-2].partition(":")
            fields.append((name, value.strip()))
        return fields
