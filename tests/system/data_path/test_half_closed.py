"""A client that sends no more, and has not gone: TLS and TCP each have a way to say so."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from tests.system.data_path.path import DataPath
from tests.system.origin import Exchange
from tests.system.processes import wait_until


class HalfClosing:
    """A client whose TLS is apart from its socket: the socket's own would wait for the other side's end at once."""

    def __init__(self, path: DataPath, version: ssl.TLSVersion) -> None:
        context = ssl.create_default_context(cafile=path.certificates.root)
        context.minimum_version = context.maximum_version = version
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._socket = socket.create_connection(("127.0.0.1", path.port), timeout=20)
        done = False
        while not done:
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
                done = True
            self._flush()
            if not done:
                self._incoming.write(self._socket.recv(1 << 16))

    def __enter__(self) -> "HalfClosing":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _flush(self) -> None:
        self._socket.sendall(self._outgoing.read())

    def ask(self, target: str) -> None:
        self._tls.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._flush()

    def say_no_more(self) -> None:
        """The close_notify, and nothing of TCP."""
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()

    def read_to_the_end(self) -> bytes:
        """What comes until the gateway closes, too."""
        data = b""
        while piece := self._socket.recv(1 << 16):
            self._incoming.write(piece)
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                while part := self._tls.read(1 << 16):
                    data += part
        return data


def given_up(noticed: threading.Event) -> Callable[[Exchange], None]:
    """A site system that waits for its client to go."""

    def handler(exchange: Exchange) -> None:
        assert exchange.read(1) == b""
        noticed.set()

    return handler


def assert_gone(path: DataPath, target: str) -> None:
    (logged,) = path.gateway.wait_for("request", path=target)
    assert (logged["status"], logged["word"]) == (499, "ClientGone")


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@VERSIONS
def test_a_client_that_ends_its_half_of_tls_is_answered(path: DataPath, version: ssl.TLSVersion) -> None:
    target = f"/half-closed-{version.name}"
    go_on = threading.Event()

    def handler(exchange: Exchange) -> None:
        assert go_on.wait(20)
        with pytest.raises(TimeoutError):
            exchange.wait_for_input(0.3)  # nobody gives the request up
        exchange.answer(b"all the same")

    path.origin.on(target, handler)
    with HalfClosing(path, version) as client:
        client.ask(f"/app{target}")
        wait_until(lambda: path.origin.of(target))
        client.say_no_more()
        go_on.set()
        answer = client.read_to_the_end()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"all the same")


@VERSIONS
def test_a_client_that_ends_its_half_of_tls_and_then_closes_is_gone(path: DataPath, version: ssl.TLSVersion) -> None:
    target = f"/closed-{version.name}"
    noticed = threading.Event()
    path.origin.on(target, given_up(noticed))
    with HalfClosing(path, version) as client:
        client.ask(f"/app{target}")
        wait_until(lambda: path.origin.of(target))
        client.say_no_more()
    assert noticed.wait(20)
    assert_gone(path, f"/app{target}")


def test_a_client_that_ends_its_half_of_tcp_is_gone(path: DataPath) -> None:
    noticed = threading.Event()
    path.origin.on("/no-more", given_up(noticed))
    with path.connect() as client:
        client.start("GET", "/app/no-more")
        wait_until(lambda: path.origin.of("/no-more"))
        socket.socket.shutdown(client.socket, socket.SHUT_WR)
        assert noticed.wait(20)
        with contextlib.suppress(ssl.SSLError):
            assert client.socket.recv(1) == b""
    assert_gone(path, "/app/no-more")
