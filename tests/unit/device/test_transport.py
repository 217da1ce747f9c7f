import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.device.errors import (
    AnswerMalformedError,
    AnswerRefusedError,
    UnreachableError,
    UntrustedServerError,
)
from causeway.errors import ConfigurationError
from tests.unit.device.fake_management_point import PREFIX, FakeManagementPoint


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


def test_a_proxy_that_is_no_url_is_refused(config: DeviceConfig) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        DeviceClient(replace(config, proxy="nonsense://x"))
