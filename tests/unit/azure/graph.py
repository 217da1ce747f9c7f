"""The product's Graph client on the fake, without sockets and without waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx

from causeway.azure.entra.directory import Directory
from causeway.azure.entra.who import SignedIn, signed_in
from causeway.azure.graph import Graph, Limits
from causeway.clouds import CLOUDS, CloudName
from causeway.plan.applications import ApplicationRole
from causeway.plan.document import Plan
from causeway.plan.values import ClientAuthentication, Target
from tests.unit.azure.fake_graph import TENANT, USER, FakeGraph
from tests.unit.plan.plans import contoso

CLOUD = CLOUDS[CloudName.GLOBAL]


class AccessToken(NamedTuple):
    token: str
    expires_on: int


class Fixed:
    """A credential with one token."""

    def __init__(self, token: str = USER) -> None:
        self.given = token

    async def get_token(self, *scopes: str) -> AccessToken:
        assert scopes == ("https://graph.microsoft.com/.default",)
        return AccessToken(self.given, 2**40)


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)


def entra_plan(target: Target = Target.CAUSEWAY) -> Plan:
    return contoso(target=target, clients__authentication=(ClientAuthentication.ENTRA,))


def transport(fake: FakeGraph) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        assert (request.url.scheme, request.url.host) == ("https", fake.host)
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, more, body = fake.answer(request.method, request.url.raw_path.decode(), headers, request.content)
        return httpx.Response(status, headers=more, stream=httpx.ByteStream(body))

    return httpx.MockTransport(handle)


@contextlib.asynccontextmanager
async def asking(fake: FakeGraph, clock: Clock | None = None, timeout_s: float = 60.0) -> AsyncIterator[Graph]:
    clock = clock or Clock()
    limits = Limits(timeout_s, clock.sleep, lambda: clock.at)
    async with Graph(CLOUD, Fixed(), tenant_id=TENANT, limits=limits, transport=transport(fake)) as graph:
        yield graph


@contextlib.asynccontextmanager
async def tenant(
    fake: FakeGraph, plan: Plan, named: dict[ApplicationRole, str] | None = None, token: str = USER
) -> AsyncIterator[tuple[Directory, SignedIn]]:
    from causeway.azure.credentials import token_claims  # the product's way to read a token

    async with asking(fake) as graph:
        claims = token_claims(AccessToken(token, 0))  # type: ignore[arg-type]  # the SDK's has the same fields
        yield Directory(graph, plan, named or {}), signed_in(claims)
