import asyncio
from dataclasses import replace

import httpx
import pytest

from causeway.device.config import DeviceConfig
from causeway.device.simulator import DeviceResult, simulate
from causeway.errors import StateError
from causeway.messaging.registration import RegistrationStatus
from tests.unit.device.fake_management_point import FakeManagementPoint


def devices(config: DeviceConfig, count: int) -> list[DeviceConfig]:
    return [replace(config, name=f"sim-{i}", state=config.state / f"sim-{i}") for i in range(count)]


async def run(
    configs: list[DeviceConfig], management_point: FakeManagementPoint, *, wait_s: float = 0.0, concurrency: int = 2
) -> dict[str, DeviceResult]:
    transport = httpx.MockTransport(management_point)
    results = simulate(configs, concurrency=concurrency, wait_s=wait_s, transport=transport)
    return {result.name: result async for result in results}


async def test_every_device_registers_gets_policy_and_sends_its_heartbeat(
    config: DeviceConfig, management_point: FakeManagementPoint
) -> None:
    results = await run(devices(config, 4), management_point)
    assert results.keys() == {"sim-0", "sim-1", "sim-2", "sim-3"}
    assert all(result.ok for result in results.values())
    assert {result.identity for result in results.values()} == management_point.keys.keys()
    assert len(management_point.keys) == 4
    assert len(management_point.reports) == 4


async def test_a_second_run_meets_the_same_devices(config: DeviceConfig, management_point: FakeManagementPoint) -> None:
    first = await run(devices(config, 2), management_point)
    assert await run(devices(config, 2), management_point) == first


async def test_a_device_that_fails_says_how_far_it_came(
    config: DeviceConfig, management_point: FakeManagementPoint
) -> None:
    management_point.overrides["MP_DdrEndpoint"] = lambda: httpx.Response(503)
    result = (await run(devices(config, 1), management_point))["sim-0"]
    assert (result.registered, result.policy, result.heartbeat, result.ok) == (True, True, False, False)
    assert result.error == "Device_Refused: 503 Service Unavailable"


async def test_a_damaged_state_is_the_operators_to_mend(
    config: DeviceConfig, management_point: FakeManagementPoint
) -> None:
    broken = devices(config, 3)
    broken[1].state.mkdir(parents=True)
    (broken[1].state / "state.json").write_text("damaged")
    with pytest.raises(StateError, match=r"sim-1/state\.json"):
        await run(broken, management_point)


async def test_a_pending_device_has_an_identity_and_no_policy(
    config: DeviceConfig, management_point: FakeManagementPoint
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING]
    result = (await run(devices(config, 1), management_point))["sim-0"]
    assert result.identity
    assert (result.registered, result.policy) == (False, False)
    assert result.to_json() == {
        "name": "sim-0",
        "authentication": "none",
        "identity": result.identity,
        "registered": False,
        "policy": False,
        "heartbeat": False,
    }


async def test_no_more_than_allowed_are_under_way(config: DeviceConfig, management_point: FakeManagementPoint) -> None:
    under_way: list[int] = []
    count = 0
    full = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        under_way.append(count)
        if count == 2:
            full.set()
        await full.wait()  # the first one stays until a second has come, however long that makes its key
        count -= 1
        return management_point(request)

    results = simulate(devices(config, 6), concurrency=2, transport=httpx.MockTransport(answer))
    assert [result.ok async for result in results] == [True] * 6
    assert max(under_way) == 2


async def test_leaving_early_stops_those_under_way(config: DeviceConfig, management_point: FakeManagementPoint) -> None:
    results = simulate(devices(config, 6), concurrency=3, transport=httpx.MockTransport(management_point))
    async for _ in results:
        break
    await results.aclose()
    assert 0 < len(management_point.keys) < 6
