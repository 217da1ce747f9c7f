"""A worker over time: settings that come and go, certificates that cannot be read, sessions that pile up."""

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from causeway.gateway.tunnel import GatewayTunnel
from causeway.pki.roles import Role
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.handshake import ALPN
from fuzz.data_path import DataPath
from fuzz.data_path.transport import MemoryTransport, TlsFacts
from tests.unit.certificates import root, twin_of
from tests.unit.gateway.changes import publish

BLOCKED = b"HTTP/1.1 403 CMGService_ClientCertificateBlocked"


@pytest.fixture
def unreadable_certificate(path: DataPath) -> Iterator[Path]:
    certificate = path.worker.config.service.certificate
    content = certificate.read_bytes()
    yield certificate
    certificate.write_bytes(content)


@pytest.mark.usefixtures("own_settings")
async def test_a_certificate_being_renewed_does_not_keep_settings_out_of_force(
    path: DataPath, unreadable_certificate: Path
) -> None:
    content = unreadable_certificate.read_bytes()
    context = path.worker.contexts.service
    unreadable_certificate.write_bytes(content[:100])
    settings = publish(path, trusted_roots=(root().pem,))
    assert path.worker.settings_version == settings.version
    assert path.worker.contexts.service is context
    assert path.worker.contexts.version < settings.version  # handshakes still use the former roots, and are known by it
    unreadable_certificate.write_bytes(content)
    path.worker.listener._accepting = True  # nobody is to listen
    path.worker._sweep()
    assert path.worker.contexts.service is not context
    assert path.worker.contexts.version == settings.version
    assert path.worker._sweeper is not None
    path.worker._sweeper.cancel()


@pytest.mark.usefixtures("own_settings")
async def test_a_root_removed_during_a_handshake_is_noticed(path: DataPath) -> None:
    guests = root("Guests")
    guest = guests.issue("GUEST1").der
    first = publish(path, trusted_roots=(guests.pem,))
    assert path.worker.contexts.version == first.version
    request = b"GET /device/x HTTP/1.1\r\nHost: a\r\n\r\n"
    trusted = path.connect(guest)
    trusted.send(request)
    await path.settle()
    path.site_systems[0].answer(b"HTTP/1.1 204 No Content\r\n\r\n")
    await path.settle()
    publish(path, trusted_roots=(root().pem,))
    path.worker.contexts.version = first.version  # as for a handshake that began before
    late = path.connect(guest)
    path.worker.contexts.version = first.version + 1
    for device in (late, trusted):
        device.received = b""
        device.send(request)
        await path.settle()
        assert b"403 CMGService_ClientCertificateUntrusted" in device.received
        assert device.closed
    publish(path, service_name="another")


@pytest.mark.usefixtures("own_settings")
async def test_a_certificate_and_its_twin_are_blocked_together(path: DataPath) -> None:
    guests = root("Guests")
    guest = guests.issue("GUEST1")
    twin = twin_of(guest, guests)
    devices = [path.connect(guest.der), path.connect(twin), path.connect(guests.issue("GUEST2").der)]
    for blocked in (guest.der, twin):
        publish(path, trusted_roots=(guests.pem,), blocked_certificates=(hashlib.sha256(blocked).hexdigest(),))
        for device in devices:
            device.received = b""
            device.send(b"GET /device/x HTTP/1.1\r\nHost: a\r\n\r\n")
            await path.settle()
            for system in path.site_systems:
                if system.received and not system.closed:
                    system.answer(b"HTTP/1.1 204 No Content\r\n\r\n")
                    system.received = b""
            await path.settle()
        reasons = [device.received.partition(b"\r\n")[0] for device in devices]
        assert reasons == [BLOCKED, BLOCKED, b"HTTP/1.1 204 No Content"]
    publish(path, trusted_roots=(), blocked_certificates=())


async def test_a_peer_that_never_says_hello_is_cut_off(path: DataPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("causeway.gateway.tunnel.HELLO_TIMEOUT_S", 0.001)
    tunnel = GatewayTunnel(path.worker)
    ended = asyncio.Event()
    reasons: list[str] = []

    def note(error: TunnelError | None) -> None:
        reasons.append(str(error))
        ended.set()

    monkeypatch.setattr(tunnel, "ended", note)
    tunnel.connection_made(MemoryTransport(tunnel, TlsFacts(role=Role.CONNECTION_POINT, alpn=ALPN)))
    await asyncio.wait_for(ended.wait(), 10)
    assert reasons == ["no HELLO within the time allowed"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (TlsFacts(role=Role.DEVICE, alpn=ALPN), "the certificate is not a connection point's"),
        (TlsFacts(role=Role.CONNECTION_POINT), "the other side does not speak causeway-tunnel/1"),
    ],
    ids=["role", "protocol"],
)
async def test_a_peer_that_may_not_open_a_tunnel_is_refused_and_counted(
    path: DataPath, facts: TlsFacts, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tunnel = GatewayTunnel(path.worker)
    tunnel.connection_made(MemoryTransport(tunnel, facts))
    await path.settle()
    assert path.worker.metrics.tunnel_refusals == {"TunnelRefused": 1}
    assert path.worker.metrics.tunnels_lost == 0
    assert reason in capsys.readouterr().out


async def test_tls_sessions_do_not_pile_up(path: DataPath, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = path.worker
    before = worker.contexts.sessions

    def left_with(sessions: int) -> bool:
        monkeypatch.setattr(worker.contexts, "sessions", SimpleNamespace(session_stats=lambda: {"number": sessions}))
        worker.contexts.follow_ticket_keys(worker.now())
        return worker.contexts.sessions is not before

    assert not left_with(0)
    assert not left_with(1024)
    assert left_with(1025)
    assert worker.contexts.sessions.session_stats()["number"] == 0


async def test_a_connection_begins_as_its_handshake_wants_it(path: DataPath) -> None:
    contexts = path.worker.contexts
    assert contexts.service.verify_mode == ssl.CERT_OPTIONAL
    for context in (contexts.service, contexts.sessions):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.options & ssl.OP_NO_RENEGOTIATION
    contexts.follow_ticket_keys(path.worker.now())
    assert contexts.sessions.verify_mode == contexts.service.verify_mode
    assert contexts.sessions.num_tickets == contexts.service.num_tickets
