"""A client that asks the same again on its connection: nothing is found out anew, and yet nothing old is believed."""

import time
from types import SimpleNamespace

import pytest

from causeway.gateway_settings import Authentication
from fuzz.data_path import DataPath, Device
from fuzz.data_path.ground import ENDPOINTS
from tests.unit.certificates import root
from tests.unit.gateway.changes import publish

pytestmark = pytest.mark.usefixtures("own_settings")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(more: bytes = b"") -> bytes:
    return b"GET /files/x HTTP/1.1\r\nHost: gateway.example\r\n" + more + b"\r\n"


async def ask(path: DataPath, device: Device, question: bytes) -> bytes:
    """The first line of the answer; whatever arrives at a site system is answered."""
    device.received = b""
    device.send(question)
    await path.settle()
    for system in path.site_systems:
        if system.received:
            system.received = b""
            system.answer(OK)
    await path.settle()
    return device.received.partition(b"\r\n")[0]


async def repeated(path: DataPath, device: Device, question: bytes) -> None:
    """Often enough to be remembered everywhere."""
    for _ in range(4):
        assert await ask(path, device, question) == b"HTTP/1.1 200 OK"


async def test_each_time_it_has_an_id_of_its_own(path: DataPath) -> None:
    device = path.connect()
    ids = []
    for _ in range(5):
        assert await ask(path, device, request()) == b"HTTP/1.1 200 OK"
        ids.append(device.received.partition(b"X-Request-Id: ")[2][:20])
    assert len(set(ids)) == 5


async def test_requests_that_take_turns_arrive_as_they_were_asked(path: DataPath) -> None:
    device = path.connect()
    for name in b"aabaaabbbabbacaabcca":
        device.send(request().replace(b"/x", b"/%c" % name))
        await path.settle()
        (asked,) = (system for system in path.site_systems if system.received)
        assert asked.received.startswith(b"GET /internal/files/%c HTTP/1.1\r\n" % name)
        asked.received = b""
        asked.answer(OK)
        await path.settle()


async def test_an_endpoint_that_is_withdrawn_is_refused(path: DataPath) -> None:
    device = path.connect()
    await repeated(path, device, request())
    publish(path, endpoints=tuple(one for one in ENDPOINTS if one.name != "files"))
    for _ in range(3):
        assert await ask(path, device, request()) == b"HTTP/1.1 404 CMGService_NotPublished"


async def test_an_endpoint_that_has_moved_is_asked_where_it_is_now(path: DataPath) -> None:
    device = path.connect()
    await repeated(path, device, request())
    moved = publish(path, service_name="another")
    path.point.site_systems.apply(moved)
    path._give_pools()
    assert await ask(path, device, request()) == b"HTTP/1.1 200 OK"
    assert len(path.site_systems) == 2


async def test_a_certificate_that_is_blocked_is_refused(path: DataPath) -> None:
    guests = root("Guests")
    publish(path, trusted_roots=(guests.pem,))
    certificate = guests.issue("GUEST1")
    device = path.connect(certificate.der)
    await repeated(path, device, request())
    publish(path, blocked_names=("guest1",))
    for _ in range(3):
        assert await ask(path, device, request()) == b"HTTP/1.1 403 CMGService_DeviceBlocked"


async def test_a_certificate_that_has_ended_is_refused(path: DataPath, monkeypatch: pytest.MonkeyPatch) -> None:
    guests = root("Guests")
    publish(path, trusted_roots=(guests.pem,))
    device = path.connect(guests.issue("GUEST1").der)
    await repeated(path, device, request())
    end = time.time() + 40 * 86400
    monkeypatch.setattr("causeway.gateway.client.time", SimpleNamespace(time=lambda: end))
    for _ in range(3):
        assert await ask(path, device, request()) == b"HTTP/1.1 403 CMGService_ClientCertificateExpired"


async def test_who_asks_is_told_of_each_connection_by_its_own(path: DataPath) -> None:
    guests = root("Guests")
    publish(path, trusted_roots=(guests.pem,))
    known, nobody = path.connect(guests.issue("GUEST1").der), path.connect()
    for device, told in ((known, True), (nobody, False)) * 4:
        device.send(request())
        await path.settle()
        (asked,) = (system for system in path.site_systems if system.received)
        assert (b"X-Causeway-Client: certificate" in asked.received) is told
        asked.received = b""
        asked.answer(OK)
        await path.settle()


async def test_a_request_with_a_secret_is_remembered_nowhere(path: DataPath) -> None:
    device = path.connect()
    secrets = (request(b"Authorization: Basic c2VjcmV0\r\n"), request().replace(b"/x", b"/x?sig=c2VjcmV0"))
    for secret in secrets:
        await repeated(path, device, secret)
    (connection,) = path.worker.connections
    assert connection._last_head is None
    assert connection._repeated is None
    assert not path.point.site_systems.questions._recent._answers


async def test_more_requests_than_an_address_may_have_are_refused_though_they_are_repeated(path: DataPath) -> None:
    device = path.connect()
    await repeated(path, device, request())
    (connection,) = path.worker.connections
    connection._address.requests = path.worker.config.limits.max_requests_per_address
    for _ in range(3):
        assert await ask(path, device, request()) == b"HTTP/1.1 429 CMGService_TooManyRequests"
    connection._address.requests = 0


async def test_a_method_that_is_taken_back_is_refused(path: DataPath) -> None:
    device = path.connect()
    await repeated(path, device, request())
    files = ENDPOINTS[0].__class__(
        name="files",
        path="/files",
        upstream=ENDPOINTS[0].upstream,
        authentication=(Authentication.NONE,),
        methods=("POST",),
        max_body_bytes=1,
    )
    publish(path, endpoints=(files,))
    for _ in range(3):
        assert await ask(path, device, request()) == b"HTTP/1.1 405 CMGService_MethodNotAllowed"


async def test_a_certificate_that_the_site_is_asked_about_again_waits_for_the_answer(
    path: DataPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests = root("Guests")
    publish(path, trusted_roots=(guests.pem,))
    device = path.connect(guests.issue("GUEST1").der)
    await repeated(path, device, request())
    (connection,) = path.worker.connections
    asks = connection._client._decide  # by now it is not known whether the certificate is good

    def unknown() -> None:
        assert asks() is None
        connection._client._asks = True

    monkeypatch.setattr(type(connection._client), "_decide", lambda _: unknown())
    monkeypatch.setattr(path.worker.certificate_statuses, "ask", lambda *_: True)
    unknown()
    assert await ask(path, device, request()) == b""
    assert connection._waiting is not None
