"""Connections to site systems: which are used again, what may be sent twice, and what is read of their answers."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from causeway.connection_point.upstream import UpstreamConnection
from causeway.connection_point.upstream_pool import Origin, UpstreamPool
from causeway.http import Framing, ResponseHead
from causeway.refusals import Refused
from fuzz.data_path import DataPath
from tests.unit.tunnel.manual import FakeTransport

if TYPE_CHECKING:
    from causeway.connection_point.exchange import Exchange

GET = b"GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Keeper:
    def __init__(self) -> None:
        self.open = 0

    def opened(self, connection: UpstreamConnection) -> None:
        self.open += 1

    def forget(self, connection: UpstreamConnection) -> None:
        self.open -= 1


class Owner:
    """Notes what it is told."""

    def __init__(self, method: bytes = b"GET", upgrade: bytes = b"") -> None:
        self.method, self.upgrade = method, upgrade
        self.told: list[tuple[Any, ...]] = []
        self.heads = b""

    def head_received(self, head: ResponseHead) -> None:
        self.heads += head.head
        self.told.append(("head", head.status, head.framing))

    def answer_received(self, head: ResponseHead, body: bytes) -> None:
        self.head_received(head)
        self.body_received(body, end=True)

    def body_received(self, data: bytes, *, end: bool) -> None:
        self.told.append(("body", data, end))

    def answer_complete(self, trailers: bytes | None) -> None:
        self.told.append(("complete", trailers))

    def upstream_lost(self, word: str, details: str, *, untouched: bool) -> None:
        self.told.append(("lost", word, untouched))

    def upstream_paused(self) -> None:
        self.told.append(("paused",))

    def upstream_resumed(self) -> None:
        self.told.append(("resumed",))


def connected(owner: Owner | None = None) -> tuple[UpstreamConnection, FakeTransport]:
    connection = UpstreamConnection(Keeper())
    transport = FakeTransport(connection)
    connection.connection_made(transport)
    if owner is not None:
        connection.begin(cast("Exchange", owner), b"HEAD")
    return connection, transport


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(
    ("answer", "told", "kept"),
    [
        (OK, [("head", 200, Framing.LENGTH), ("body", b"ok", True), ("complete", None)], True),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
            [("head", 100, Framing.NONE), ("head", 200, Framing.LENGTH), ("body", b"ok", True), ("complete", None)],
            True,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
            [("head", 200, Framing.CHUNKED), ("body", b"ok", False), ("complete", b"X: y\r\n")],
            True,
        ),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", [("head", 304, Framing.NONE), ("complete", None)], True),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            [("head", 200, Framing.NONE), ("complete", None)],
            False,
        ),
    ],
    ids=["length", "interim", "chunks", "no_body", "close"],
)
def test_an_answer_is_framed_however_it_comes(answer: bytes, told: list[Any], kept: bool, step: int) -> None:
    owner = Owner()
    connection, _ = connected(owner)
    for start in range(0, len(answer), step):
        connection.data_received(answer[start : start + step])
    pieces = [each for each in owner.told if each[0] == "body"]
    others = [each for each in owner.told if each[0] != "body"]
    assert others == [each for each in told if each[0] != "body"]
    assert b"".join(piece[1] for piece in pieces) == b"".join(each[1] for each in told if each[0] == "body")
    assert (connection.alive, connection.owner, connection.served) == (kept, None, 1)


WHOLE = [("head", 200, Framing.LENGTH), ("body", b"ok", True), ("complete", None)]


@pytest.mark.parametrize("step", [1, 7, len(OK) - 1, 1000])
def test_the_same_head_again_is_read_as_before(step: int) -> None:
    connection, transport = connected()
    for number in range(4):
        body = b"%02d" % number
        owner = Owner()
        connection.begin(cast("Exchange", owner), b"HEAD")
        answer = OK[:-2] + body
        for start in range(0, len(answer), step):
            connection.data_received(answer[start : start + step])
        assert b"".join(each[1] for each in owner.told if each[0] == "body") == body
        assert owner.told[-1] == ("complete", None)
    assert not transport.aborted


def test_the_same_head_has_no_body_where_none_was_asked_for() -> None:
    connection, transport = connected()
    for method, told in (
        (b"GET", WHOLE),
        (b"HEAD", [("head", 200, Framing.NONE), ("complete", None)]),
        (b"GET", WHOLE),
    ):
        owner = Owner(method)
        connection.begin(cast("Exchange", owner), b"HEAD")
        connection.data_received(OK if method == b"GET" else OK[:-2])
        assert owner.told == told
    assert not transport.aborted


def test_the_same_head_with_a_body_that_was_not_asked_for_ends_the_connection() -> None:
    connection, transport = connected()
    connection.begin(cast("Exchange", Owner()), b"HEAD")
    connection.data_received(OK)
    owner = Owner(b"HEAD")
    connection.begin(cast("Exchange", owner), b"HEAD")
    connection.data_received(OK)
    assert owner.told == [("head", 200, Framing.NONE), ("complete", None)]
    assert transport.aborted


def test_the_same_head_within_another_is_a_part_of_it() -> None:
    connection, _ = connected()
    connection.begin(cast("Exchange", Owner()), b"HEAD")
    connection.data_received(OK)
    owner = Owner()
    connection.begin(cast("Exchange", owner), b"HEAD")
    connection.data_received(b"HTTP/1.1 203 Other\r\nX: ")
    connection.data_received(OK)
    assert owner.heads == b"HTTP/1.1 203 Other\r\nX: HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


def test_the_same_head_with_more_behind_its_answer_ends_the_connection() -> None:
    connection, transport = connected()
    for answer in (OK, OK + b"HTTP/1.1 200 smuggled\r\n\r\n"):
        owner = Owner()
        connection.begin(cast("Exchange", owner), b"HEAD")
        connection.data_received(answer)
        assert owner.told == WHOLE
    assert transport.aborted


def test_a_head_that_could_hold_a_secret_is_not_kept() -> None:
    connection, _ = connected()
    for _ in range(2):
        connection.begin(cast("Exchange", Owner()), b"HEAD")
        connection.data_received(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))
    assert (connection._last, connection._last_bytes) == (None, b"")


def test_an_answer_with_more_behind_it_ends_the_connection() -> None:
    owner = Owner()
    connection, transport = connected(owner)
    connection.data_received(OK + b"HTTP/1.1 200 smuggled\r\n\r\n")
    assert owner.told[-1] == ("complete", None)
    assert transport.aborted


def test_what_nobody_asked_for_ends_the_connection() -> None:
    connection, transport = connected()
    connection.data_received(OK)
    assert transport.aborted


def test_an_answer_that_ends_with_the_connection_is_complete_only_in_good_order() -> None:
    for error, last in (
        (None, ("complete", b"")),
        (ConnectionResetError(), ("lost", "CMGConnector_SiteSystemClosed", False)),
    ):
        owner = Owner()
        connection, _ = connected(owner)
        connection.data_received(b"HTTP/1.1 200 OK\r\n\r\ntill close")
        connection.connection_lost(error)
        assert owner.told[-1] == last


def test_it_is_known_whether_anything_of_an_answer_came() -> None:
    for data, untouched in ((b"", True), (b"H", False), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", False)):
        owner = Owner()
        connection, _ = connected(owner)
        if data:
            connection.data_received(data)
        connection.connection_lost(None)
        assert owner.told[-1] == ("lost", "CMGConnector_SiteSystemClosed", untouched)


def test_a_connection_paused_for_a_slow_reader_reads_again_for_the_next_one() -> None:
    owner = Owner()
    connection, transport = connected(owner)
    connection.pause_reading()
    paused = transport.reading
    connection.data_received(OK)
    assert (paused, transport.reading) == (False, True)


def test_a_slow_site_system_is_told_to_the_owner_alone() -> None:
    owner = Owner()
    connection, _ = connected(owner)
    connection.pause_writing()
    connection.resume_writing()
    assert owner.told == [("paused",), ("resumed",)]
    connection.owner = None
    connection.pause_writing()
    connection.resume_writing()


# The pool.


def pool(*, limit: int = 2, idle_timeout_s: float = 4.0) -> UpstreamPool:
    return UpstreamPool(
        Origin("127.0.0.1", 1, False), None, connect_timeout_s=1, idle_timeout_s=idle_timeout_s, limit=limit
    )


def pooled(owner: UpstreamPool) -> tuple[UpstreamConnection, FakeTransport]:
    connection = UpstreamConnection(owner)
    transport = FakeTransport(connection)
    connection.connection_made(transport)
    return connection, transport


def test_the_last_one_used_is_the_first_one_taken() -> None:
    kept = pool()
    first, second = pooled(kept)[0], pooled(kept)[0]
    kept.keep(first, 10.0)
    kept.keep(second, 11.0)
    assert kept.take(12.0) is second
    assert kept.take(12.0) is first
    assert kept.take(12.0) is None


def test_one_that_was_idle_for_too_long_is_closed_instead() -> None:
    kept = pool()
    connection, transport = pooled(kept)
    kept.keep(connection, 10.0)
    assert kept.take(14.5) is None
    assert transport.aborted
    other, transport = pooled(kept)
    kept.keep(other, 20.0)
    kept.sweep(23.9)
    still = transport.aborted
    kept.sweep(24.0)
    assert (still, transport.aborted) == (False, True)


def test_one_that_is_gone_is_neither_kept_nor_taken() -> None:
    kept = pool()
    connection, transport = pooled(kept)
    kept.keep(connection, 10.0)
    connection.connection_lost(None)
    assert kept.take(10.1) is None
    closed, transport = pooled(kept)
    transport.close()
    kept.keep(closed, 11.0)
    assert kept.take(11.1) is None


def test_connections_are_counted_as_they_come_and_go() -> None:
    kept = pool()
    first, second = pooled(kept)[0], pooled(kept)[0]
    assert kept.open == 2
    first.connection_lost(None)
    second.connection_lost(ConnectionResetError())
    assert kept.open == 0


async def test_more_connections_than_allowed_are_refused() -> None:
    kept = pool(limit=1)
    pooled(kept)
    with pytest.raises(Refused) as caught:
        await kept.connect()
    assert caught.value.refused_word == "CMGConnector_Busy"


class Dials:
    """``create_connection`` as a test wants it to go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, established: bool) -> None:
        self.started = asyncio.Event()
        self.established = established
        self.connection: UpstreamConnection | None = None
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", self._create)

    async def _create(self, factory: Any, *_: object, **__: object) -> Any:
        if self.established:
            self.connection = factory()
            self.connection.connection_made(FakeTransport(self.connection))
        self.started.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("established", [False, True])
async def test_a_connection_given_up_on_the_way_is_counted_out_once(
    monkeypatch: pytest.MonkeyPatch, established: bool
) -> None:
    kept = pool(limit=1)
    dials = Dials(monkeypatch, established=established)
    task = asyncio.create_task(kept.connect())
    await dials.started.wait()
    with pytest.raises(Refused):
        await kept.connect()  # the one on its way counts
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if dials.connection is not None:
        dials.connection.connection_lost(None)  # as the loop closes what it had made
    assert kept.open + kept._connecting == 0


# What may be sent twice.


@pytest.mark.parametrize(
    ("request_bytes", "repeated"),
    [
        (GET, True),
        (GET.replace(b"GET", b"PROPFIND"), True),
        (POST, False),
        (POST.replace(b"POST", b"CCM_POST"), False),
        (GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\nab"), False),
    ],
)
async def test_only_a_request_that_cannot_have_done_anything_is_sent_again(
    path: DataPath, request_bytes: bytes, repeated: bool
) -> None:
    device = path.connect()
    device.send(GET)
    await path.settle()
    (system,) = path.site_systems
    system.answer(OK)
    await path.settle()
    device.send(request_bytes)
    await path.settle()
    system.leave()
    await path.settle()
    if repeated:
        again = path.site_systems[-1]
        assert again is not system
        assert again.received.startswith(request_bytes.split(b" ")[0])
        again.leave()
        await path.settle()
    assert (len(path.site_systems) == 2) is repeated
    assert device.received.count(b"HTTP/1.1 502 CMGConnector_SiteSystemClosed") == 1
    assert path.point.metrics.retries == int(repeated)


async def test_a_new_connection_that_breaks_is_not_tried_again(path: DataPath) -> None:
    device = path.connect()
    device.send(GET)
    await path.settle()
    path.site_systems[0].leave()
    await path.settle()
    assert len(path.site_systems) == 1
    assert b"502 CMGConnector_SiteSystemClosed" in device.received


async def test_a_site_system_that_does_not_begin_to_answer_is_given_up(path: DataPath) -> None:
    device = path.connect()
    device.send(GET)
    await path.settle()
    route = path.point.site_systems.routes[b"files"]
    (exchange,) = path.lower.streams.values()
    path.lower.sweep(exchange.deadline - 1)
    await path.settle()
    assert device.received == b""
    path.lower.sweep(exchange.deadline + 1)
    await path.settle()
    assert b"504 CMGConnector_SiteSystemTimeout" in device.received
    assert path.site_systems[0].closed
    assert route.response_timeout_s == 120.0
