"""Microsoft Graph is asked within bounds, and what it refuses becomes an error with its remedy."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.azure.entra.answers import Organization, Registration
from causeway.azure.errors import (
    AzureAnswer,
    AzureFailed,
    AzureForbidden,
    AzureNotFound,
    AzureSignIn,
    AzureThrottled,
    AzureUnreachable,
)
from causeway.azure.graph import MAX_ANSWER_BYTES, MAX_TRIES, Graph, Limits, of_origin
from causeway.azure.graph_refusals import Answer, refusal, retry_after_s
from tests.unit.azure.fake_graph import USER, FakeGraph, failure
from tests.unit.azure.graph import CLOUD, Clock, Fixed, asking

FILTER = "/applications?$filter=displayName eq 'x'"
ORGANIZATION = "/organization"


async def test_a_collection_is_read_page_by_page() -> None:
    fake = FakeGraph()
    for _ in range(5):
        fake.application("x")
    async with asking(fake) as graph:
        assert len(await graph.every(FILTER, Registration)) == 5
    assert len(fake.asked) == 3


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.microsoft.com.evil.example/v1.0/applications",
        "http://graph.microsoft.com/v1.0/applications",
        "https://graph.microsoft.com:8443/v1.0/applications",
        "https://graph.microsoft.com@evil.example/",
        "https://user@graph.microsoft.com/",
        "/v1.0/applications",
        "https://[",
    ],
)
async def test_a_next_page_elsewhere_is_not_asked_for(link: str) -> None:
    fake = FakeGraph()
    fake.instead = lambda *_: (200, {}, json.dumps({"value": [], "@odata.nextLink": link}).encode())
    async with asking(fake) as graph:
        with pytest.raises(AzureAnswer, match="its next page is said to be elsewhere"):
            await graph.every(FILTER, Registration)
    assert len(fake.asked) == 1


async def test_pages_without_an_end_are_given_up() -> None:
    fake = FakeGraph()
    link = "https://graph.microsoft.com/v1.0/applications?$skiptoken=x"
    fake.instead = lambda *_: (200, {}, json.dumps({"value": [], "@odata.nextLink": link}).encode())
    async with asking(fake) as graph:
        with pytest.raises(AzureAnswer, match="more than 50 pages"):
            await graph.every(FILTER, Registration)


async def test_what_graph_asks_to_wait_is_waited_and_no_longer_than_the_time_that_is_left() -> None:
    fake, clock = FakeGraph(), Clock()
    busy = [failure(429, "TooManyRequests", "slow down", **{"Retry-After": "7"})] * 2
    fake.instead = lambda *_: busy.pop() if busy else None
    async with asking(fake, clock) as graph:
        assert (await graph.every(ORGANIZATION, Organization))[0].display_name == "Contoso"
    assert clock.waits == [7.0, 7.0]
    fake.instead = lambda *_: failure(429, "TooManyRequests", "slow down", **{"Retry-After": "61"})
    async with asking(fake) as graph:
        with pytest.raises(AzureThrottled, match="it asks to wait 61 s, and 60 s are left; try again later"):
            await graph.every(ORGANIZATION, Organization)


async def test_what_must_not_be_done_twice_is_not_tried_again_where_its_answer_is_lost() -> None:
    fake = FakeGraph()
    fake.instead = lambda *_: failure(503, "ServiceUnavailable", "later")
    async with asking(fake) as graph:
        with pytest.raises(AzureUnreachable):
            await graph.send("POST", "/applications/x/addPassword", {}, repeatable=False)
    assert len(fake.asked) == 1
    async with asking(fake, timeout_s=1000) as graph:
        with pytest.raises(AzureUnreachable):
            await graph.send("PATCH", "/applications/x", {})
    assert len(fake.asked) == 1 + MAX_TRIES


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (failure(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."), AzureSignIn,
         "has expired: InvalidAuthenticationToken: Lifetime validation failed, the token is expired.; sign in anew: "
         "`az login --tenant 11111111-2222-3333-4444-555555555555`"),
        (failure(401, "InvalidAuthenticationToken", "x", **{"WWW-Authenticate": 'Bearer error="insufficient_claims"'}),
         AzureSignIn, "Conditional Access.*--scope https://graph.microsoft.com/.default`"),
        (failure(403, "Forbidden", "insufficient_claims"), AzureSignIn, "Conditional Access"),
        (failure(403, "Authorization_RequestDenied", "Insufficient privileges; really"), AzureForbidden,
         "Insufficient privileges, really; have the roles granted"),
        (failure(404, "Request_ResourceNotFound", "x"), AzureNotFound, "not found"),
        (failure(400, "Request_BadRequest", "y" * 5000), AzureAnswer, "answers 400"),
        ((302, {"Location": "https://evil.example/"}, b""), AzureAnswer, "answers 302: no reason given"),
        ((200, {}, b"<html>"), AzureAnswer, "cannot be read"),
        ((200, {}, b'{"value": [{"id": 7}]}'), AzureAnswer, "cannot be read: id"),
        ((200, {}, b'{"value": [{"id"'), AzureAnswer, "cannot be read"),
        ((200, {}, b" " * (MAX_ANSWER_BYTES + 1)), AzureAnswer, "an answer of more than"),
        ((200, {"Content-Encoding": "br"}, b"x"), AzureAnswer, "an encoding that was not asked for"),
    ],
)  # fmt: skip
async def test_what_is_refused_or_cannot_be_read_says_what_to_do(
    answer: tuple[int, dict[str, str], bytes], error: type[AzureFailed], said: str
) -> None:
    fake = FakeGraph()
    fake.instead = lambda *_: answer
    async with asking(fake) as graph:
        with pytest.raises(error, match=said) as raised:
            await graph.every(ORGANIZATION, Organization)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 800
    assert USER not in str(raised.value)


async def test_a_connection_that_breaks_is_tried_again() -> None:
    fake, broken = FakeGraph(), [1, 1]

    def handle(request: httpx.Request) -> httpx.Response:
        if broken.pop() if broken else None:
            raise httpx.RemoteProtocolError("peer closed connection", request=request)
        status, more, body = fake.answer("GET", "/v1.0/organization", {"authorization": "Bearer e"}, b"")
        return httpx.Response(status, headers=more, stream=httpx.ByteStream(body))

    clock = Clock()
    limits = Limits(60, clock.sleep, lambda: clock.at)
    async with Graph(CLOUD, Fixed(), limits=limits, transport=httpx.MockTransport(handle)) as graph:
        assert await graph.every(ORGANIZATION, Organization)
    assert clock.waits == [1.0, 2.0]


@given(
    st.integers(100, 599), st.dictionaries(st.sampled_from(["Retry-After", "WWW-Authenticate"]), st.text()), st.binary()
)
def test_any_answer_becomes_an_error_of_one_line(status: int, headers: dict[str, str], body: bytes) -> None:
    error = refusal(Answer(status, headers, body), "GET /x", CLOUD, None)
    assert "\n" not in str(error)
    assert (retry_after_s(Answer(status, headers, body)) or 0.0) >= 0.0


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=9),
        lambda inner: (
            st.dictionaries(st.sampled_from(["error", "code", "message", "value", "id", "@odata.nextLink"]), inner)
            | st.lists(inner)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_judged(value: Any) -> None:
    refusal(Answer(400, {}, json.dumps(value).encode()), "GET /x", CLOUD, None)


_KEYS = st.sampled_from(
    ["value", "id", "appId", "displayName", "api", "web", "redirectUris", "requiredResourceAccess", "createdDateTime"]
)
_GUID = str(uuid.UUID(int=5))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.just(_GUID),
        lambda inner: st.dictionaries(_KEYS, inner, max_size=4) | st.lists(inner, max_size=4),
        max_leaves=12,
    ),
    st.integers(0, 9),
)
def test_any_answer_is_objects_or_an_error_of_one_line(value: Any, cut: int) -> None:
    """Also where it is cut short, is no JSON, or is as an object whose parts are of the wrong kind."""
    whole = json.dumps({"value": [{"id": _GUID, "appId": _GUID, **value} if isinstance(value, dict) else value]})
    fake = FakeGraph()
    fake.instead = lambda *_: (200, {}, whole[: len(whole) - (cut if cut > 5 else 0)].encode())

    async def ask() -> None:
        async with asking(fake) as graph:
            try:
                found = await graph.every(FILTER, Registration)
            except AzureFailed as error:
                said = str(error)
            else:
                said = " ".join(one.id for one in found)
            assert said
            assert "\n" not in said

    asyncio.run(ask())


@given(st.text(max_size=60))
def test_any_text_as_a_link_is_judged(text: str) -> None:
    of_origin(text, CLOUD.graph)
