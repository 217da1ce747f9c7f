import httpx
import pytest
from cryptography import x509

from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.device.errors import (
    NotRegisteredError,
    PendingApprovalError,
    RegistrationRejectedError,
)
from causeway.errors import StateError
from causeway.messaging.registration import RegistrationStatus, RequestType
from causeway.messaging.reports import ReportKind
from tests.unit.device.fake_management_point import PREFIX, FakeManagementPoint


async def test_a_device_locates_its_site(
    device: DeviceClient, management_point: FakeManagementPoint, site_certificate: x509.Certificate
) -> None:
    async with device:
        located = await device.locate()
    assert located.site_code == device.state.site_code == "PS1"
    assert located.site_signing_certificate == site_certificate
    assert management_point.targets == [
        PREFIX + b"/SMS_MP_AltAuth/.sms_aut?MPLIST",
        PREFIX + b"/SMS_MP_AltAuth/.sms_aut?SITESIGNCERT",
    ]


async def test_a_device_registers_and_remembers(
    config: DeviceConfig, device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        state = await device.register()
    assert state.registered
    assert state.identity in management_point.keys
    request = management_point.registrations[0]
    assert request.request_type is RequestType.REGISTRATION
    assert request.properties["Netbios Name"] == "PC-WITH-A-LONG-"
    assert request.properties["InternetFlag"] == "1"
    async with DeviceClient(config, transport=httpx.MockTransport(management_point)) as again:
        assert again.state == state


async def test_a_pending_device_asks_again_until_it_is_approved(
    device: DeviceClient, management_point: FakeManagementPoint, waits: list[float]
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING, RegistrationStatus.PENDING]
    async with device:
        state = await device.register(wait_s=60)
    assert state.registered
    kinds = [one.request_type for one in management_point.registrations]
    assert kinds == [RequestType.REGISTRATION, RequestType.CONFIRMATION, RequestType.CONFIRMATION]
    assert management_point.registrations[1].smsid == state.identity
    assert waits == [5.0, 5.0]


async def test_a_device_that_stays_pending_stops_asking_and_confirms_the_next_time(
    device: DeviceClient, management_point: FakeManagementPoint, waits: list[float]
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING] * 3
    async with device:
        state = await device.register(wait_s=7)
        assert not state.registered
        assert waits == [5.0, 2.0]
        for work in (device.policy, device.heartbeat, device.inventory):
            with pytest.raises(PendingApprovalError, match=state.identity):
                await work()
        assert (await device.register()).registered
    assert management_point.registrations[-1].request_type is RequestType.CONFIRMATION


async def test_a_device_that_the_site_forgot_starts_over_once(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    management_point.statuses = [RegistrationStatus.PENDING, RegistrationStatus.RESET, RegistrationStatus.REGISTERED]
    async with device:
        assert (await device.register(wait_s=10)).registered
    assert [one.smsid for one in management_point.registrations][2] == ""
    assert management_point.registrations[2].request_type is RequestType.REGISTRATION


async def test_a_confirmation_that_is_not_answered_starts_over(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        await device.doubt_registration()

        def empty_once() -> httpx.Response:
            del management_point.overrides["MP_ClientRegistration"]
            return httpx.Response(200)

        management_point.overrides["MP_ClientRegistration"] = empty_once
        assert (await device.register()).registered
    assert management_point.registrations[-1].request_type is RequestType.REGISTRATION


@pytest.mark.parametrize("statuses", [[RegistrationStatus.REJECTED], [RegistrationStatus.RESET] * 2])
async def test_a_rejected_device_is_told_so(
    device: DeviceClient, management_point: FakeManagementPoint, statuses: list[RegistrationStatus]
) -> None:
    management_point.statuses = statuses
    async with device:
        with pytest.raises(RegistrationRejectedError):
            await device.register()
    assert device.state.identity == ""


async def test_nothing_is_reported_before_registration(device: DeviceClient) -> None:
    async with device:
        for work in (device.policy, device.heartbeat, device.inventory):
            with pytest.raises(NotRegisteredError, match="causeway device register"):
                await work()
        with pytest.raises(NotRegisteredError):
            await device.state_message("t", 1, 1)


async def test_a_heartbeat_names_the_device_and_its_site(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        await device.heartbeat()
    report = management_point.reports[0]
    classes = report.by_class()
    assert (report.kind, report.client_id) == (ReportKind.HEARTBEAT, device.state.identity)
    assert classes["CCM_ComputerSystem"][0]["Name"] == "PC-WITH-A-LONG-"
    assert classes["SMS_Authority"] == [{"Name": "SMS:PS1"}]
    assert {"CCM_Client", "CCM_ADSiteInfo"} <= classes.keys()
    assert device.state.heartbeat_at == report.date


async def test_an_inventory_tells_this_machines_hardware_and_software(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        sent = await device.inventory()
    report = management_point.reports[0]
    assert report.kind is ReportKind.HARDWARE_INVENTORY
    assert report.instances == sent.instances
    assert int(report.by_class()["Win32_ComputerSystem"][0]["TotalPhysicalMemory"]) > 0
    assert device.state.inventory_at == report.date


async def test_state_messages_are_numbered(device: DeviceClient, management_point: FakeManagementPoint) -> None:
    async with device:
        await device.register()
        await device.state_message("{topic}", 500, 2, parameters=("102",))
        await device.state_message("{topic}", 500, 3)
    first, second = (report.state_messages[0] for report in management_point.reports)
    assert (first.topic_id, first.topic_type, first.state_id, first.parameters) == ("{topic}", 500, 2, ("102",))
    assert (first.serial, second.serial) == (1, 2)


async def test_the_folder_is_free_again_after_use(config: DeviceConfig, device: DeviceClient) -> None:
    async with device:
        with pytest.raises(StateError):
            async with DeviceClient(config):
                pass
    async with DeviceClient(config):
        pass


async def test_a_damaged_state_leaves_the_folder_free(config: DeviceConfig, device: DeviceClient) -> None:
    config.state.mkdir()
    (config.state / "state.json").write_text("damaged")
    for _ in range(2):
        with pytest.raises(StateError, match=r"state\.json"):
            await device.__aenter__()
