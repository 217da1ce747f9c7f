"""One client's connection: what it may pipeline, what becomes of answers that fail, and who is booked for what."""

import re
from typing import Any

import pytest

from causeway.gateway.client_connection import ClientConnection
from causeway.tunnel.frames import END, FrameType, encode
from fuzz.data_path import DataPath, Device
from fuzz.data_path.ground import MAX_BODY_BYTES

GET = b"GET /files/x HTTP/1.1\r\nHost: gateway.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WEBSOCKET = (
    b"GET /chat/x HTTP/1.1\r\nHost: gateway.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n"
)
SMUGGLED = b"DELETE /internal/secret HTTP/1.1\r\nHost: origin.example\r\n\r\n"


def reason_of(device: Device) -> str:
    match = re.match(rb"HTTP/1\.1 \d+ ([^\r]*)\r\n", device.received)
    assert match, device.received
    return match[1].decode()


async def ask(path: DataPath, device: Device, request: bytes) -> None:
    device.send(request)
    await path.settle()


async def test_a_request_and_its_answer_pass(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, GET)
    (system,) = path.site_systems
    assert system.received.startswith(b"GET /internal/files/x HTTP/1.1\r\nHost: origin.example:8080\r\n")
    system.answer(OK)
    await path.settle()
    assert device.received.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: ")
    assert device.received.endswith(b"\r\n\r\nok")
    assert not device.closed


async def test_an_answer_that_fails_before_it_is_written_becomes_a_refusal(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, GET)
    (number,) = path.upper.streams
    path.speak_as_connection_point(
        encode(FrameType.RESPONSE, number, b"\x01HTTP/1.1 200 OK\r\nContent-Length: 100\r\n")
        + encode(FrameType.DATA, number, b"only this")
        + encode(FrameType.RESET, number, b"CMGConnector_SiteSystemClosed")
    )
    await path.settle()
    assert reason_of(device) == "CMGConnector_SiteSystemClosed"
    assert b"only this" not in device.received
    assert not device.closed


async def test_an_answer_that_comes_in_one_frame_is_passed_on_whole(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, GET)
    (number,) = path.upper.streams
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
    path.speak_as_connection_point(encode(FrameType.RESPONSE | END, number, b"\x01\x00\x24" + head + b"\r\n\r\nok"))
    await path.settle()
    assert device.received.startswith(head + b"X-Request-Id: ")
    assert device.received.endswith(b"\r\n\r\n\r\n\r\nok")
    assert not path.upper.streams


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x01",
        b"\x01\x00\x24",
        b"\x04HTTP/1.1 200 OK\r\n",
        b"\x01HTTP/1.1 200 OK\r\nContent-Length: 6\r\n",
        b"\x01\x00\x25HTTP/1.1 200 OK\r\nContent-Length: 6\r\n",
        b"\x01\x00\x05HTTP/1.1 200 OK\r\nContent-Length: 6\r\nhello",
        b"\x00HTTP/1.1 OK\r\n",
    ],
)
async def test_an_answer_that_is_no_whole_one_ends_the_tunnel_and_reaches_nobody(path: DataPath, answer: bytes) -> None:
    device = path.connect()
    await ask(path, device, GET)
    (number,) = path.upper.streams
    path.speak_as_connection_point(encode(FrameType.RESPONSE | END, number, answer))
    await path.settle()
    assert not path.tunnel_stands
    assert reason_of(device) == "CMGService_NoConnectionPoint"  # it could be repeated, but for want of another tunnel


async def test_an_answer_that_fails_after_it_began_is_broken_off(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, GET)
    path.site_systems[0].answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    await path.settle()
    path.site_systems[0].end()
    await path.settle()
    assert device.received.endswith(b"only this")
    assert device.closed


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000,
    ],
    ids=["two_framings", "broken_chunk", "hints_without_end", "uninvited_switch", "endless_head"],
)
async def test_an_answer_that_is_not_valid_is_a_refusal(path: DataPath, answer: bytes) -> None:
    device = path.connect()
    await ask(path, device, GET)
    path.site_systems[0].answer(answer)
    await path.settle()
    assert b"502 CMGConnector_BadSiteSystemAnswer\r\n" in device.received
    assert path.site_systems[0].closed


async def test_a_change_of_protocol_passes_both_ways_until_either_side_ends(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, WEBSOCKET + b"early")
    (system,) = path.site_systems
    assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in system.received.replace(b"WebSocket", b"websocket")
    assert b"early" not in system.received  # not before the site system has agreed
    system.answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nwelcome")
    await path.settle()
    assert system.received.endswith(b"early")
    assert device.received.endswith(b"welcome")
    device.send(b"ping")
    await path.settle()
    assert system.received.endswith(b"earlyping")
    system.answer(b"pong")
    system.end()
    await path.settle()
    assert device.received.endswith(b"pong")
    assert device.closed


@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_what_follows_a_refused_change_of_protocol_never_reaches_the_site_system(
    path: DataPath, when: str
) -> None:
    device = path.connect()
    await ask(path, device, WEBSOCKET + (SMUGGLED if when == "before" else b""))
    (system,) = path.site_systems
    system.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    await path.settle()
    if when == "during":
        await ask(path, device, SMUGGLED)
    system.answer(b"+ half")
    await path.settle()
    if when == "after":
        await ask(path, device, SMUGGLED)
    assert b"secret" not in b"".join(each.received for each in path.site_systems)
    assert len(path.site_systems) == 1
    assert device.received.endswith(b"half+ half")


async def test_a_change_of_protocol_that_is_not_published_is_an_ordinary_request(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, WEBSOCKET.replace(b"/chat", b"/files"))
    (system,) = path.site_systems
    assert b"pgrade" not in system.received
    system.answer(OK)
    await path.settle()
    assert reason_of(device) == "OK"


async def test_answers_do_not_pile_up_for_a_client_that_does_not_read(path: DataPath) -> None:
    device = path.connect()
    device.read(on=False)
    device.send(GET * 300)
    body = bytes(50_000)
    for _ in range(400):
        await path.settle()
        waiting = [system for system in path.site_systems if system.received.endswith(b"\r\n\r\n")]
        if not waiting:
            break
        for system in waiting:
            system.received = b""
            system.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + body)
    else:
        raise AssertionError("the gateway asks on and on")
    assert sum(len(system.begun) for system in path.site_systems) <= 4
    device.read(on=True)
    for _ in range(400):
        await path.settle()
        for system in path.site_systems:
            if system.received.endswith(b"\r\n\r\n"):
                system.received = b""
                system.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + body)
    assert device.received.count(b"HTTP/1.1 200 OK") == 300


@pytest.mark.parametrize("at_once", [1, 100])
async def test_refusals_do_not_pile_up_either(path: DataPath, at_once: int) -> None:
    device = path.connect()
    device.read(on=False)
    nothing = b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
    for _ in range(2000 // at_once):
        device.send(nothing * at_once)
        await path.settle()
    assert sum(path.worker.metrics.refusals.values()) < 500
    device.read(on=True)
    await path.settle()
    assert device.received.count(b"404 CMGService_NotPublished\r\n") == 2000


async def test_an_empty_line_between_requests_is_passed_over(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, b"\r\n" + GET)
    path.site_systems[0].answer(OK)
    await path.settle()
    await ask(path, device, b"\r")
    await ask(path, device, b"\n" + GET)
    path.site_systems[0].answer(OK)
    await path.settle()
    assert device.received.count(b"HTTP/1.1 200 OK") == 2


async def test_a_body_in_chunks_beyond_the_limit_is_given_up_at_both_ends(path: DataPath) -> None:
    device = path.connect()
    head = b"POST /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    await ask(path, device, head)
    for _ in range(MAX_BODY_BYTES // 0x8000 + 1):
        await ask(path, device, chunk)
    assert reason_of(device) == "CMGService_BodyTooLarge"
    assert path.site_systems[0].closed


async def test_a_tunnel_that_breaks_fails_what_may_not_be_repeated(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, b"POST /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
    path.lose_tunnel()
    await path.settle()
    assert reason_of(device) == "CMGService_ConnectionPointLost"
    repeatable = path.connect()
    await ask(path, repeatable, GET)
    assert reason_of(repeatable) == "CMGService_NoConnectionPoint"


class Books(list[tuple[int, str]]):
    """What the two ends booked: statuses and words."""


@pytest.fixture
def books(path: DataPath, monkeypatch: pytest.MonkeyPatch) -> dict[str, Books]:
    kept = {"gateway": Books(), "connection point": Books()}

    def note_gateway(*fields: Any) -> None:
        kept["gateway"].append((fields[4], fields[5]))

    def note_point(*fields: Any) -> None:
        kept["connection point"].append((fields[4], fields[5]))

    monkeypatch.setattr(path.worker.access_log, "write", note_gateway)
    monkeypatch.setattr(path.point.access_log, "write", note_point)
    return kept


async def test_a_client_that_goes_is_booked_once_at_each_end(path: DataPath, books: dict[str, Books]) -> None:
    device = path.connect()
    await ask(path, device, GET)
    device.leave()
    await path.settle()
    assert books == {"gateway": [(499, "ClientGone")], "connection point": [(499, "ClientGone")]}
    assert path.site_systems[0].closed


async def test_a_client_that_goes_before_the_end_of_a_whole_answer_is_booked_once(
    path: DataPath, books: dict[str, Books]
) -> None:
    device = path.connect()
    device.read(on=False)
    await ask(path, device, GET)
    path.site_systems[0].answer(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000))
    await path.settle()
    assert path.lower.held_streams == 1  # the site system has said everything; the tunnel holds the rest
    device.leave()
    await path.settle()
    assert books == {"gateway": [(200, "ClientGone")], "connection point": [(200, "")]}


async def test_requests_that_are_answered_or_refused_are_booked_once(path: DataPath, books: dict[str, Books]) -> None:
    device = path.connect()
    await ask(path, device, GET)
    path.site_systems[0].answer(OK)
    await path.settle()
    await ask(path, device, b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    await ask(path, device, b"GET /CCM_Proxy_ServerAuth/ServiceMetadata HTTP/1.1\r\nHost: a\r\n\r\n")
    await ask(path, device, b"GET /device/x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert books["gateway"] == [
        (200, ""),
        (404, "CMGService_NotPublished"),
        (200, ""),
        (403, "CMGConnector_ClientCertificateRequired"),
    ]
    assert books["connection point"] == [(200, "")]


# Time.


async def test_connections_end_when_they_have_waited_long_enough(path: DataPath) -> None:
    limits = path.worker.config.limits

    def wait(seconds: float) -> None:
        for connection in list(path.worker.connections):
            connection.check_deadline(path.worker.now() + seconds)

    silent, slow, idle, stalled = (path.connect() for _ in range(4))
    await ask(path, slow, b"GET /files")
    await ask(path, idle, b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    await ask(path, stalled, b"POST /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
    wait(limits.head_timeout_s - 1)
    await path.settle()
    assert not any(device.closed for device in (silent, slow, idle, stalled))
    wait(limits.head_timeout_s + 1)
    await path.settle()
    assert (silent.closed, silent.received) == (True, b"")
    assert (slow.closed, reason_of(slow)) == (True, "CMGService_RequestTimeout")
    assert not idle.closed
    wait(limits.idle_timeout_s + 1)
    await path.settle()
    assert (idle.closed, idle.received.count(b"HTTP/1.1")) == (True, 1)
    assert (stalled.closed, reason_of(stalled)) == (True, "CMGService_RequestTimeout")


async def test_a_draining_connection_gets_a_moment_for_one_more_request(path: DataPath) -> None:
    device, idle = path.connect(), path.connect()
    path.worker.draining = True
    connection: ClientConnection
    for connection in path.worker.connections:
        connection.drain()
    await ask(path, device, GET)
    path.site_systems[0].answer(OK)
    await path.settle()
    assert b"\r\nConnection: close\r\n" in device.received
    assert device.closed
    for connection in list(path.worker.connections):
        connection.check_deadline(path.worker.now() + path.worker.config.limits.drain_idle_s + 0.1)
    await path.settle()
    assert (idle.closed, idle.received) == (True, b"")
    path.worker.draining = False


async def test_a_client_that_sends_no_more_gets_the_answer_to_its_whole_request(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, GET)
    device.send_end()
    await path.settle()
    assert not device.closed
    path.site_systems[0].answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
    await path.settle()
    assert b"Connection: close" in device.received
    assert device.received.endswith(b"done")
    assert device.closed


@pytest.mark.parametrize(
    "sent", [b"", b"GET /dev", b"POST /device/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"]
)
async def test_a_client_that_sends_no_more_in_the_middle_of_a_request_is_gone(path: DataPath, sent: bytes) -> None:
    device = path.connect()
    await ask(path, device, sent)
    device.send_end()
    await path.settle()
    assert device.closed
    assert not path.upper.streams


async def test_a_client_that_sends_no_more_on_a_changed_protocol_is_gone(path: DataPath) -> None:
    device = path.connect()
    await ask(path, device, WEBSOCKET)
    path.site_systems[0].answer(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    await path.settle()
    device.send_end()
    await path.settle()
    assert device.closed
    assert not path.upper.streams
