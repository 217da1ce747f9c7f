"""Who may open a tunnel, and what happens to a peer that breaks the protocol: it is cut off, and others are not."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES
from causeway.pki.roles import Role
from causeway.tunnel.credit import INITIAL_CREDIT
from causeway.tunnel.frames import END, MAX_PAYLOAD_BYTES, FrameType, encode
from causeway.tunnel.handshake import ConnectionPointHello, encode_message
from tests.system.certificates import Pair, certificates
from tests.system.data_path.client import Answer
from tests.system.data_path.path import DataPath
from tests.system.data_path.tunnel_peer import TunnelPeer
from tests.system.processes import wait_until

HANDSHAKE_FAILURES = "causeway_gateway_tunnel_handshake_failures_total"
REFUSALS = "causeway_gateway_tunnel_refusals_total"


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """A gateway of one worker with settings and without a connection point: tests bring their own."""
    path = DataPath(tmp_path_factory.mktemp("lonely"), workers=1, points=("cp1",))
    with path.running():
        path.points["cp1"].stop()
        yield path


@pytest.fixture(scope="module")
def peer_pair() -> Pair:
    return certificates("site").client("peer", Role.CONNECTION_POINT)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: None, "certificate_missing"),
        (lambda: certificates("stranger").client("cp9", Role.CONNECTION_POINT), "certificate_untrusted"),
        (lambda: certificates("site").expired("old-cp"), "certificate_expired"),
    ],
    ids=["none", "another_authority", "expired"],
)
def test_a_peer_without_a_good_certificate_fails_in_the_handshake(
    path: DataPath, make: Callable[[], Pair | None], reason: str
) -> None:
    before = path.gateway.metric(HANDSHAKE_FAILURES, reason=reason)
    logged = len(path.gateway.events("tunnel handshake failed", reason=reason))
    with (
        pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
        TunnelPeer(path.tunnel_port, path.certificates.root, make()) as peer,
    ):
        peer.hello()
    path.gateway.wait_for("tunnel handshake failed", reason=reason, count=logged + 1)
    assert path.gateway.metric(HANDSHAKE_FAILURES, reason=reason) == before + 1


def test_whoever_speaks_no_tls_to_the_tunnel_port_is_told_of(path: DataPath) -> None:
    logged = len(path.gateway.events("tunnel handshake failed", reason="protocol"))
    with socket.create_connection(("127.0.0.1", path.tunnel_port), timeout=20) as sock:
        sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n")
        while sock.recv(100):
            pass
    path.gateway.wait_for("tunnel handshake failed", reason="protocol", count=logged + 1)


def refused_peer(path: DataPath, pair: Pair, *, alpn: str | None = "causeway-tunnel/1") -> None:
    before = path.gateway.metric(REFUSALS, word="TunnelRefused")
    logged = len(path.gateway.events("tunnel lost", word="TunnelRefused"))
    with TunnelPeer(path.tunnel_port, path.certificates.root, pair, alpn=alpn) as peer:
        peer.wait_for_end()
    path.gateway.wait_for("tunnel lost", word="TunnelRefused", count=logged + 1)
    assert path.gateway.metric(REFUSALS, word="TunnelRefused") == before + 1


def test_a_device_cannot_open_a_tunnel(path: DataPath) -> None:
    refused_peer(path, path.device)


@pytest.mark.parametrize("alpn", [None, "causeway-tunnel/2", "http/1.1"])
def test_a_peer_of_another_version_is_refused(path: DataPath, peer_pair: Pair, alpn: str | None) -> None:
    refused_peer(path, peer_pair, alpn=alpn)


def hello_bytes() -> bytes:
    hello = ConnectionPointHello(connection_point="peer", software="test/1", max_streams=1)
    return encode(FrameType.HELLO, 0, encode_message(hello))


HEAD = b"\x01HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
BREACHES = {
    "settings_before_hello": encode(FrameType.SETTINGS, 0, b"x"),
    "drain_before_hello": encode(FrameType.DRAIN, 0),
    "data_before_hello": encode(FrameType.DATA, 1, b"x"),
    "unknown_type": encode(99, 0),
    "unknown_type_after_hello": hello_bytes() + encode(0, 1),
    "oversized": hello_bytes() + encode(FrameType.DATA, 1, bytes(MAX_PAYLOAD_BYTES + 1)),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two_hellos": hello_bytes() * 2,
    "malformed_hello": encode(FrameType.HELLO, 0, b'{"connection_point": "peer"}'),
    "hello_no_json": encode(FrameType.HELLO, 0, b"\xff" * 1000),
    "a_gateways_status": hello_bytes() + encode(FrameType.STATUS, 0, b"{}"),
    "a_gateways_release": hello_bytes() + encode(FrameType.RELEASE, 0, bytes(8)),
    "a_gateways_request": hello_bytes() + encode(FrameType.REQUEST, 1, b"x"),
    "response_to_nothing": hello_bytes() + encode(FrameType.RESPONSE, 1, HEAD),
    "data_for_nothing": hello_bytes() + encode(FrameType.DATA, 7, b"x"),
    "credit_for_nothing": hello_bytes() + encode(FrameType.CREDIT, 4_000_000_000, bytes(4)),
    "reset_of_nothing": hello_bytes() + encode(FrameType.RESET, 1, b"x"),
    "settings_without_end": hello_bytes()
    + encode(FrameType.SETTINGS, 0, bytes(MAX_PAYLOAD_BYTES)) * (MAX_DOCUMENT_BYTES // MAX_PAYLOAD_BYTES + 1),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_peer_that_breaks_the_protocol_is_cut_off_and_others_are_not(
    path: DataPath, peer_pair: Pair, breach: str
) -> None:
    before = path.gateway.metric(REFUSALS, word="TunnelProtocol")
    logged = len(path.gateway.events("tunnel lost", word="TunnelProtocol"))
    lost = path.gateway.metric("causeway_gateway_tunnels", connection_point="cp1")
    with path.connect() as client:
        assert client.ask("GET", "/app/x").status == 200
        with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
            with contextlib.suppress(ConnectionError, ssl.SSLError):  # cut off before it has said everything
                peer.send_bytes(BREACHES[breach])
            peer.wait_for_end()
        path.gateway.wait_for("tunnel lost", word="TunnelProtocol", count=logged + 1)
        assert client.ask("GET", "/app/x").status == 200
    assert len(path.gateway.events("tunnel lost", word="TunnelProtocol")) == logged + 1
    assert path.gateway.metric(REFUSALS, word="TunnelProtocol") == before + 1
    assert path.gateway.metric("causeway_gateway_tunnels", connection_point="cp1") == lost
    assert path.gateway.events("internal error") == []


ANSWERS = {
    "two_heads": encode(FrameType.RESPONSE, 1, HEAD) * 2,
    "body_before_head": encode(FrameType.DATA, 1, b"x"),
    "end_before_head": encode(FrameType.DATA | END, 1),
    "trailers_before_head": encode(FrameType.TRAILERS | END, 1, b"X: y\r\n"),
    "trailers_that_are_another_answer": encode(FrameType.RESPONSE, 1, b"\x02HTTP/1.1 200 OK\r\n")
    + encode(FrameType.TRAILERS | END, 1, b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
    "empty_head": encode(FrameType.RESPONSE, 1),
    "no_head": encode(FrameType.RESPONSE, 1, b"\x00" * 100),
    "unknown_framing": encode(FrameType.RESPONSE, 1, b"\x04HTTP/1.1 200 OK\r\n"),
    "status_no_number": encode(FrameType.RESPONSE, 1, b"\x00HTTP/1.1 abc OK\r\n\r\n"),
    "malformed_credit": encode(FrameType.CREDIT, 1, b"abc"),
    "credit_beyond_reason": encode(FrameType.CREDIT, 1, b"\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_peer_that_answers_out_of_order_is_cut_off(lonely: DataPath, peer_pair: Pair, name: str) -> None:
    path = lonely
    logged = len(path.gateway.events("tunnel lost", word="TunnelProtocol"))
    answers: list[Answer | Exception] = []

    def ask() -> None:
        with path.connect() as client:
            try:
                answers.append(client.ask("POST", "/app/x", body=b"hello"))
            except (AssertionError, ConnectionError, ValueError) as error:
                answers.append(error)  # broken off, since an answer had begun

    with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
        peer.hello()
        asker = threading.Thread(target=ask)
        asker.start()
        request = peer.receive(FrameType.REQUEST)
        assert request[2] == 1
        peer.send_bytes(ANSWERS[name])
        peer.wait_for_end()
    asker.join(30)
    (logged_now,) = path.gateway.wait_for("tunnel lost", word="TunnelProtocol", count=logged + 1)[logged:]
    assert logged_now["connection_point"] == "peer"
    assert path.gateway.events("internal error") == []
    if isinstance(answers[0], Answer):
        assert answers[0].reason == "CMGService_ConnectionPointLost"


def test_a_peer_that_sends_beyond_its_credit_is_cut_off(lonely: DataPath, peer_pair: Pair) -> None:
    path = lonely
    logged = len(path.gateway.events("tunnel lost", word="TunnelProtocol"))
    enough = 64 * 1024 * 1024
    with path.connect() as client, TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
        peer.hello()
        client.start("GET", "/app/x")  # and reads nothing of the answer, so that no more credit is granted
        _, _, number, _ = peer.receive(FrameType.REQUEST)
        peer.send(FrameType.RESPONSE, number, b"\x03HTTP/1.1 200 OK\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while sent < enough:
                peer.send(FrameType.DATA, number, bytes(INITIAL_CREDIT))
                sent += INITIAL_CREDIT
        assert sent < enough
    lines = path.gateway.wait_for("tunnel lost", word="TunnelProtocol", count=logged + 1)
    assert lines[-1]["reason"] == "data beyond the credit of its stream"


def test_a_peer_that_answers_well_serves(lonely: DataPath, peer_pair: Pair) -> None:
    path = lonely
    answers: list[Answer] = []

    def ask() -> None:
        with path.connect(path.device) as client:
            answers.append(client.ask("POST", "/app/x?y={z}", "X-Plain: 1", body=b"hello"))

    with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
        _, _, _, payload = peer.hello("by-hand")
        hello = json.loads(payload)
        assert (hello["instance"], hello["worker"], hello["workers"]) == ("gw1", 0, 1)
        assert hello["settings_version"] == path.settings.version
        asker = threading.Thread(target=ask)
        asker.start()
        _, end, number, payload = peer.receive(FrameType.REQUEST)
        prelude, head = payload.split(b"\r\n", 1)
        assert not end
        assert prelude.split(b" ")[1] == b"app"
        assert prelude.split(b" ")[2:] == [b"127.0.0.1", prelude.split(b" ")[3], b"-"]
        assert prelude.split(b" ")[3].startswith(b"certificate:")
        assert head == (b"POST /app/x?y={z} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nX-Plain: 1\r\n\r\n")
        assert peer.receive() == (FrameType.DATA, True, number, b"hello")
        peer.send(FrameType.RESPONSE, number, b"\x02HTTP/1.1 207 Multi-Status\r\nX-Mine: 1\r\n")
        peer.send(FrameType.DATA, number, b"by ")
        peer.send(FrameType.DATA, number, b"hand")
        peer.send(FrameType.TRAILERS, number, b"X-Sum: 7\r\n", end=True)
        asker.join(30)
        answer = answers[0]
        assert (answer.status, answer.reason, answer.body) == (207, "Multi-Status", b"by hand")
        assert answer.trailers == [("X-Sum", "7")]
        peer.send(FrameType.DRAIN)
        peer.receive(FrameType.DRAIN)
        lost = path.gateway.metric("causeway_gateway_tunnels_lost_total")
    path.gateway.wait_for("tunnel closed", connection_point="by-hand")
    assert path.gateway.metric("causeway_gateway_tunnels_lost_total") == lost


@pytest.mark.parametrize(
    ("word", "status"), [("CMGConnector_Busy", 503), ("CMGConnector_BadRequest", 502), ("nonsense", 502)]
)
def test_a_peer_that_gives_a_request_up_says_why(lonely: DataPath, peer_pair: Pair, word: str, status: int) -> None:
    path = lonely
    answers: list[Answer] = []

    def ask() -> None:
        with path.connect() as client:
            answers.append(client.ask("GET", "/app/x"))
            answers.append(client.ask("GET", "/unpublished"))

    with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
        peer.hello()
        asker = threading.Thread(target=ask)
        asker.start()
        _, _, number, _ = peer.receive(FrameType.REQUEST)
        peer.send(FrameType.RESET, number, word.encode())
        asker.join(30)
    assert answers[0].status == status
    assert answers[0].reason == ("CMGService_ConnectionPointLost" if word == "nonsense" else word)
    assert answers[1].status == 404


def test_a_peer_takes_no_more_requests_than_it_said(lonely: DataPath, peer_pair: Pair) -> None:
    path = lonely
    with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer, path.connect() as first:
        peer.hello(max_streams=1)
        first.start("GET", "/app/x")
        _, _, number, _ = peer.receive(FrameType.REQUEST)
        with path.connect() as second:
            assert second.ask("GET", "/app/x").reason == "CMGConnector_Busy"
        peer.send(FrameType.RESPONSE, number, b"\x00HTTP/1.1 204 No Content\r\n", end=True)
        assert first.answer().status == 204


def test_a_request_that_may_be_repeated_goes_down_another_tunnel(path: DataPath, peer_pair: Pair) -> None:
    with path.connect() as client:
        client.ask("GET", "/app/x")
        with TunnelPeer(path.tunnel_port, path.certificates.root, peer_pair) as peer:
            peer.hello("short-lived")
            wait_until(lambda: path.gateway.metric("causeway_gateway_tunnels", connection_point="short-lived") == 1)
            clients = [path.connect() for _ in range(12)]
            for number, each in enumerate(clients):
                each.start("GET", f"/app/repeated-{number}")
            peer.receive(FrameType.REQUEST)
        for each in clients:
            assert each.answer().status == 200
            each.close()
