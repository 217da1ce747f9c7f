"""A connection point believes its gateway nothing that it can check, and gives up a tunnel that breaks the protocol."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from causeway.connection_point.tunnel import ConnectionPointTunnel
from causeway.gateway_settings import verify
from causeway.pki.roles import Role
from causeway.tunnel.credit import INITIAL_CREDIT
from causeway.tunnel.frames import END, FrameType, encode
from causeway.tunnel.handshake import ALPN, GatewayHello, encode_message
from fuzz.data_path import DataPath, SiteSystem
from fuzz.data_path.transport import MemoryTransport, TlsFacts
from tests.unit.memory import ground
from tests.unit.tunnel.manual import Frame, frames_of

HELLO = encode(
    FrameType.HELLO,
    0,
    encode_message(GatewayHello(instance="gw", worker=0, workers=1, software="test/1", settings_version=1)),
)
PRELUDE = b"00112233445566778899 files 203.0.113.7 - -\r\n"
GET = PRELUDE + b"GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = PRELUDE + b"POST /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = PRELUDE + b"POST /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Played:
    """A connection point's tunnel whose gateway the test plays."""

    def __init__(self, path: DataPath) -> None:
        self.path = path
        self.tunnel = ConnectionPointTunnel(path.point)
        self.transport = MemoryTransport(self.tunnel, TlsFacts(role=Role.GATEWAY, alpn=ALPN))
        self.tunnel.connection_made(self.transport)

    async def hear(self, *frames: bytes) -> list[Frame]:
        """Give it frames; returns what it says to them."""
        self.transport.feed(b"".join(frames))
        while self.transport.turn():
            pass
        await self.path.settle()
        return frames_of(self.transport.take())

    async def request(self, payload: bytes, *, end: bool = True, number: int = 1) -> list[Frame]:
        return await self.hear(encode(FrameType.REQUEST | END if end else FrameType.REQUEST, number, payload))

    @property
    def cut_off(self) -> bool:
        return self.transport.closed


@pytest_asyncio.fixture
async def played(path: DataPath) -> AsyncIterator[Played]:
    played = Played(path)
    said = await played.hear()
    assert [frame[0] for frame in said] == [FrameType.HELLO, FrameType.SETTINGS]
    await played.hear(HELLO)
    yield played
    played.transport.abort()
    await path.settle()


async def test_it_says_hello_and_brings_the_settings_at_once(path: DataPath) -> None:
    played = Played(path)
    hello, settings = await played.hear()
    assert b'"connection_point":"connection-point"' in hello[3]
    assert settings[1]
    assert settings[3] == path.point.signed_settings
    assert verify(settings[3], ground()._key.public_key()).version == 1
    played.transport.abort()
    await path.settle()


async def test_a_request_is_passed_on_with_who_asked(played: Played) -> None:
    identity = b"certificate:" + b"ab" * 32 + b":CN=PC1%2C%C3%BC"
    await played.request(GET.replace(b" - -", b" " + identity + b" -"))
    (system,) = played.path.site_systems
    assert system.received == (
        b"GET /internal/files/x HTTP/1.1\r\nHost: origin.example:8080\r\n"
        b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Client-Cert: Hash="
        + b"ab" * 32
        + ';Subject="CN=PC1,ü"\r\n'.encode()
        + b"X-Causeway-Client: certificate\r\n"
        b"X-Causeway-Certificate: "
        + b"ab" * 32
        + "\r\nX-Causeway-Subject: CN=PC1,ü\r\n".encode()
        + b"X-Forwarded-Host: a\r\n"
        b"X-Request-Id: 00112233445566778899\r\n\r\n"
    )
    system.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    frames = await played.hear()
    assert frames == [(FrameType.RESPONSE, True, 1, b"\x01\x00\x24HTTP/1.1 200 OK\r\nContent-Length: 2\r\nok")]


@pytest.mark.parametrize(
    ("payload", "end", "word"),
    [
        (GET.replace(b"files 2", b"unknown 2"), True, b"CMGConnector_NotPublished"),
        (GET.replace(b"/files/x", b"/root/x"), True, b"CMGConnector_NotPublished"),
        (GET.replace(b"/files/x", b"/filesx"), True, b"CMGConnector_NotPublished"),
        (GET.replace(b"GET", b"TRACE"), True, b"CMGConnector_NotPublished"),
        (POST.replace(b": 5", b": 500000"), False, b"CMGService_BodyTooLarge"),
        (GET.replace(b"Host", b"X-Forwarded-For: 1\r\nHost"), True, b"CMGConnector_BadRequest"),
        (GET.replace(b"Host", b"X_Forwarded_For: 1\r\nHost"), True, b"CMGConnector_BadRequest"),
        (GET.replace(b"Host: a", b"Host : a"), True, b"CMGConnector_BadRequest"),
        (GET.replace(b" - -", b" certificate:xyz -"), True, b"CMGConnector_BadRequest"),
        (GET, False, b"CMGConnector_BadRequest"),
        (POST, True, b"CMGConnector_BadRequest"),
        (CHUNKED, True, b"CMGConnector_BadRequest"),
        (POST.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"), False, b"CMGConnector_BadRequest"),
        (
            GET.replace(b"Host", b"Connection: upgrade\r\nUpgrade: websocket\r\nHost"),
            False,
            b"CMGConnector_NotPublished",
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_request_that_no_good_gateway_sends_is_given_up_and_nothing_else(
    played: Played, payload: bytes, end: bool, word: bytes
) -> None:
    assert await played.request(payload, end=end) == [(FrameType.RESET, False, 1, word)]
    assert not played.cut_off
    assert played.path.site_systems == []
    await played.request(GET, number=2)
    assert len(played.path.site_systems) == 1


DATA = FrameType.DATA
BREACHES: dict[str, tuple[bytes, ...]] = {
    "no_prelude": (encode(FrameType.REQUEST | END, 1, b"GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n"),),
    "number_used_twice": (encode(FrameType.REQUEST | END, 1, GET),) * 2,
    "number_that_falls": (encode(FrameType.REQUEST | END, 5, GET), encode(FrameType.REQUEST | END, 4, GET)),
    "data_for_nothing": (encode(DATA, 9, b"x"),),
    "credit_for_nothing": (encode(FrameType.CREDIT, 9, bytes(4)),),
    "body_beyond_its_length": (encode(FrameType.REQUEST, 1, POST), encode(DATA, 1, b"123456")),
    "body_ends_early": (encode(FrameType.REQUEST, 1, POST), encode(DATA | END, 1, b"1234")),
    "body_after_its_end": (encode(FrameType.REQUEST | END, 1, GET), encode(DATA, 1, b"x")),
    "trailers_for_a_length": (encode(FrameType.REQUEST, 1, POST), encode(FrameType.TRAILERS | END, 1, b"X: y\r\n")),
    "trailers_after_the_end": (
        encode(FrameType.REQUEST | END, 1, GET),
        encode(FrameType.TRAILERS | END, 1, b"X: y\r\n"),
    ),
    "beyond_the_credit": (
        encode(FrameType.REQUEST, 1, CHUNKED),
        *(encode(DATA, 1, bytes(INITIAL_CREDIT // 2)) for _ in range(3)),
    ),
    "a_connection_points_frame": (encode(FrameType.REQUEST | END, 1, GET), encode(FrameType.RESPONSE, 1, b"\0x")),
    "a_connection_points_settings": (encode(FrameType.SETTINGS | END, 0, b"x"),),
    "second_hello": (HELLO,),
    "malformed_status": (encode(FrameType.STATUS, 0, b"{}"),),
    "unknown_type": (encode(77, 0),),
    "malformed_credit": (encode(FrameType.REQUEST | END, 1, GET), encode(FrameType.CREDIT, 1, b"abc")),
}


@pytest.mark.parametrize("name", BREACHES)
async def test_a_gateway_that_breaks_the_protocol_loses_its_tunnel(played: Played, name: str) -> None:
    await played.hear(*BREACHES[name])
    assert played.cut_off
    assert played.tunnel.leaving.is_set()
    assert not played.tunnel.streams


@pytest.mark.parametrize(
    "frames",
    [encode(FrameType.REQUEST | END, 1, GET), encode(FrameType.STATUS, 0, b"{}"), encode(FrameType.DRAIN, 0)],
)
async def test_nothing_comes_before_hello(path: DataPath, frames: bytes) -> None:
    played = Played(path)
    await played.hear(frames)
    assert played.cut_off
    assert path.site_systems == []


async def test_a_peer_that_agreed_on_no_protocol_is_not_spoken_to(path: DataPath) -> None:
    tunnel = ConnectionPointTunnel(path.point)
    transport = MemoryTransport(tunnel, TlsFacts(role=Role.GATEWAY, alpn=""))
    tunnel.connection_made(transport)
    await path.settle()
    assert transport.closed
    assert transport.take() == b""


async def test_late_frames_of_a_stream_that_is_over_are_dropped(played: Played) -> None:
    await played.request(CHUNKED, end=False)
    await played.hear(encode(FrameType.RESET, 1, b"ClientGone"))
    late = (encode(DATA, 1, b"x"), encode(FrameType.CREDIT, 1, bytes(4)), encode(FrameType.RESET, 1, b"ClientGone"))
    assert await played.hear(*late) == []
    assert not played.cut_off


async def test_more_streams_than_announced_are_refused(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    await played.request(GET)
    monkeypatch.setattr("causeway.connection_point.config.LimitsSection.max_streams_per_tunnel", 1)
    said = await played.request(GET, number=2)
    assert said == [(FrameType.RESET, False, 2, b"CMGConnector_Busy")]


async def test_a_tunnel_that_is_told_to_drain_closes_with_its_last_answer(played: Played) -> None:
    await played.request(GET)
    await played.hear(encode(FrameType.DRAIN, 0))
    assert played.tunnel.leaving.is_set()
    assert not played.cut_off
    played.path.site_systems[0].answer(b"HTTP/1.1 204 No Content\r\n\r\n")
    await played.path.settle()
    assert frames_of(played.transport.take()) == [(FrameType.RESPONSE, True, 1, b"\x00HTTP/1.1 204 No Content\r\n")]
    assert played.cut_off


async def test_a_tunnel_that_is_to_be_renewed_serves_on(played: Played) -> None:
    await played.hear(encode(FrameType.RENEW, 0))
    assert played.tunnel.leaving.is_set()
    await played.request(GET)
    assert len(played.path.site_systems) == 1
    assert not played.cut_off


async def test_a_connection_point_that_stops_asks_once_for_no_more_requests(played: Played) -> None:
    played.tunnel.drain()
    played.tunnel.drain()
    assert await played.hear() == [(FrameType.DRAIN, False, 0, b"")]
    assert not played.cut_off
    await played.request(GET)  # it was on its way
    assert len(played.path.site_systems) == 1


async def test_a_body_in_chunks_is_framed_anew_with_its_trailers(played: Played) -> None:
    await played.request(CHUNKED, end=False)
    await played.hear(encode(DATA, 1, b"hello"), encode(FrameType.TRAILERS | END, 1, b"X-Sum: 5\r\n"))
    assert played.path.site_systems[0].received.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n")


@pytest.mark.parametrize(
    "trailers",
    [
        b"\r\nGET /internal/secret HTTP/1.1\r\nHost: origin.example:8080\r\n",
        b"X-Sum: 5\r\n\r\nGET /internal/secret HTTP/1.1\r\nHost: a\r\n",
        b"X-Sum: 5",
        b"Tran\r\n",
        b" X: folded\r\n",
        b"X: a\nY: b\r\n",
        b"X: " + bytes(9000),
    ],
)
async def test_a_gateway_that_sends_another_request_as_trailers_is_cut_off_before_it_arrives(
    played: Played, trailers: bytes
) -> None:
    await played.request(CHUNKED, end=False)
    await played.hear(encode(DATA, 1, b"hello"), encode(FrameType.TRAILERS | END, 1, trailers))
    assert played.cut_off
    assert played.path.site_systems[0].received.endswith(b"\r\n\r\n5\r\nhello\r\n")


async def test_trailers_that_only_a_gateway_may_say_are_left_out(played: Played) -> None:
    await played.request(CHUNKED, end=False)
    forged = b"X-Forwarded-For: 10.0.0.1\r\nX-Sum: 5\r\nContent-Length: 3\r\n"
    await played.hear(encode(DATA, 1, b"hello"), encode(FrameType.TRAILERS | END, 1, forged))
    assert played.path.site_systems[0].received.endswith(b"\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n")


async def test_a_binding_keeps_its_connection_until_it_is_released(played: Played) -> None:
    bound = GET.replace(b"files", b"bound")
    numbers: dict[bytes, SiteSystem] = {}
    for number, binding in enumerate((b"7", b"8", b"7", b"8"), 1):
        await played.request(bound.replace(b" - -", b" - " + binding), number=number)
        (asked,) = [system for system in played.path.site_systems if system.received]
        numbers.setdefault(binding, asked)
        assert numbers[binding] is asked
        asked.received = b""
        asked.answer(b"HTTP/1.1 204 No Content\r\n\r\n")
        await played.hear()
    assert numbers[b"7"] is not numbers[b"8"]
    await played.hear(encode(FrameType.RELEASE, 0, (7).to_bytes(8, "big")))
    assert (numbers[b"7"].closed, numbers[b"8"].closed) == (True, False)
    await played.hear(encode(FrameType.RELEASE, 0, (99).to_bytes(8, "big")))
    assert not played.cut_off
    played.transport.abort()
    await played.path.settle()
    assert numbers[b"8"].closed


async def test_a_connection_that_stands_when_its_request_has_been_given_up_is_kept_for_the_next(
    played: Played,
) -> None:
    reset = encode(FrameType.RESET, 1, b"ClientGone")
    await played.hear(encode(FrameType.REQUEST | END, 1, GET) + reset)
    (system,) = played.path.site_systems
    assert not system.begun
    await played.hear(encode(FrameType.REQUEST | END, 3, GET))
    assert played.path.site_systems == [system]
    assert len(system.begun) == 1
