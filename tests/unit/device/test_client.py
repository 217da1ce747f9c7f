import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from cryptography import x509

from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.device.errors import (
    AnswerEmptyError,
    AnswerMalformedError,
    AnswerRefusedError,
    NotRegisteredError,
    PendingApprovalError,
    PolicyIncompleteError,
    RegistrationRejectedError,
    UnreachableError,
    UntrustedServerError,
)
from causeway.errors import ConfigurationError, StateError
from causeway.messaging.assignments import (
    AssignmentAction,
    PolicyAssignment,
    PolicyFlags,
    ReplyType,
    body_location,
)
from causeway.messaging.conditions import Condition, Expression
from causeway.messaging.enveloped import seal
from causeway.messaging.policy import ClientSettings, PolicyBody, hash_body
from causeway.messaging.registration import RegistrationStatus, RequestType
from causeway.messaging.reports import ReportKind
from tests.unit.device.fake_management_point import FakeManagementPoint

PREFIX = b"/CCM_Proxy_ServerAuth/72057594037927937"
BODY = PolicyBody("{p}", "1.00", (ClientSettings(7, 8, 9).to_instance(),)).to_bytes()


def assign(
    management_point: FakeManagementPoint,
    *,
    policy_id: str = "{p}",
    body: bytes = BODY,
    served: bytes | None = None,
    flags: PolicyFlags = PolicyFlags.NONE,
    version: str = "1.00",
) -> PolicyAssignment:
    assignment = PolicyAssignment(
        f"a-{policy_id}", policy_id, version, body_location(policy_id, version), flags=flags, hash_ex=hash_body(body)
    )
    management_point.assignments.append(assignment)
    management_point.bodies[f"{policy_id}.{version.replace('.', '_')}"] = body if served is None else served
    return assignment


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


async def test_a_device_without_certificate_posts_to_altauth_on_a_connection_of_its_own(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
    request = management_point.requests[-1]
    assert (request.method, management_point.targets[-1]) == ("CCM_POST", PREFIX + b"/ccm_system_altauth/request")
    assert request.headers["Connection"] == "close"


async def test_a_device_may_keep_its_connection(config: DeviceConfig, management_point: FakeManagementPoint) -> None:
    kept = replace(config, keep_connections=True)
    async with DeviceClient(kept, transport=httpx.MockTransport(management_point)) as device:
        await device.register()
    assert management_point.requests[-1].headers["Connection"] == "keep-alive"


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
            with pytest.raises(NotRegisteredError, match="register it first"):
                await work()
        with pytest.raises(NotRegisteredError):
            await device.state_message("t", 1, 1)


async def test_policies_are_received_with_raw_braces_in_the_target(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    assign(management_point)
    async with device:
        await device.register()
        change = await device.policy()
    assert (change.reply_type, change.received, change.removed) == (ReplyType.FULL, 1, 0)
    assert management_point.targets[-1] == PREFIX + b"/SMS_MP_AltAuth/.sms_pol?{p}.1_00"
    assert device.state.client_settings() == ClientSettings(7, 8, 9)
    assert device.state.policy_at is not None


async def test_the_cookie_goes_back_and_a_delta_changes_what_it_names(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    for policy_id in ("{stays}", "{goes}", "{changes}"):
        assign(management_point, policy_id=policy_id)
    async with device:
        await device.register()
        await device.policy()
        management_point.reply_type = ReplyType.DELTA
        management_point.assignments = [
            PolicyAssignment("a-{goes}", "{goes}", "1.00", "", action=AssignmentAction.DELETE)
        ]
        assign(management_point, policy_id="{changes}", version="2.00")
        fetched = len(management_point.targets)
        change = await device.policy()
    assert management_point.cookies == ["", "cookie-1"]
    assert (change.reply_type, change.received, change.removed) == (ReplyType.DELTA, 1, 1)
    assert {(one.policy_id, one.version) for one in device.state.policies} == {
        ("{stays}", "1.00"),
        ("{changes}", "2.00"),
    }
    assert len(management_point.targets) == fetched + 2


async def test_a_full_reply_replaces_everything_and_fetches_only_what_is_new(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    for policy_id in ("{stays}", "{goes}"):
        assign(management_point, policy_id=policy_id)
    async with device:
        await device.register()
        await device.policy()
        del management_point.assignments[1]
        change = await device.policy(full=True)
    assert management_point.cookies == ["", ""]
    assert (change.received, change.removed) == (0, 1)
    assert [one.policy_id for one in device.state.policies] == ["{stays}"]


@pytest.mark.parametrize("flags", [PolicyFlags.REQUIRES_AUTH, PolicyFlags.SECRET])
async def test_a_protected_policy_is_asked_for_with_a_signed_token(
    device: DeviceClient, management_point: FakeManagementPoint, flags: PolicyFlags
) -> None:
    assign(management_point, flags=flags)
    management_point.protected.add("{p}.1_00")
    async with device:
        await device.register()
        assert (await device.policy()).received == 1


async def test_an_enveloped_policy_is_opened_and_its_hash_is_of_the_clear_text(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        certificate = management_point.registrations[0].encryption_certificate
        assign(management_point, flags=PolicyFlags.SECRET, served=seal(BODY, certificate))
        await device.policy()
    assert device.state.client_settings() == ClientSettings(7, 8, 9)


async def test_what_cannot_be_received_is_said_and_asked_for_again(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    assign(management_point, policy_id="{good}")
    assign(management_point, policy_id="{changed-on-the-way}", served=BODY + b" \0")
    assign(management_point, policy_id="{missing}")
    del management_point.bodies["{missing}.1_00"]
    async with device:
        await device.register()
        with pytest.raises(PolicyIncompleteError, match=r"changed-on-the-way.*and 1 more"):
            await device.policy()
        assert [one.policy_id for one in device.state.policies] == ["{good}"]
        assert (device.state.server_cookie, device.state.policy_at) == ("", None)


async def test_an_older_version_holds_until_the_newer_one_is_here(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    assign(management_point)
    async with device:
        await device.register()
        await device.policy()
        management_point.assignments.clear()
        assign(management_point, version="2.00", served=b"damaged")
        with pytest.raises(PolicyIncompleteError):
            await device.policy()
        assert [one.version for one in device.state.policies] == ["1.00"]


async def test_a_location_elsewhere_is_not_followed(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    management_point.assignments.append(
        PolicyAssignment("a", "{p}", "1.00", "https://elsewhere/SMS_MP/.sms_pol?{p}.1_00")
    )
    async with device:
        await device.register()
        with pytest.raises(PolicyIncompleteError, match="placeholder"):
            await device.policy()


async def test_a_policy_for_the_intranet_is_noted_and_not_fetched(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    assign(management_point, flags=PolicyFlags.INTRANET_ONLY)
    async with device:
        await device.register()
        await device.policy()
    assert [one.body for one in device.state.policies] == [""]


async def test_a_conditional_policy_is_kept_and_not_applied(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    assignment = assign(management_point)
    condition = Condition((Expression("SELECT * FROM Win32_Battery"),))
    management_point.assignments = [replace(assignment, condition=condition)]
    async with device:
        await device.register()
        await device.policy()
    assert [one.conditional for one in device.state.policies] == [True]
    assert device.state.client_settings() == ClientSettings()


async def test_a_message_that_is_not_accepted_is_told_from_an_answer(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    async with device:
        await device.register()
        management_point.overrides["MP_PolicyManager"] = lambda: httpx.Response(200, headers={"X-Request-Id": "r-1"})
        with pytest.raises(AnswerEmptyError, match="r-1"):
            await device.policy()


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


async def test_a_refusal_shows_status_reason_and_request_id(
    device: DeviceClient, management_point: FakeManagementPoint
) -> None:
    management_point.overrides["sms_aut"] = lambda: httpx.Response(
        503, headers={"X-Request-Id": "r-7"}, extensions={"reason_phrase": b"CMGService_NoConnectionPoint"}
    )
    async with device:
        with pytest.raises(AnswerRefusedError) as caught:
            await device.locate()
    assert str(caught.value) == "503 CMGService_NoConnectionPoint (request r-7)"


def failing(error: Exception) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        raise error

    return answer


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("failed")
    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "unable to get local issuer certificate"
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (failing(httpx.ConnectError("refused")), UnreachableError),
        (failing(httpx.ReadError("")), UnreachableError),
        (failing(TimeoutError()), UnreachableError),
        (failing(untrusted()), UntrustedServerError),
        (failing(httpx.RemoteProtocolError("bad")), AnswerMalformedError),
        (lambda: httpx.Response(200, content=b"<html>"), AnswerMalformedError),
        (lambda: httpx.Response(200, content=b"<MPList/>"), AnswerMalformedError),
    ],
)
async def test_what_went_wrong_on_the_way_is_one_error_of_the_tree(
    device: DeviceClient,
    management_point: FakeManagementPoint,
    answer: Callable[[], httpx.Response],
    expected: type[Exception],
) -> None:
    management_point.overrides["sms_aut"] = answer
    async with device:
        with pytest.raises(expected):
            await device.locate()


async def test_an_answer_without_end_is_not_read_to_it(
    device: DeviceClient, management_point: FakeManagementPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("causeway.device.transport.MAX_ANSWER_BYTES", 1000)
    management_point.overrides["sms_aut"] = lambda: httpx.Response(200, content=b"x" * 1001)
    async with device:
        with pytest.raises(AnswerMalformedError, match="more than 1000"):
            await device.locate()


async def test_an_answer_that_does_not_come_is_given_up(config: DeviceConfig) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    hurried = replace(config, timeout_s=0.01)
    async with DeviceClient(hurried, transport=httpx.MockTransport(never)) as device:
        with pytest.raises(UnreachableError, match=r"0\.01 s"):
            await device.locate()


@pytest.mark.parametrize("answer", [b"not multipart", b"--x--"])
async def test_a_reply_that_is_no_message_is_refused(
    device: DeviceClient, management_point: FakeManagementPoint, answer: bytes
) -> None:
    management_point.overrides["MP_ClientRegistration"] = lambda: httpx.Response(200, content=answer)
    async with device:
        with pytest.raises(AnswerMalformedError):
            await device.register()


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


def test_a_proxy_that_is_no_url_is_refused(config: DeviceConfig) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        DeviceClient(replace(config, proxy="nonsense://x"))
