"""Credit: nothing beyond it, nothing lost, order kept, and nobody held for ever."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from causeway.tunnel.credit import INITIAL_CREDIT, MAX_CREDIT, ReceiveCredit
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import END, MAX_PAYLOAD_BYTES, FrameType
from causeway.tunnel.stream import Stream


class Carrier:
    """A tunnel of which only the queue of frames is left."""

    def __init__(self) -> None:
        self.paused = False
        self.sent: deque[tuple[int, bytes]] = deque()
        self.waiting: list[Stream] = []
        self.held = 0

    def send(self, kind: int, stream: int, payload: bytes) -> None:
        assert len(payload) <= MAX_PAYLOAD_BYTES
        self.sent.append((kind, payload))

    def wait(self, stream: Stream) -> None:
        self.waiting.append(stream)

    def held_changed(self, count: int) -> None:
        self.held += count


class End(Stream):
    """One end of a stream, with a source that can be paused."""

    def __init__(self) -> None:
        self.carrier = Carrier()
        super().__init__(self.carrier, 1)
        self.source_paused = False

    def pause_source(self) -> None:
        assert not self.source_paused
        self.source_paused = True

    def resume_source(self) -> None:
        self.source_paused = False


class OneDirection(RuleBasedStateMachine):
    """A sender and a receiver; frames travel when the machine says so."""

    def __init__(self) -> None:
        super().__init__()
        self.sender, self.receiver = End(), End()
        self.offered = 0
        self.received = bytearray()
        self.on_the_way_beyond_credit = 0
        self.ended = self.end_seen = False
        self.trailers = b""
        self.trailers_seen = b""

    def produce(self, size: int) -> bytes:
        start, self.offered = self.offered, self.offered + size
        return bytes(number % 251 for number in range(start, start + size))

    @precondition(lambda self: not self.ended and not self.sender.source_paused)
    @rule(size=st.integers(1, 300) | st.integers(1, 200_000), end=st.booleans())
    def the_source_gives(self, size: int, end: bool) -> None:
        self.ended = end
        self.sender.send_data(self.produce(size), end=end)

    @precondition(lambda self: not self.ended and self.sender.source_paused)
    @rule(size=st.integers(1, 70_000))
    def the_source_gives_what_it_had_read_when_it_was_paused(self, size: int) -> None:
        self.sender.send_data(self.produce(size))

    @precondition(lambda self: not self.ended)
    @rule(trailers=st.sampled_from((b"", b"X-Sum: 1\r\n")))
    def the_source_ends(self, trailers: bytes) -> None:
        self.ended, self.trailers = True, trailers
        self.sender.send_end(trailers)

    @precondition(lambda self: self.sender.carrier.sent)
    @rule(count=st.integers(1, 50))
    def frames_arrive(self, count: int) -> None:
        for _ in range(min(count, len(self.sender.carrier.sent))):
            kind, payload = self.sender.carrier.sent.popleft()
            assert not self.end_seen
            if kind & ~END == FrameType.DATA:
                self.receiver.count_received(len(payload))
                self.received += payload
            else:
                assert kind == FrameType.TRAILERS | END
                self.trailers_seen = payload
            self.end_seen = bool(kind & END)

    @rule()
    def everything_received_is_passed_on(self) -> None:
        self.receiver.grant_credit()

    @rule()
    def the_reader_stalls(self) -> None:
        self.receiver.stalled()

    @precondition(lambda self: self.receiver.carrier.sent)
    @rule()
    def credit_arrives(self) -> None:
        kind, payload = self.receiver.carrier.sent.popleft()
        assert kind == FrameType.CREDIT
        self.sender.add_credit(payload)

    @rule()
    def the_socket_is_full(self) -> None:
        self.sender.carrier.paused = True

    @rule()
    def the_socket_takes_more(self) -> None:
        carrier = self.sender.carrier
        carrier.paused = False
        waiting, carrier.waiting = carrier.waiting, []
        for stream in waiting:
            if stream.release():
                stream.resume_source()

    @invariant()
    def the_source_is_paused_while_bytes_are_held(self) -> None:
        assert self.sender.source_paused == self.sender.holding
        assert self.sender.carrier.held == int(self.sender.holding)

    @invariant()
    def what_is_on_its_way_is_within_the_credit(self) -> None:
        on_the_way = sum(len(payload) for kind, payload in self.sender.carrier.sent if kind & ~END == FrameType.DATA)
        assert on_the_way <= self.receiver.outstanding <= MAX_CREDIT
        assert self.sender.credit_out >= 0

    @invariant()
    def what_came_is_a_prefix_of_what_was_sent(self) -> None:
        assert len(self.received) <= self.offered
        assert self.received[-300:] == bytes(
            number % 251 for number in range(max(0, len(self.received) - 300), len(self.received))
        )

    def teardown(self) -> None:
        """Let everything flow: nothing may be left behind."""
        if not self.ended:
            self.the_source_ends(b"")
        self.the_socket_takes_more()
        while not self.end_seen:
            self.frames_arrive(1000)
            self.everything_received_is_passed_on()
            while self.receiver.carrier.sent:
                self.credit_arrives()
        assert not self.sender.carrier.sent
        assert self.received == bytes(number % 251 for number in range(self.offered))
        assert self.trailers_seen == self.trailers
        assert self.sender.carrier.held == 0
        assert not self.sender.source_paused


TestOneDirection = OneDirection.TestCase


@given(st.lists(st.integers(0, 70_000), max_size=60), st.data())
def test_the_receiver_never_grants_more_than_its_limit(sizes: list[int], data: st.DataObject) -> None:
    credit = ReceiveCredit()
    for size in sizes:
        assert credit.received(min(size, credit.outstanding))
        if data.draw(st.booleans()):
            credit.stalled()
        assert credit.grant() >= 0
        assert 0 < credit.outstanding <= MAX_CREDIT


def test_a_fast_reader_is_granted_more_and_more() -> None:
    credit = ReceiveCredit()
    grants = []
    while credit.outstanding < MAX_CREDIT:
        assert credit.received(credit.outstanding)
        grants.append(credit.grant())
    assert grants == [INITIAL_CREDIT << doubling for doubling in range(1, 6)]


def test_data_beyond_the_credit_ends_the_tunnel() -> None:
    end = End()
    end.count_received(INITIAL_CREDIT)
    with pytest.raises(TunnelError):
        end.count_received(1)


@pytest.mark.parametrize("payload", [b"", b"\0\0\1", b"\0\0\0\0\1", b"\xff\xff\xff\xff", b"\x80\0\0\0", bytes(1000)])
def test_a_malformed_grant_ends_the_tunnel(payload: bytes) -> None:
    with pytest.raises(TunnelError):
        End().add_credit(payload)


def test_grants_that_add_up_beyond_any_receivers_end_the_tunnel() -> None:
    end = End()
    end.add_credit((1 << 30).to_bytes(4, "big"))
    with pytest.raises(TunnelError):
        end.add_credit((1 << 30).to_bytes(4, "big"))


def test_a_stream_given_up_holds_nothing() -> None:
    end = End()
    end.send_data(bytes(INITIAL_CREDIT + 1))
    assert end.carrier.held == 1
    end.drop_held()
    end.drop_held()
    assert end.carrier.held == 0
