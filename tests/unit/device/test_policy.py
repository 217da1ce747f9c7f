from dataclasses import replace

import httpx
import pytest

from causeway.device.client import DeviceClient
from causeway.device.errors import (
    AnswerEmptyError,
    PolicyIncompleteError,
)
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
from tests.unit.device.fake_management_point import PREFIX, FakeManagementPoint

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
