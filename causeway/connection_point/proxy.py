"""A web proxy on the way out: ask it for a tunnel with CONNECT (RFC 9110, 9.3.6)."""

import asyncio
import base64
import os
import re
import socket
from urllib.parse import urlsplit

from causeway.connection_point.config import ProxySection
from causeway.errors import StateError
from causeway.files import read_state

_MAX_ANSWER_BYTES = 16 * 1024


async def connect_through(proxy: ProxySection, host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket to ``host:port`` through the proxy; whose end sees only TLS.

    Raises:
        OSError: the proxy cannot be reached or refuses; the message says which, with its status line.
        StateError: the password file cannot be read.
    """
    loop = asyncio.get_running_loop()
    url = urlsplit(proxy.url or "")
    proxy_host, proxy_port = url.hostname or "", url.port or 3128
    sock = await _connect(proxy_host, proxy_port)
    try:
        await loop.sock_sendall(sock, _request(proxy, host, port))
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = await loop.sock_recv(sock, 1024)
            answer += data
            if not data or len(answer) > _MAX_ANSWER_BYTES:
                raise ConnectionError("the proxy closed the connection or answered too much")
        line = answer.partition(b"\r\n")[0].decode("latin-1")
        if not re.match(r"HTTP/1\.[01] 2[0-9]{2}(?: |$)", line) or not answer.endswith(b"\r\n\r\n"):
            raise ConnectionError(f"the proxy {proxy_host}:{proxy_port} refused: {line[:100]}")
    except BaseException:
        sock.close()
        raise
    return sock


async def _connect(host: str, port: int) -> socket.socket:
    """A socket to the first address of ``host`` that answers."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"the proxy {host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            reason = os.strerror(error.errno) if error.errno else str(error)
            failure = OSError(f"the proxy {host}:{port} cannot be reached: {reason}")
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _request(proxy: ProxySection, host: str, port: int) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user:
        password = (
            b"" if proxy.password_file is None else read_state(proxy.password_file, "the proxy's password").strip()
        )
        if b"\n" in password:
            raise StateError(f"{proxy.password_file}: expected one line with the proxy's password")
        token = base64.b64encode(proxy.user.encode() + b":" + password).decode()
        lines.append(f"Proxy-Authorization: Basic {token}")
    return "\r\n".join([*lines, "", ""]).encode()
