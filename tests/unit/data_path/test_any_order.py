"""Devices, gateway, tunnel, connection point and site systems, in any order of events: each gets what is its own.

A model says what every device asked; whatever happens between, it reads the answers to just that, in that order, whole,
or is told with a word why not, or loses its connection.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from causeway.refusals import REFUSALS
from fuzz.data_path import DataPath, Device, Ground, SiteSystem
from fuzz.wire import ReadResponse, requests_in, responses_in

_SIZES = st.sampled_from([0, 1, 1000, 70_000, 200_000])
_RARELY = st.sampled_from([False, False, False, True])
_AT_ONCE = _RARELY  # the next thing happens before this one has had its effect


def _body(name: int, size: int) -> bytes:
    """Bytes that no other request or answer has."""
    piece = b"<%d>" % name
    return (piece * (size // len(piece) + 1))[:size]


@dataclass(slots=True)
class _Asked:
    """One request of the model; ``number`` is in its target and in the answer to it."""

    number: int
    method: bytes
    body: bytes
    answer: bytes | None = None  # the body of the answer, once one was begun


@dataclass(slots=True)
class _Client:
    device: Device
    asked: list[_Asked] = field(default_factory=list)
    rest: bytes = b""  # of a request that was begun
    gone: bool = False

    @property
    def may_ask(self) -> bool:
        return not self.gone and not self.rest and not self.device.closed


@dataclass(slots=True)
class _Answering:
    """An answer that a site system has begun."""

    system: SiteSystem
    rest: bytes


class AnyOrder(RuleBasedStateMachine):
    """What may happen."""

    ground: Ground
    clients = Bundle("clients")
    answers = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._path = self._loop.run_until_complete(self._open())
        self._asked: dict[int, _Asked] = {}
        self._all: list[_Client] = []
        self._busy: set[int] = set()  # site systems with an answer under way, by identity

    async def _open(self) -> DataPath:
        path = DataPath(self.ground)
        await path.open()
        return path

    async def _connect(self) -> Device:
        return self._path.connect()

    def teardown(self) -> None:
        self._loop.run_until_complete(self._path.close())  # which looks whether anything is left
        self._loop.close()

    # Devices.

    @rule(target=clients)
    def a_device_comes(self) -> _Client:
        client = _Client(self._loop.run_until_complete(self._connect()))
        self._all.append(client)
        return client

    @rule(
        client=clients,
        method=st.sampled_from([b"GET", b"POST", b"CCM_POST"]),
        size=_SIZES,
        chunked=st.booleans(),
        at_once=_AT_ONCE,
    )
    def it_asks(self, client: _Client, method: bytes, size: int, chunked: bool, at_once: bool) -> None:
        if client.may_ask:
            client.device.send(self._request(client, method, size, chunked))
            self._settle(at_once)

    @rule(client=clients, size=_SIZES, chunked=st.booleans(), cut=st.floats(0, 1), at_once=_AT_ONCE)
    def it_begins_to_ask(self, client: _Client, size: int, chunked: bool, cut: float, at_once: bool) -> None:
        if client.may_ask:
            raw = self._request(client, b"POST", size, chunked)
            position = int(cut * len(raw))
            client.device.send(raw[:position])
            client.rest = raw[position:]
            self._settle(at_once)

    @rule(client=clients, at_once=_AT_ONCE)
    def it_goes_on_asking(self, client: _Client, at_once: bool) -> None:
        client.device.send(client.rest)
        client.rest = b""
        self._settle(at_once)

    @rule(client=clients, reads=st.booleans())
    def it_stops_reading_or_reads_on(self, client: _Client, reads: bool) -> None:
        client.device.read(on=reads)

    @rule(client=consumes(clients))
    def it_leaves(self, client: _Client) -> None:
        client.device.leave()
        client.gone = True

    def _request(self, client: _Client, method: bytes, size: int, chunked: bool) -> bytes:
        number = len(self._asked)
        body = _body(number, size) if method != b"GET" else b""
        asked = self._asked[number] = _Asked(number, method, body)
        client.asked.append(asked)
        head = b"%b /files/%d HTTP/1.1\r\nHost: localhost\r\n" % (method, number)
        if chunked and body:
            return b"%bTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (head, size, body)
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)

    # Site systems.

    @precondition(lambda self: bool(self._waiting()))
    @rule(
        target=answers,
        which=st.integers(0, 9),
        size=_SIZES,
        chunked=st.booleans(),
        cut=st.sampled_from([0.0, 0.001, 0.5, 0.999]),
        at_once=_AT_ONCE,
    )
    def a_site_system_answers(self, which: int, size: int, chunked: bool, cut: float, at_once: bool) -> _Answering:
        waiting = self._waiting()
        system = waiting[which % len(waiting)]
        asked = self._asked[int(system.begun[0].split(b" ")[1].rpartition(b"/")[2])]
        answer = asked.answer = _body(asked.number, size)
        if chunked and answer:
            raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(answer), answer)
        else:
            raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
        position = int(cut * len(raw)) + 1
        system.answer(raw[:position])
        self._busy.add(id(system))
        self._settle(at_once)
        return _Answering(system, raw[position:])

    @rule(answering=consumes(answers), at_once=_AT_ONCE)
    def it_goes_on_answering(self, answering: _Answering, at_once: bool) -> None:
        answering.system.answer(answering.rest)
        self._busy.discard(id(answering.system))
        answering.system.received = b""
        answering.system.begun.clear()
        self._settle(at_once)

    @rule(answering=consumes(answers), in_order=st.booleans())
    def it_breaks_off(self, answering: _Answering, in_order: bool) -> None:
        answering.system.end() if in_order else answering.system.leave()

    @rule(unreachable=_RARELY)
    def site_systems_take_no_new_connections_or_do_again(self, unreachable: bool) -> None:
        self._path.unreachable = unreachable

    def _waiting(self) -> list[SiteSystem]:
        return [system for system in self._path.site_systems if self._waits(system)]

    def _waits(self, system: SiteSystem) -> bool:
        """Whether a request came whole to a site system that has not begun to answer it."""
        if system.closed or id(system) in self._busy:
            return False
        found, _ = requests_in(system.received)
        return bool(found) and found[0].complete

    # The tunnel.

    @rule(stalls=st.booleans())
    def the_tunnel_stalls_or_flows(self, stalls: bool) -> None:
        self._path.stall_tunnel(on=stalls)

    @rule(really=_RARELY)
    def the_tunnel_breaks_and_another_comes(self, really: bool) -> None:
        if really:
            self._path.stall_tunnel(on=False)
            self._path.lose_tunnel()
            self._loop.run_until_complete(self._path.open())

    @rule()
    def everything_happens_that_can(self) -> None:
        self._settle(at_once=False)

    def _settle(self, at_once: bool) -> None:
        if not at_once:
            self._loop.run_until_complete(self._path.settle())

    # What always holds.

    @invariant()
    def nothing_escaped(self) -> None:
        assert not self._path.failures

    @invariant()
    def a_site_system_reads_what_a_device_asked(self) -> None:
        for system in self._path.site_systems:
            for request in requests_in(system.received)[0]:
                asked = self._asked[int(request.target.rpartition(b"/")[2])]
                assert request.method == asked.method
                assert asked.body == request.body if request.complete else asked.body.startswith(request.body)

    @invariant()
    def a_device_reads_the_answers_to_what_it_asked(self) -> None:
        for client in self._all:
            methods = [asked.method for asked in client.asked]
            read, _ = responses_in(client.device.received, methods, closed=client.device.closed)
            for asked, answer in zip(client.asked, read, strict=False):
                _assert_own(asked, answer)


def _assert_own(asked: _Asked, answer: ReadResponse) -> None:
    if answer.status == 200:
        assert asked.answer is not None, "an answer to what no site system answered"
        assert answer.body == asked.answer if answer.complete else asked.answer.startswith(answer.body)
    else:
        assert REFUSALS[answer.reason.decode()].status == answer.status


@pytest.mark.timeout(120)
def test_in_any_order_of_events_each_device_reads_its_own_answers() -> None:
    AnyOrder.ground = Ground()
    case = AnyOrder.TestCase
    case.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
    case().runTest()
