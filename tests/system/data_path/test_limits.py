"""Clients that are slow, silent or too many."""

import contextlib
import functools
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

import pytest

from tests.system.data_path.client import Client
from tests.system.data_path.path import DataPath
from tests.system.origin import Exchange
from tests.system.processes import wait_until


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """A gateway that waits a second for anything."""
    limits = {
        "handshake_timeout_s": 1.0,
        "head_timeout_s": 1.0,
        "idle_timeout_s": 1.0,
        "stall_timeout_s": 1.0,
        "min_body_bytes_per_s": 2.0,
    }
    with DataPath(tmp_path_factory.mktemp("hasty"), workers=1, gateway={"limits": limits}).running() as path:
        yield path


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """A gateway that takes few at a time, and waits for them."""
    limits = {
        "max_connections_per_address": 30,
        "max_handshakes": 20,
        "max_handshakes_per_address": 10,
        "max_requests_per_address": 5,
    }
    with DataPath(tmp_path_factory.mktemp("patient"), workers=1, gateway={"limits": limits}).running() as path:
        yield path


@pytest.mark.parametrize(
    "part", [b"G", b"GET /app/x HTTP/1.1\r\nHost: localhost\r\n", b"GET /app/x HTTP/1.1\r\nHost: a\r\n\r"]
)
def test_a_head_that_does_not_come_to_its_end_is_answered_408(hasty: DataPath, part: bytes) -> None:
    with hasty.connect() as client:
        client.send(part)
        answer = client.answer()
        assert (answer.status, answer.reason, answer.header("Connection")) == (
            408,
            "CMGService_RequestTimeout",
            "close",
        )
        assert client.wait_for_end() == b""


def test_a_second_head_that_does_not_come_to_its_end_is_answered_408(hasty: DataPath) -> None:
    with hasty.connect() as client:
        client.ask("GET", "/app/x")
        client.send(b"GET /app/x HTTP/1.1\r\n")
        assert client.answer().reason == "CMGService_RequestTimeout"


def test_a_connection_that_says_nothing_is_closed_without_a_word(hasty: DataPath) -> None:
    with hasty.connect() as client:
        assert client.wait_for_end() == b""


def test_a_kept_connection_that_is_idle_is_closed(hasty: DataPath) -> None:
    with hasty.connect() as client:
        assert client.ask("GET", "/app/x").status == 200
        assert client.wait_for_end() == b""


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_stands_still_is_answered_408_and_given_up_on_the_premises(hasty: DataPath, framing: str) -> None:
    ended: list[bytes] = []

    def handler(exchange: Exchange) -> None:
        while data := exchange.read(100):
            ended.append(data)
        ended.append(b"end")

    hasty.origin.on("/still", handler)
    with hasty.connect() as client:
        client.start("PUT", "/app/still", framing)
        client.send(b"2\r\nab\r\n")
        answer = client.answer()
        assert answer.reason == "CMGService_RequestTimeout"
        wait_until(lambda: b"end" in ended, what="the origin to see the end")
    (logged,) = hasty.points["cp1"].wait_for("request", request_id=answer.request_id)
    assert (logged["status"], logged["word"]) == (499, "ClientGone")


def test_a_body_that_trickles_is_answered_408(hasty: DataPath) -> None:
    arrived: list[bytes] = []

    def handler(exchange: Exchange) -> None:
        while data := exchange.read(100):
            arrived.append(data)

    hasty.origin.on("/trickle", handler)
    with hasty.connect() as client:
        client.start("PUT", "/app/trickle", "Content-Length: 100")
        client.socket.settimeout(0.8)  # never still for a second, and yet less than two bytes in one
        for _ in range(10):
            client.send(b"x")
            with contextlib.suppress(TimeoutError):
                assert client.socket.recv(100).startswith(b"HTTP/1.1 408 CMGService_RequestTimeout\r\n")
                break
        else:
            pytest.fail("it was waited for without end")
        assert len(arrived) > 1


def _have_come(pieces: list[bytes], count: int) -> bool:
    return len(pieces) >= count


def test_a_body_that_goes_on_slowly_is_waited_for(hasty: DataPath) -> None:
    arrived: list[bytes] = []

    def handler(exchange: Exchange) -> None:
        while sum(map(len, arrived)) < 41:
            arrived.append(exchange.read(100))
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    hasty.origin.on("/slowly", handler)
    with hasty.connect() as client:
        client.start("PUT", "/app/slowly", "Content-Length: 41")
        for number in range(4):
            client.send(b"0123456789")  # so that a machine with other things to do stays above the least there may be
            wait_until(functools.partial(_have_come, arrived, number + 1), what="a piece to arrive")
            client.socket.settimeout(0.4)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
        client.socket.settimeout(30)
        client.send(b"x")
        assert client.socket.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_an_answer_that_takes_its_time_is_waited_for(hasty: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        with pytest.raises(TimeoutError):
            exchange.wait_for_input(2.5)
        exchange.send(b"2\r\ncd\r\n0\r\n\r\n")

    hasty.origin.on("/slow-events", handler)
    with hasty.connect() as client:
        assert client.ask("GET", "/app/slow-events").body == b"abcd"


def test_a_client_that_does_not_read_is_given_up(hasty: DataPath) -> None:
    hasty.origin.on("/large", lambda exchange: exchange.answer(bytes(32 * 1024 * 1024)))
    with hasty.connect() as client:
        client.start("GET", "/app/large")
        assert client.head().status == 200
        (logged,) = hasty.gateway.wait_for("request", path="/app/large")
        assert (logged["status"], logged["word"]) == (200, "ClientGone")
        assert len(client.wait_for_end()) < 32 * 1024 * 1024
    wait_until(lambda: hasty.gateway.metric("causeway_gateway_streams") == 0, what="no stream left")


def test_a_slow_handshake_is_given_up_and_counted(hasty: DataPath) -> None:
    name = "causeway_gateway_handshake_failures_total"
    before = hasty.gateway.metric(name, reason="timeout")
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=20) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert sock.recv(100) == b""
    assert hasty.gateway.metric(name, reason="timeout") == before + 1


def test_a_reset_right_behind_half_a_body_is_noticed_at_both_ends(patient: DataPath) -> None:
    connections = "causeway_connection_point_upstream_connections"
    for number in range(30):
        with patient.connect() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.start("PUT", f"/app/reset-{number}", "Content-Length: 100")
            client.send(b"half")  # the reset comes along with it, before the gateway has read either
    point = patient.points["cp1"]
    wait_until(lambda: patient.gateway.metric("causeway_gateway_requests_in_flight") == 0, what="none under way")
    wait_until(lambda: point.metric("causeway_connection_point_streams") == 0, what="no streams")
    wait_until(lambda: point.metric(connections) == 0, what="no connections to the site system")


def _say_nothing(path: DataPath, source: str, count: int) -> list[socket.socket]:
    """Connections from ``source``, in the handshake and without a word."""
    name = "causeway_gateway_connections"
    before = path.gateway.metric(name)
    made = []
    for number in range(1, count + 1):
        made.append(socket.create_connection(("127.0.0.1", path.port), timeout=20, source_address=(source, 0)))
        wait_until(functools.partial(_has_reached, path, name, min(before + number, 20)))
    return made


def _has_reached(path: DataPath, name: str, value: float) -> bool:
    return path.gateway.metric(name) >= value


def _is_over(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def test_an_address_with_many_handshakes_has_its_own_oldest_give_way(patient: DataPath) -> None:
    others = _say_nothing(patient, "127.0.0.2", 3)
    waiting = [
        socket.create_connection(("127.0.0.1", patient.port), timeout=20, source_address=("127.0.0.3", 0))
        for _ in range(15)
    ]
    for sock in waiting[:5]:
        assert sock.recv(1) == b""
    assert not any(_is_over(sock) for sock in (*others, *waiting[5:]))
    with patient.connect() as client:
        assert client.ask("GET", "/app/x").status == 200
    for sock in (*others, *waiting):
        sock.close()
    wait_until(lambda: patient.gateway.metric("causeway_gateway_connections") == 0, what="all connections gone")


def test_where_there_are_too_many_handshakes_in_all_the_oldest_gives_way(patient: DataPath) -> None:
    oldest = _say_nothing(patient, "127.0.0.2", 5)
    waiting = [sock for number in (3, 4) for sock in _say_nothing(patient, f"127.0.0.{number}", 9)]
    for sock in oldest[:3]:
        assert sock.recv(1) == b""
    assert not any(_is_over(sock) for sock in (*oldest[3:], *waiting))
    for sock in (*oldest, *waiting):
        sock.close()
    wait_until(lambda: patient.gateway.metric("causeway_gateway_connections") == 0, what="all connections gone")


def test_one_address_has_only_so_many_requests_under_way(patient: DataPath) -> None:
    go_on = threading.Event()
    patient.origin.on("/wait", lambda exchange: exchange.answer(str(go_on.wait(60)).encode()))
    name = "causeway_gateway_requests_in_flight"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(patient.connect()) for _ in range(6)]
        for client in clients[:5]:
            client.start("GET", "/app/wait")
        wait_until(lambda: patient.gateway.metric(name) == 5, what="five requests under way")
        refused = clients[5].ask("GET", "/app/x")
        assert (refused.status, refused.reason, refused.header("Connection")) == (
            429,
            "CMGService_TooManyRequests",
            None,
        )
        with Client(patient.port, patient.certificates.root, source="127.0.0.2") as other:
            assert other.ask("GET", "/app/x").status == 200
        clients[0].close()  # one that goes makes room, and so does one that is answered
        wait_until(lambda: patient.gateway.metric(name) == 4, what="four requests under way")
        assert clients[5].ask("GET", "/app/x").status == 200
        go_on.set()
        assert [client.answer().status for client in clients[1:5]] == [200] * 4
        assert [client.ask("GET", "/app/x").status for client in clients[1:]] == [200] * 5


def test_one_address_has_only_so_many_connections(patient: DataPath) -> None:
    wait_until(lambda: patient.gateway.metric("causeway_gateway_connections") == 0, what="all connections gone")
    name = "causeway_gateway_connections_refused_total"
    before = patient.gateway.metric(name)
    clients = [patient.connect() for _ in range(30)]
    for _ in range(3):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            patient.connect()
    wait_until(lambda: patient.gateway.metric(name) == before + 3, what="three refused connections")
    (line,) = patient.gateway.wait_for("too many connections from one address")
    assert (line["peer"], line["refused"]) == ("127.0.0.1", 3)
    for client in clients:
        client.close()
    wait_until(lambda: patient.gateway.metric("causeway_gateway_connections") == 0, what="all connections gone")
    with patient.connect() as client:
        assert client.ask("GET", "/app/x").status == 200
