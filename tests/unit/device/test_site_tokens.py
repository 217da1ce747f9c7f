import stat
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerRefusedError, TokenMissingError
from causeway.errors import ConfigurationError, StateError
from causeway.messaging.registration import RegistrationStatus
from causeway.messaging.tokens import TokenKind
from tests.unit.device.fake_management_point import PREFIX, FakeManagementPoint, bearer

BULK = "bulk.bulk.bulk"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(management_point: FakeManagementPoint) -> Clock:
    management_point.now = Clock()
    return management_point.now


@pytest.fixture
def newcomer(config: DeviceConfig) -> DeviceConfig:
    return replace(config, bulk_token=BULK)


def client(config: DeviceConfig, management_point: FakeManagementPoint) -> DeviceClient:
    async def sleep(_seconds: float) -> None:
        return

    transport = httpx.MockTransport(management_point)
    return DeviceClient(config, transport=transport, sleep=sleep, now=management_point.now)


def tokens_of(management_point: FakeManagementPoint) -> list[str]:
    return [bearer(request) for request in management_point.requests]


async def test_a_newcomer_registers_with_its_bulk_token_and_then_shows_its_own(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    assert set(tokens_of(management_point)) == {BULK}
    assert management_point.token_requests[0].kinds == (TokenKind.CCM, TokenKind.SELF_PROVE)
    assert management_point.token_requests[0].site_code == "PS1"

    management_point.requests.clear()
    async with client(config, management_point) as device:
        await device.policy()
        await device.heartbeat()
    assert tokens_of(management_point) == ["CCM.1.s", "CCM.1.s"]
    assert management_point.targets[-1] == PREFIX + b"/ccm_system_tokenauth/request"


async def test_both_prefixes_of_a_gateway_do(
    newcomer: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    told = replace(newcomer, url=newcomer.url.replace("ServerAuth", "MutualAuth"))
    async with client(told, management_point) as device:
        await device.register()
    assert all(target.startswith(PREFIX) for target in management_point.targets)


async def test_tokens_are_renewed_before_they_end_and_the_lasting_one_each_month(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    async with client(config, management_point) as device:
        for age, kinds, shown in (
            (5 * HOUR, None, None),
            (7 * HOUR, (TokenKind.CCM,), "SelfProve.1.s"),
            (31 * DAY, (TokenKind.CCM, TokenKind.SELF_PROVE), "SelfProve.1.s"),
            (120 * DAY, (TokenKind.CCM, TokenKind.SELF_PROVE), "SelfProve.3.s"),
        ):
            clock.now += age - (clock.now - management_point.token_requests[0].timestamp)
            before = len(management_point.token_requests)
            management_point.requests.clear()
            await device.policy()
            if kinds is None:
                assert len(management_point.token_requests) == before
            else:
                assert management_point.token_requests[-1].kinds == kinds
                assert tokens_of(management_point)[0] == shown
                assert tokens_of(management_point)[-1] == f"CCM.{before + 1}.s"


async def test_a_token_is_used_to_its_end_while_the_token_service_is_away(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    management_point.overrides["/CCM_STS"] = lambda: httpx.Response(503)
    async with client(config, management_point) as device:
        clock.now += 7 * HOUR
        await device.policy()
        clock.now += 2 * HOUR
        with pytest.raises(AnswerRefusedError):
            await device.policy()


async def test_a_token_that_is_refused_is_replaced_once_and_the_request_repeated(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    management_point.withdrawn.add("CCM.1.s")
    async with client(config, management_point) as device:
        await device.policy()
        assert tokens_of(management_point)[-1] == "CCM.2.s"

        management_point.withdrawn |= {"CCM.2.s", "SelfProve.1.s"}
        before = len(management_point.requests)
        with pytest.raises(AnswerRefusedError):
            await device.policy()
        assert len(management_point.requests) == before + 2


async def test_a_device_that_was_away_for_too_long_says_what_helps(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    clock.now += 91 * DAY
    async with client(config, management_point) as device:
        with pytest.raises(TokenMissingError, match="bulk registration token"):
            await device.policy()
    async with client(newcomer, management_point) as device:
        await device.register()
    async with client(config, management_point) as device:
        await device.policy()


async def test_a_newcomer_that_waits_for_approval_has_no_tokens_yet(
    newcomer: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING]
    async with client(newcomer, management_point) as device:
        assert not (await device.register()).registered
        assert management_point.token_requests == []
        await device.register()
    assert len(management_point.token_requests) == 1


async def test_a_device_inside_gets_tokens_when_it_is_told_to_and_shows_them_outside(
    config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(config, management_point) as device:
        await device.register()
        await device.renew_tokens()
    assert set(tokens_of(management_point)) == {""}
    async with client(config, management_point) as device:
        await device.policy()
    assert tokens_of(management_point)[-1] == "CCM.1.s"


async def test_the_header_is_a_setting(
    newcomer: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(replace(newcomer, token_header="CCMToken"), management_point) as device:
        await device.register()
    assert {request.headers["CCMToken"] for request in management_point.requests} == {BULK}


async def test_tokens_are_for_the_owner_of_the_folder_alone_and_never_shown(
    newcomer: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
        kept = await device.renew_tokens()
    assert stat.S_IMODE((newcomer.state / "tokens.json").stat().st_mode) == 0o600
    assert BULK not in repr(newcomer)
    assert "SelfProve." not in repr(kept)


async def test_damaged_tokens_are_one_line_that_names_the_file(
    newcomer: DeviceConfig, config: DeviceConfig, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with client(newcomer, management_point) as device:
        await device.register()
    (config.state / "tokens.json").write_text('{"identity": 7}')
    with pytest.raises(StateError, match=r"tokens\.json"):
        await client(config, management_point).__aenter__()


@pytest.mark.parametrize(
    "changes",
    [
        {"bulk_token": "not a token"},
        {"bulk_token": "a.b"},
        {"bulk_token": "a.b.c\r\nX: y"},
        {"bulk_token": BULK, "certificate": Path("c"), "key": Path("k")},
        {"token_header": "X Y"},
        {"token_header": "A: b c"},
        {"token_header": ""},
    ],
)
def test_what_could_not_be_shown_is_refused_at_once(config: DeviceConfig, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        replace(config, **changes)  # type: ignore[arg-type]
    assert "a.b" not in str(refused.value)
