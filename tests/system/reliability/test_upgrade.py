"""A WebSocket through a published application, with a WebSocket library of others at both ends."""

import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.system.data_path.path import DataPath, endpoint
from tests.system.processes import wait_until

_LARGE = bytes(range(256)) * (16 << 10)  # 4 MiB
_DRAIN_S = 2.0


def _converse(connection: ServerConnection) -> None:
    """Greet, then send back what comes; ``bye`` ends it."""
    connection.send("hello")
    for message in connection:
        connection.send(message)
        if message == "bye":
            connection.close(1001, "as you wish")


@pytest.fixture
def web_socket_url() -> Iterator[str]:
    """A WebSocket server."""
    with serve(_converse, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def path(running_path: Callable[..., DataPath], web_socket_url: str) -> DataPath:
    limits = {"limits": {"drain_timeout_s": _DRAIN_S}}
    path = running_path(workers=1, gateway=limits, point=limits)
    path.publish_also(
        endpoint("chat", "/chat", web_socket_url, upgrades=("websocket",)),
        endpoint("plain", "/plain", web_socket_url),
    )
    return path


def _context(path: DataPath) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=path.certificates.root)


def _open(path: DataPath, target: str) -> ClientConnection:
    return connect(f"wss://localhost:{path.port}{target}", ssl=_context(path), max_size=None)


def test_messages_pass_both_ways_whatever_their_size_until_either_side_closes(path: DataPath) -> None:
    with _open(path, "/chat/room") as client:
        assert client.recv() == "hello"
        for message in ("a", _LARGE, "", b"\x00", "ä" * 70_000):
            client.send(message)
            assert client.recv() == message
        assert client.ping().wait(10)
        client.close(1000, "enough")
    with _open(path, "/chat/room") as client:
        assert client.recv() == "hello"
        client.send("bye")
        assert client.recv() == "bye"
        with pytest.raises(ConnectionClosedOK) as ended:
            client.recv()
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1001, "as you wish")
    wait_until(lambda: path.gateway.metric("causeway_gateway_requests_in_flight") == 0)


def test_an_upgrade_that_is_not_published_does_not_pass(path: DataPath) -> None:
    with pytest.raises(InvalidStatus) as refused:
        _open(path, "/plain/room")
    assert refused.value.response.status_code == 426
    with path.connect() as client:
        answer = client.ask("GET", "/chat/room", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
        assert answer.status == 426
        assert answer.header("Connection") is None
        assert client.ask("GET", "/site/small").status == 200


@pytest.mark.parametrize("part", ["gateway", "connection point"])
def test_a_drain_lets_messages_pass_for_a_while_and_then_closes_the_connection_in_good_order(
    path: DataPath, part: str
) -> None:
    drained = path.gateway if part == "gateway" else path.points["cp1"]
    client = _RawWebSocket(path)
    with contextlib.closing(client):
        assert client.message() == b"hello"
        drained.signal(signal.SIGTERM)
        drained.wait_for("draining")
        client.send(b"still here?")
        assert client.message() == b"still here?"
        assert client.socket.recv(100) == b""  # close_notify: without it, or after a reset, this would raise
    assert drained.wait() == 0


class _RawWebSocket:
    """A WebSocket without a library, to see how the connection below it ends; short messages only."""

    def __init__(self, path: DataPath) -> None:
        raw = socket.create_connection(("127.0.0.1", path.port), timeout=30)
        self.socket = _context(path).wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
        self.socket.sendall(
            b"GET /chat/room HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")

    def send(self, message: bytes) -> None:
        self.socket.sendall(bytes((0x81, 0x80 | len(message))) + bytes(4) + message)

    def message(self) -> bytes:
        kind, length = self._read(1), self._read(1)[0]
        assert kind == b"\x81"
        return self._read(length)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            assert piece, "the connection ended"
            data += piece
        return data

    def close(self) -> None:
        self.socket.close()
