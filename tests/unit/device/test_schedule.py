import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from causeway.device.client import DeviceClient
from causeway.device.schedule import Schedule
from causeway.errors import StateError
from causeway.messaging.assignments import PolicyAssignment, body_location
from causeway.messaging.policy import ClientSettings, PolicyBody
from causeway.messaging.registration import RegistrationStatus
from causeway.messaging.reports import ReportKind
from tests.unit.device.fake_management_point import FakeManagementPoint

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Clock:
    """The time, which a test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def schedule(device: DeviceClient, clock: Clock) -> Schedule:
    return Schedule(device, now=clock, jitter=lambda: 0.0)


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


def kinds(management_point: FakeManagementPoint) -> list[ReportKind]:
    return [report.kind for report in management_point.reports]


def serve_settings(management_point: FakeManagementPoint, settings: ClientSettings) -> None:
    body = PolicyBody("{p}", "1.00", (settings.to_instance(),))
    management_point.assignments = [PolicyAssignment("{a}", "{p}", "1.00", body_location("{p}", "1.00"))]
    management_point.bodies["{p}.1_00"] = body.to_bytes()


async def test_a_new_device_registers_and_then_does_everything_once(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint
) -> None:
    async with device:
        assert await schedule.step(stop) == timedelta()
        await schedule.step(stop)
    assert device.state.registered
    assert len(management_point.cookies) == 1
    assert kinds(management_point) == [ReportKind.HEARTBEAT, ReportKind.HARDWARE_INVENTORY]


async def test_each_is_done_again_when_the_policy_says(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint, clock: Clock
) -> None:
    serve_settings(management_point, ClientSettings(10, 25, 1000))
    async with device:
        await schedule.step(stop)
        pause = await schedule.step(stop)
        assert 9 * MINUTE < pause <= 10 * MINUTE
        clock.ahead += pause + SECOND
        await schedule.step(stop)
        assert (len(management_point.cookies), len(management_point.reports)) == (2, 2)
        clock.ahead = 25 * MINUTE + SECOND
        await schedule.step(stop)
    assert kinds(management_point)[2:] == [ReportKind.HEARTBEAT]


async def test_after_a_restart_only_what_is_due_is_done(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with device:
        await schedule.step(stop)
        await schedule.step(stop)
        sent = len(management_point.requests)
        await Schedule(device, now=clock).step(stop)
    assert len(management_point.requests) == sent


@pytest.mark.parametrize(("jitter", "minutes"), [(1.0, 11), (-1.0, 9)])
async def test_a_device_shifts_its_intervals_by_a_tenth_at_most(
    device: DeviceClient,
    stop: asyncio.Event,
    management_point: FakeManagementPoint,
    clock: Clock,
    jitter: float,
    minutes: int,
) -> None:
    serve_settings(management_point, ClientSettings(10, 1000, 1000))
    shifted = Schedule(device, now=clock, jitter=lambda: jitter)
    async with device:
        await shifted.step(stop)
        pause = await shifted.step(stop)
    assert (minutes - 1) * MINUTE < pause <= minutes * MINUTE


async def test_what_fails_is_tried_again_after_growing_pauses_and_holds_up_nothing_else(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with device:
        await schedule.step(stop)
        management_point.overrides["MP_PolicyManager"] = lambda: httpx.Response(503)
        pauses = []
        for _ in range(9):
            pauses.append(round((await schedule.step(stop)).total_seconds()))
            clock.ahead += timedelta(seconds=pauses[-1]) + SECOND
    # The clock is the real one with a lead, so a busy machine takes a little off.
    assert pauses == pytest.approx([30, 60, 120, 240, 480, 960, 1920, 3600, 3600], abs=5)
    assert kinds(management_point) == [ReportKind.HEARTBEAT, ReportKind.HARDWARE_INVENTORY]


async def test_a_pending_device_asks_again_and_reports_nothing(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint, clock: Clock
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING] * 2
    async with device:
        assert 29 * SECOND < await schedule.step(stop) <= 30 * SECOND
        clock.ahead = 31 * SECOND
        assert 59 * SECOND < await schedule.step(stop) <= 60 * SECOND
        assert management_point.reports == []
        clock.ahead = 100 * SECOND
        await schedule.step(stop)
    assert device.state.registered


async def test_a_device_whose_messages_are_not_accepted_registers_again(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint, clock: Clock
) -> None:
    async with device:
        await schedule.step(stop)
        management_point.overrides["MP_PolicyManager"] = lambda: httpx.Response(200)
        await schedule.step(stop)
        states = [device.state.registered]
        del management_point.overrides["MP_PolicyManager"]
        await schedule.step(stop)
        states.append(device.state.registered)
        clock.ahead = 31 * SECOND
        await schedule.step(stop)
    assert states == [False, True]
    assert len(management_point.cookies) == 1


async def test_a_last_time_in_the_future_is_not_waited_for(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, clock: Clock
) -> None:
    async with device:
        await schedule.step(stop)
        await schedule.step(stop)
        clock.ahead = -timedelta(days=365)
        assert await schedule.step(stop) <= timedelta(hours=1)


async def test_a_stopped_schedule_begins_nothing_more(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        management_point.overrides["sms_"] = lambda: httpx.Response(503)

        def stopped_meanwhile() -> httpx.Response:
            stop.set()
            return httpx.Response(503)

        management_point.overrides["MP_PolicyManager"] = stopped_meanwhile
        await schedule.run(stop)
    assert management_point.reports == []


async def test_a_state_that_cannot_be_written_ends_the_schedule(
    device: DeviceClient, schedule: Schedule, stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StateError("the disk is full")

    async with device:
        monkeypatch.setattr("causeway.device.state.StateFolder.save", full)
        with pytest.raises(StateError):
            await schedule.run(stop)
