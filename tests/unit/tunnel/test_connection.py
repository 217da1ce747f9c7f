"""The tunnel's adapter: pings, pauses, and what a stuck or broken peer costs."""

import asyncio

import pytest

from causeway.tunnel.connection import Tunnel
from causeway.tunnel.credit import INITIAL_CREDIT
from causeway.tunnel.errors import TunnelError, TunnelLost
from causeway.tunnel.frames import FrameType, encode
from causeway.tunnel.stream import Stream
from fuzz.frames import FrameDecoder
from tests.unit.tunnel.manual import FakeTransport, ManualLoop, feed, frames_of


class Plain(Tunnel):
    """A tunnel that notes what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[TunnelError | None] = []

    def control(self, kind: int, end: bool, payload: bytes) -> None:
        if kind == FrameType.HELLO:
            raise TunnelError("a second HELLO")

    def stream_frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        pass

    def data_for_unknown(self, number: int) -> None:
        pass

    def ended(self, error: TunnelError | None) -> None:
        self.ends.append(error)


class Upload(Stream):
    """A stream with a source."""

    def __init__(self, tunnel: Tunnel, number: int) -> None:
        super().__init__(tunnel, number)
        tunnel.streams[number] = self
        self.source_paused = False

    def pause_source(self) -> None:
        self.source_paused = True

    def resume_source(self) -> None:
        self.source_paused = False


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> ManualLoop:
    manual = ManualLoop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: manual)
    return manual


@pytest.fixture
def tunnel(loop: ManualLoop) -> Plain:
    tunnel = Plain()
    tunnel.connection_made(FakeTransport(tunnel))
    return tunnel


def transport_of(tunnel: Plain) -> FakeTransport:
    assert isinstance(tunnel.transport, FakeTransport)
    return tunnel.transport


def receive(tunnel: Plain, data: bytes) -> None:
    room = tunnel.get_buffer(-1)
    room[: len(data)] = data
    tunnel.buffer_updated(len(data))


def test_frames_of_one_turn_are_one_write(loop: ManualLoop, tunnel: Plain) -> None:
    tunnel.send(FrameType.DATA, 1, b"a")
    tunnel.send(FrameType.DATA, 2, b"b")
    assert transport_of(tunnel).written == b""
    loop.turn()
    assert transport_of(tunnel).written == encode(FrameType.DATA, 1, b"a") + encode(FrameType.DATA, 2, b"b")


def test_a_ping_is_answered(loop: ManualLoop, tunnel: Plain) -> None:
    receive(tunnel, encode(FrameType.PING, 0))
    loop.turn()
    assert transport_of(tunnel).written == encode(FrameType.PONG, 0)


def test_a_silent_peer_is_pinged_and_given_up_within_thirty_seconds(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    loop.advance(10.0)
    assert transport.take() == encode(FrameType.PING, 0)
    loop.advance(9.0)
    too_early = transport.aborted
    loop.advance(11.0)
    assert (too_early, transport.aborted) == (False, True)
    tunnel.connection_lost(None)
    assert isinstance(tunnel.ends[0], TunnelLost)


def test_a_peer_that_answers_pings_stays(loop: ManualLoop, tunnel: Plain) -> None:
    for _ in range(40):
        loop.advance(5.0)
        if transport_of(tunnel).take():
            receive(tunnel, encode(FrameType.PONG, 0))
    assert not transport_of(tunnel).aborted


def test_a_busy_peer_is_not_pinged(loop: ManualLoop, tunnel: Plain) -> None:
    for _ in range(30):
        loop.advance(1.0)
        receive(tunnel, encode(FrameType.PONG, 0))
    assert transport_of(tunnel).written == b""


def test_a_peer_that_pings_and_never_reads_costs_bounded_memory(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    transport.stuck = True
    pings = encode(FrameType.PING, 0) * 20_000
    for _ in range(50):
        receive(tunnel, pings)
        loop.turn()
    assert transport.buffered < 2 * 1024 * 1024


def test_a_peer_that_grants_credit_and_never_reads_costs_bounded_memory(loop: ManualLoop, tunnel: Plain) -> None:
    upload = Upload(tunnel, 1)
    tunnel.pause_writing()
    upload.send_data(b"x")
    for _ in range(1000):
        receive(tunnel, encode(FrameType.CREDIT, 1, bytes(4)))
    assert len(tunnel._waiting) == 1
    before = upload.source_paused
    tunnel.resume_writing()
    assert (before, upload.source_paused) == (True, False)
    assert tunnel.held_streams == 0


def test_streams_that_wait_for_the_socket_go_on_only_as_far_as_it_takes(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    uploads = [Upload(tunnel, number) for number in range(1, 101)]
    tunnel.pause_writing()
    for upload in uploads:
        upload.send_data(bytes(INITIAL_CREDIT))
    assert tunnel.held_streams == 100
    transport.stuck = True
    tunnel.resume_writing()
    loop.turn()
    assert transport.buffered < 1024 * 1024 + 2 * INITIAL_CREDIT
    assert 80 <= tunnel.held_streams < 90
    while tunnel.held_streams:
        transport.unstick()
        loop.turn()
        transport.stuck = True
    assert not any(upload.source_paused for upload in uploads)
    numbers = [number for kind, _, number, payload in frames_of(transport.written) if payload]
    assert sorted(set(numbers)) == list(range(1, 101))


def test_a_stream_that_ended_while_it_waited_is_not_released(loop: ManualLoop, tunnel: Plain) -> None:
    upload = Upload(tunnel, 1)
    tunnel.pause_writing()
    upload.send_data(b"x")
    del tunnel.streams[1]
    upload.drop_held()
    tunnel.resume_writing()
    loop.turn()
    assert transport_of(tunnel).written == b""


def test_a_broken_rule_cuts_the_tunnel_off_once(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    receive(tunnel, encode(FrameType.HELLO, 0) + encode(FrameType.HELLO, 0))
    assert transport.aborted
    tunnel.fail(TunnelError("another"))
    tunnel.connection_lost(ConnectionResetError())
    assert [str(error) for error in tunnel.ends] == ["a second HELLO"]


def test_a_connection_that_ends_with_requests_under_way_was_lost(loop: ManualLoop, tunnel: Plain) -> None:
    Upload(tunnel, 1)
    tunnel.connection_lost(None)
    assert isinstance(tunnel.ends[0], TunnelLost)


def test_a_connection_that_ends_idle_was_closed(loop: ManualLoop, tunnel: Plain) -> None:
    tunnel.close()
    tunnel.connection_lost(None)
    assert tunnel.ends == [None]


def test_what_was_sent_is_written_before_a_tunnel_is_closed(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    tunnel.send(FrameType.DRAIN, 0, b"")
    tunnel.close()
    assert transport.written == encode(FrameType.DRAIN, 0)
    assert transport.closed


def test_nothing_is_written_after_the_end(loop: ManualLoop, tunnel: Plain) -> None:
    transport = transport_of(tunnel)
    tunnel.connection_lost(None)
    tunnel.send(FrameType.PING, 0, b"")
    loop.advance(60.0)
    assert transport.written == b""


def test_large_output_is_written_in_pieces(loop: ManualLoop, tunnel: Plain) -> None:
    payload = bytes(range(256)) * 256
    for number in range(1, 9):
        tunnel.send(FrameType.DATA, number, payload)
    loop.turn()
    received: list[bytes] = []
    feed(FrameDecoder(lambda kind, end, number, data: received.append(data)), transport_of(tunnel).written)
    assert b"".join(received) == payload * 8
