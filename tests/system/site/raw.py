"""Bytes on a TLS connection, for requests that no library would send."""

import socket
import ssl
from pathlib import Path

from tests.system.site.running import RunningSite


def connect(site: RunningSite, certificate: tuple[Path, Path] | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(site.paths.authority))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    plain = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def exchange(site: RunningSite, request: bytes, certificate: tuple[Path, Path] | None = None) -> bytes:
    """Send the bytes and read until the server closes."""
    with connect(site, certificate) as connection:
        connection.sendall(request)
        answer = bytearray()
        while piece := connection.recv(65536):
            answer += piece
        return bytes(answer)


def status_line(answer: bytes) -> str:
    return answer.partition(b"\r\n")[0].decode("latin-1")
