"""A web proxy on the way out: ask it for a tunnel with CONNECT (RFC 9110, 9.3.6)."""

import asyncio
import base64
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from causeway.errors import StateError
from causeway.files import read_state

DEFAULT_PORT = 3128
NEEDS_LOGIN = (401, 407)
"""The statuses of a proxy that wants credentials, or others: tinyproxy says 401 to wrong ones."""
_MAX_ANSWER_BYTES = 16 * 1024
_SCHEME = re.compile(rb"^proxy-authenticate:[ \t]*([A-Za-z0-9-]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WebProxy:
    """Where it is, and who we are there.

    Attributes:
        host: DNS name or IP address.
        port: TCP.
        user: for Basic authentication; empty for none.
        password_file: with the password in one line.
    """

    host: str
    port: int = DEFAULT_PORT
    user: str = ""
    password_file: Path | None = None

    @classmethod
    def at(cls, url: str, user: str = "", password_file: Path | None = None) -> "WebProxy":
        """The proxy of an ``http`` URL."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or DEFAULT_PORT, user, password_file)

    def __str__(self) -> str:
        return _address(self.host, self.port)


class ProxyUnreachable(ConnectionError):
    """There is no way to the proxy itself."""


class ProxyRefused(ConnectionError):
    """The proxy answered, and there is no tunnel.

    Attributes:
        status: of its answer; 0 where that was none of HTTP's.
        schemes: the ways to authenticate that it offers, such as ``Basic`` and ``Negotiate``.
    """

    def __init__(self, message: str, status: int = 0, schemes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.schemes = schemes


async def connect_through(proxy: WebProxy, host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket to ``host:port`` through the proxy; whose end sees only TLS.

    Raises:
        ProxyUnreachable: it has no address, or does not take connections.
        ProxyRefused: it answered something else than a tunnel; the message has its status line.
        OSError: the connection broke.
        StateError: the password file cannot be read.
    """
    loop = asyncio.get_running_loop()
    request = connect_request(proxy, host, port)
    sock = await _connect(proxy)
    try:
        await loop.sock_sendall(sock, request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = await loop.sock_recv(sock, 1024)
            answer += data
            if not data or len(answer) > _MAX_ANSWER_BYTES:
                raise ProxyRefused("the proxy closed the connection or answered too much")
        check_answer(proxy, answer)
    except BaseException:
        sock.close()
        raise
    return sock


def check_answer(proxy: WebProxy, answer: bytes) -> None:
    """Look at the head of the proxy's answer.

    Raises:
        ProxyRefused: it is no tunnel, or more than its head came: whoever listens there must not speak first.
    """
    line = answer.partition(b"\r\n")[0].decode("latin-1")
    status = re.match(r"HTTP/1\.[01] ([0-9]{3})(?: |$)", line)
    if status is not None and status[1].startswith("2") and answer.find(b"\r\n\r\n") == len(answer) - 4:
        return
    schemes = tuple(dict.fromkeys(name.decode() for name in _SCHEME.findall(answer)))
    raise ProxyRefused(f"the proxy {proxy} refused: {line[:100]}", 0 if status is None else int(status[1]), schemes)


async def _connect(proxy: WebProxy) -> socket.socket:
    """A socket to the first address of the proxy that answers."""
    loop = asyncio.get_running_loop()
    failure = ProxyUnreachable(f"the proxy {proxy.host} has no address")
    try:
        found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise failure from error
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            reason = os.strerror(error.errno) if error.errno else str(error)
            failure = ProxyUnreachable(f"the proxy {proxy} cannot be reached: {reason}")
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def connect_request(proxy: WebProxy, host: str, port: int) -> bytes:
    """What the proxy is sent.

    Raises:
        StateError: the password file cannot be read, or has more than one line.
    """
    target = _address(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user:
        token = base64.b64encode(proxy.user.encode() + b":" + proxy_password(proxy.password_file)).decode()
        lines.append(f"Proxy-Authorization: Basic {token}")
    return "\r\n".join([*lines, "", ""]).encode()


def proxy_password(file: Path | None) -> bytes:
    """The password in ``file``; empty where there is none.

    Raises:
        StateError: it cannot be read, or has more than one line.
    """
    password = b"" if file is None else read_state(file, "the proxy's password").strip()
    if b"\n" in password:
        raise StateError(f"{file}: expected one line with the proxy's password")
    return password


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
