"""Clients with tokens: verified once and off the loop, remembered, and forgotten at once when something is blocked."""

import asyncio
import dataclasses
import hashlib
import re
import time
import timeit
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.gateway.worker import Worker
from causeway.gateway_settings import Authentication, Endpoint, SiteTokens, TokenHeader
from causeway.identity.denial import Denied
from causeway.identity.site_token import sign
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from causeway.refusals import REFUSALS
from fuzz.data_path import DataPath, Device
from fuzz.data_path.ground import ENDPOINTS, METHODS
from tests.unit.certificates import root
from tests.unit.gateway.changes import publish
from tests.unit.identity.tokens import EC_KEY, NOW, RSA_KEY, SETTINGS, SMS_ID, bulk_claims, device_claims
from tests.unit.memory import ground

pytestmark = pytest.mark.usefixtures("own_settings")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TOKEN, CERTIFICATE, NONE = Authentication.TOKEN, Authentication.CERTIFICATE, Authentication.NONE


def endpoint(name: str, *authentication: Authentication, **more: Any) -> Endpoint:
    return Endpoint(
        name=name,
        path=f"/{name}",
        upstream=f"http://origin.example:8080/internal/{name}",
        authentication=authentication,
        methods=METHODS,
        max_body_bytes=100_000,
        **more,
    )


TOKEN_ENDPOINTS = (
    endpoint("token", TOKEN, forward_token=True),
    endpoint("newcomer", TOKEN, Authentication.BULK_TOKEN),
    endpoint("either", CERTIFICATE, TOKEN),
    endpoint("optional", TOKEN, NONE),
    endpoint("entra", Authentication.ENTRA),
    endpoint("talk", TOKEN, upgrades=("websocket",)),
)


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class Thread:
    """A fake of the thread: it verifies when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def work(self) -> int:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()
        return len(jobs)


class Played:
    """A data path with endpoints for tokens, a clock, and a thread that waits to be told."""

    def __init__(self, path: DataPath) -> None:
        self.path = path
        self.tokens = path.worker.tokens
        self.clock, self.thread = Clock(), Thread()
        self.tokens._submit = self.thread.submit
        self.tokens._clock = self.clock
        self.publish(endpoints=ENDPOINTS + TOKEN_ENDPOINTS, site_tokens=SETTINGS)

    def publish(self, **changes: Any) -> None:
        publish(self.path, **changes)
        settings = self.path.worker.store.current
        assert settings is not None
        self.path.point.site_systems.apply(settings)
        self.path._give_pools()

    async def verify(self) -> int:
        """Everything that waits to be verified is; returns how much that was."""
        await self.path.settle()
        done = self.thread.work()
        await asyncio.sleep(0)
        await self.path.settle()
        return done

    async def ask(self, device: Device, name: str, token: bytes = b"", more: bytes = b"") -> str:
        """The status and the reason of the answer; what reaches the site system is answered with OK."""
        device.received = b""
        before = [len(system.received) for system in self.path.site_systems]
        device.send(request(name, token, more))
        await self.verify()
        for system, seen in zip(self.path.site_systems, before + [0] * 99, strict=False):
            if len(system.received) > seen and not system.closed:
                system.answer(OK)
        await self.path.settle()
        return answer_of(device)

    @property
    def passed_on(self) -> bytes:
        return b"".join(system.received for system in self.path.site_systems)


def request(name: str, token: bytes = b"", more: bytes = b"") -> bytes:
    authorization = b"Authorization: Bearer %b\r\n" % token if token else b""
    return b"GET /%b/x HTTP/1.1\r\nHost: gateway.example\r\n%b%b\r\n" % (name.encode(), authorization, more)


def answer_of(device: Device) -> str:
    match = re.match(rb"HTTP/1\.1 ([^\r]*)\r\n", device.received)
    return match[1].decode() if match else ""


def signed(**changes: object) -> bytes:
    return sign(device_claims(**changes), "rsa", RSA_KEY).encode()


@pytest.fixture
async def played(path: DataPath) -> Played:
    return Played(path)


GOOD = signed()
BULK = sign(bulk_claims(), "rsa", RSA_KEY).encode()
WRONG = GOOD[:-8] + b"AAAAAAAA"


async def test_a_request_waits_for_its_token_and_passes_on_with_who_asked(played: Played) -> None:
    device = played.path.connect()
    device.send(request("token", GOOD))
    await played.path.settle()
    assert not played.path.site_systems
    assert not device.received
    assert await played.verify() == 1
    (system,) = played.path.site_systems
    assert f"X-Causeway-Client: site-token\r\nX-Causeway-Device: {SMS_ID}\r\n".encode() in system.received
    system.answer(OK)
    await played.path.settle()
    assert device.received.endswith(b"ok")


async def test_a_token_is_verified_once_however_many_ask_and_however_often(played: Played) -> None:
    devices = [played.path.connect() for _ in range(5)]
    for device in devices:
        device.send(request("token", GOOD))
    assert await played.verify() == 1
    assert len(played.path.site_systems) == 5
    assert await played.ask(played.path.connect(), "token", GOOD) == "200 OK"
    assert not await played.verify()
    assert played.path.worker.metrics.token_verifications == {"good": 1}


async def test_a_body_that_comes_with_its_head_waits_with_it(played: Played) -> None:
    device = played.path.connect()
    head = request("token", GOOD, b"Content-Length: 10\r\n").replace(b"GET", b"POST")
    device.send(head + b"01234")
    await played.path.settle()
    device.send(b"56789" + request("token", GOOD))
    assert await played.verify() == 1
    assert played.passed_on.endswith(b"\r\n\r\n0123456789")
    played.path.site_systems[0].answer(OK)
    await played.path.settle()
    assert played.passed_on.count(b"HTTP/1.1\r\n") == 2


async def test_a_client_that_leaves_while_its_token_is_verified_leaves_nothing_behind(played: Played) -> None:
    device = played.path.connect()
    device.send(request("token", GOOD))
    await played.path.settle()
    device.leave()
    assert await played.verify() == 1
    assert not played.path.site_systems


async def test_a_token_that_is_not_verified_in_time_is_refused(played: Played) -> None:
    device = played.path.connect()
    device.send(request("token", GOOD))
    await played.path.settle()
    (connection,) = played.path.worker.connections
    assert not connection.idle
    connection.check_deadline(connection.deadline + 1)
    assert answer_of(device) == ""
    await played.path.settle()
    assert answer_of(device) == "503 CMGService_Busy"
    await played.verify()
    assert not played.path.site_systems


@pytest.mark.parametrize(
    ("name", "token", "answer"),
    [
        ("token", b"", "401 CMGService_TokenRequired"),
        ("token", GOOD, "200 OK"),
        ("token", WRONG, "401 CMGService_Invalid_Token"),
        ("token", b"nonsense", "401 CMGService_Invalid_Token"),
        ("token", signed(expires=NOW - 1000), "401 CMGService_TokenExpired"),
        ("token", signed(not_before=NOW + 1000), "401 CMGService_TokenNotYetValid"),
        ("token", BULK, "403 CMGService_TokenNotAccepted"),
        ("newcomer", BULK, "200 OK"),
        ("newcomer", GOOD, "200 OK"),
        ("either", GOOD, "200 OK"),
        ("either", b"", "401 CMGService_TokenRequired"),
        ("optional", b"", "200 OK"),
        ("optional", GOOD, "200 OK"),
        ("optional", WRONG, "401 CMGService_Invalid_Token"),
        ("entra", GOOD, "403 CMGService_TokenNotAccepted"),
        ("device", GOOD, "403 CMGConnector_ClientCertificateRequired"),
        ("files", WRONG, "200 OK"),
    ],
)
async def test_every_endpoint_takes_those_that_it_says_and_nobody_else(
    played: Played, name: str, token: bytes, answer: str
) -> None:
    device = played.path.connect()
    for _ in range(2):  # the second time from memory
        assert await played.ask(device, name, token) == answer
        assert (b"\r\nWWW-Authenticate: Bearer\r\n" in device.received) == answer.startswith("401")
        body = device.received.partition(b"\r\n\r\n")[2].decode()
        if answer != "200 OK":
            assert body.splitlines()[1] == REFUSALS[answer.split()[1]].meaning
            assert not played.passed_on


async def test_a_client_with_both_shows_its_certificate_unless_a_token_is_wanted(played: Played) -> None:
    device = played.path.connect(device_certificate())
    assert await played.ask(device, "either", WRONG) == "200 OK"
    assert b"X-Causeway-Client: certificate\r\n" in played.passed_on
    assert await played.ask(device, "token", GOOD) == "200 OK"
    assert b"X-Causeway-Client: site-token\r\n" in played.passed_on


async def test_a_token_passes_on_only_where_that_is_published(played: Played) -> None:
    device = played.path.connect()
    assert await played.ask(device, "token", GOOD) == "200 OK"
    assert b"Authorization: Bearer " + GOOD in played.passed_on
    seen = len(played.passed_on)
    assert await played.ask(device, "either", GOOD, b"X-Other: passes\r\n") == "200 OK"
    assert GOOD not in played.passed_on[seen:]
    assert b"X-Other: passes\r\n" in played.passed_on[seen:]


async def test_a_token_ends_when_it_expires_though_it_is_known(played: Played) -> None:
    device = played.path.connect()
    assert await played.ask(device, "token", GOOD) == "200 OK"
    played.clock.now = NOW + 9 * 3600
    assert await played.ask(device, "token", GOOD) == "401 CMGService_TokenExpired"


async def test_a_token_in_a_header_that_every_client_sends_ends_when_it_expires_too(played: Played) -> None:
    played.publish(token_headers=(TokenHeader(name="User-Agent"),))
    device = played.path.connect()
    for _ in range(4):
        assert await played.ask(device, "token", more=b"User-Agent: %b\r\n" % GOOD) == "200 OK"
    played.clock.now = NOW + 9 * 3600
    assert await played.ask(device, "token", more=b"User-Agent: %b\r\n" % GOOD) == "401 CMGService_TokenExpired"


async def test_a_token_that_came_too_early_is_good_when_its_time_has_come(played: Played) -> None:
    device, early = played.path.connect(), signed(not_before=NOW + 310)
    assert await played.ask(device, "token", early) == "401 CMGService_TokenNotYetValid"
    played.clock.now += 11
    assert await played.ask(device, "token", early) == "200 OK"


def device_certificate() -> bytes:
    issued = ground().authority.issue_client("PC9.corp.example", new_p256_key(), Role.DEVICE)
    return x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(Encoding.DER)


BLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "device": ({"blocked_devices": (SMS_ID.lower(),)}, "403 CMGService_DeviceBlocked"),
    "name": ({"blocked_names": ("pc1",)}, "403 CMGService_DeviceBlocked"),
    "certificate": ({"blocked_certificates": ("ab" * 32,)}, "403 CMGService_DeviceBlocked"),
    "id of the token": (
        {"blocked_tokens": ("11111111-2222-3333-4444-555555555555",)},
        "403 CMGService_TokenBlocked",
    ),
    "token": ({"blocked_tokens": (hashlib.sha256(GOOD).hexdigest(),)}, "403 CMGService_TokenBlocked"),
    "tenant": ({"blocked_tenants": ("T1",)}, "403 CMGService_TenantBlocked"),
    "withdrawn key": (
        {"site_tokens": SiteTokens(issuer=SETTINGS.issuer, keys=SETTINGS.keys[1:])},
        "401 CMGService_Invalid_Token",
    ),
    "all keys": ({"site_tokens": None}, "401 CMGService_Invalid_Token"),
}
NOTHING = {
    "blocked_devices": (),
    "blocked_names": (),
    "blocked_certificates": (),
    "blocked_tokens": (),
    "blocked_tenants": (),
    "site_tokens": SETTINGS,
}


@pytest.mark.parametrize("what", BLOCKS)
async def test_what_is_blocked_is_refused_with_the_next_request_and_what_is_unblocked_passes(
    played: Played, what: str
) -> None:
    changes, word = BLOCKS[what]
    token = signed(tenant_id="t1") if what == "tenant" else GOOD
    device = played.path.connect()
    assert await played.ask(device, "token", token) == "200 OK"
    played.publish(**changes)
    assert await played.ask(device, "token", token) == word
    played.publish(**NOTHING)
    assert await played.ask(device, "token", token) == "200 OK"


async def test_other_settings_do_not_cost_a_verification_of_every_token(played: Played) -> None:
    device = played.path.connect()
    assert await played.ask(device, "token", GOOD) == "200 OK"
    played.publish(service_name="another", site_tokens=dataclasses.replace(SETTINGS, keys=SETTINGS.keys[:1]))
    assert await played.ask(device, "token", GOOD) == "200 OK"
    assert played.path.worker.metrics.token_verifications == {"good": 1}


UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n"


@pytest.mark.parametrize("what", [name for name in BLOCKS if name != "tenant"])
async def test_a_websocket_of_a_client_that_is_blocked_ends(played: Played, what: str) -> None:
    device, other = played.path.connect(), played.path.connect()
    for each, token in ((device, GOOD), (other, sign(device_claims(**OTHER), "ec", EC_KEY).encode())):
        each.send(request("talk", token, UPGRADE))
        await played.verify()
        played.path.site_systems[-1].answer(SWITCHING)
        await played.path.settle()
        assert answer_of(each) == "101 Switching Protocols"
    played.publish(**BLOCKS[what][0])
    await played.path.settle()
    assert device.closed
    assert played.path.site_systems[0].closed
    assert other.closed == (what == "all keys")


OTHER = {"sms_id": "GUID:other", "name": "PC2", "thumbprint": "cd" * 32, "unique_id": "another"}


async def test_a_request_that_waits_for_its_answer_is_refused_when_its_client_is_blocked(played: Played) -> None:
    device = played.path.connect()
    device.send(request("token", GOOD))
    await played.verify()
    played.publish(blocked_devices=(SMS_ID,))
    await played.path.settle()
    assert answer_of(device) == "403 CMGService_DeviceBlocked"
    assert played.path.site_systems[0].closed


def sweep(worker: Worker) -> None:
    worker.listener._accepting = True  # nobody is to listen
    worker._sweep()
    assert worker._sweeper is not None
    worker._sweeper.cancel()


async def test_what_is_under_way_ends_with_its_token(played: Played) -> None:
    talking, waiting, lasting = (played.path.connect() for _ in range(3))
    for device, name, token in (
        (talking, "talk", GOOD),
        (waiting, "token", GOOD),
        (lasting, "token", signed(expires=NOW + 24 * 3600)),
    ):
        device.send(request(name, token, UPGRADE if name == "talk" else b""))
        await played.verify()
    played.path.site_systems[0].answer(SWITCHING)
    await played.path.settle()
    sweep(played.path.worker)
    await played.path.settle()
    assert answer_of(talking) == "101 Switching Protocols"
    assert not any(device.closed for device in (talking, waiting, lasting))
    played.clock.now = NOW + 9 * 3600
    sweep(played.path.worker)
    await played.path.settle()
    assert talking.closed
    assert answer_of(waiting) == "401 CMGService_TokenExpired"
    assert [system.closed for system in played.path.site_systems] == [True, True, False]
    played.path.site_systems[2].answer(OK)
    await played.path.settle()
    assert answer_of(lasting) == "200 OK"


async def test_a_websocket_ends_with_its_certificate(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    guests = root("Guests")
    played.publish(trusted_roots=(guests.pem,))
    device = played.path.connect(guests.issue("GUEST1").der)
    device.send(request("chat", more=UPGRADE))
    await played.path.settle()
    played.path.site_systems[0].answer(SWITCHING)
    await played.path.settle()
    sweep(played.path.worker)
    await played.path.settle()
    assert answer_of(device) == "101 Switching Protocols"
    assert not played.path.site_systems[0].closed
    end = time.time() + 40 * 86400
    monkeypatch.setattr("causeway.gateway.client.time", SimpleNamespace(time=lambda: end))
    sweep(played.path.worker)
    await played.path.settle()
    assert device.closed
    played.publish(trusted_roots=(ground().authority.pem.decode(),))


async def test_settings_that_change_while_a_token_is_verified_are_those_that_count(played: Played) -> None:
    device = played.path.connect()
    device.send(request("token", GOOD))
    await played.path.settle()
    played.publish(blocked_devices=(SMS_ID,))
    assert await played.verify() == 1
    assert await played.verify() == 1
    assert answer_of(device) == "403 CMGService_DeviceBlocked"


def wrong(number: int) -> bytes:
    return b"%b.%04d" % (GOOD.rpartition(b".")[0], number)


async def test_an_address_that_sends_too_many_invalid_tokens_is_limited_and_known_tokens_go_on(played: Played) -> None:
    known, device = played.path.connect(), played.path.connect()
    assert await played.ask(known, "token", GOOD) == "200 OK"
    most = played.path.worker.config.limits.max_invalid_tokens_per_minute
    with structlog.testing.capture_logs() as logs:
        for number in range(most):
            assert await played.ask(device, "token", wrong(number)) == "401 CMGService_Invalid_Token"
    assert [line["peer"] for line in logs if line["event"] == "too many invalid tokens"] == ["192.0.2.7"]
    assert await played.ask(device, "token", wrong(most)) == "429 CMGService_TooManyFailures"
    assert b"\r\nRetry-After: 60\r\n" in device.received
    assert await played.ask(device, "token", signed(unique_id="new")) == "429 CMGService_TooManyFailures"
    assert await played.ask(known, "token", GOOD) == "200 OK"
    assert played.path.worker.metrics.addresses_limited == 1
    played.clock.now += 60
    assert await played.ask(device, "token", signed(unique_id="new")) == "200 OK"


async def test_a_client_that_repeats_one_bad_token_limits_nobody(played: Played) -> None:
    device = played.path.connect()
    for _ in range(200):
        assert await played.ask(device, "token", WRONG) == "401 CMGService_Invalid_Token"
    assert not played.path.worker.metrics.addresses_limited
    assert played.path.worker.metrics.token_verifications == {"CMGService_Invalid_Token": 1}


async def test_only_so_many_tokens_are_verified_at_a_time(played: Played) -> None:
    again: list[int] = []
    for number in range(500):
        assert played.tokens.bearer(wrong(number), f"192.0.2.{number % 250}", lambda: again.append(1)) is None
    with pytest.raises(Denied) as denied:
        played.tokens.bearer(GOOD, "192.0.2.9", lambda: None)
    assert denied.value.refused_word == "CMGService_Busy"
    assert await played.verify() == 500
    assert len(again) == 500
    assert len(played.tokens) == 0


async def test_a_refusal_is_logged_with_its_remedy_and_without_the_token(played: Played) -> None:
    with structlog.testing.capture_logs() as logs:
        assert await played.ask(played.path.connect(), "token", WRONG) == "401 CMGService_Invalid_Token"
    (line,) = [line for line in logs if line["event"] == "refused"]
    assert "signature" in line["details"]
    assert line["remedy"]
    assert not any(WRONG[-60:-10].decode() in str(value) for value in line.values())


async def test_a_blocked_certificate_counts_before_any_token(played: Played) -> None:
    device = played.path.connect(device_certificate())
    played.publish(blocked_names=("pc9.corp.example",))
    assert await played.ask(device, "token", GOOD) == "403 CMGService_DeviceBlocked"
    assert await played.ask(device, "either") == "403 CMGService_DeviceBlocked"


async def test_a_known_token_costs_a_small_part_of_its_verification(played: Played) -> None:
    device = played.path.connect()
    assert await played.ask(device, "token", GOOD) == "200 OK"
    fields = b"Accept: */*\r\nAuthorization: Bearer " + GOOD + b"\r\nUser-Agent: ccmhttp\r\n"

    def known() -> None:
        assert played.tokens.bearer(played.tokens.headers.find(fields), "192.0.2.7", lambda: None) is not None

    def verified() -> None:
        played.tokens._verifier.verify(GOOD, NOW)

    def best(work: Callable[[], None]) -> float:
        return min(timeit.repeat(work, number=50, repeat=20))

    assert best(known) * 5 < best(verified)
