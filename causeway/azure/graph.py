"""Ask Microsoft Graph by plain REST: HTTPS, verified, bounded in time, tries, pages and bytes.

Errors are those of ``causeway.azure.errors``; what Graph refuses is read by ``graph_refusals``. Source: Microsoft's
"Use the Microsoft Graph API", "Paging", "Throttling guidance" and "Error responses and resource types".
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from causeway import __version__
from causeway.azure.errors import AzureAnswer, AzureFailed, AzureThrottled, AzureUnreachable
from causeway.azure.graph_refusals import Answer, absent_yet, refusal, retry_after_s
from causeway.azure.sign_in import one_line
from causeway.clouds import Cloud

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""The longest answer is Graph's own service principal, with some 700 KB of permissions."""
MAX_PAGES = 50
MAX_TRIES = 8
"""Of one request, where Graph is busy, cannot be reached, or does not know yet what was just made."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 16.0
_RENEW_BEFORE_S = 120
_BUSY = frozenset((429, 502, 503, 504))

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Token(Protocol):
    """An access token."""

    @property
    def token(self) -> str:
        """What is sent."""

    @property
    def expires_on(self) -> int:
        """Seconds since 1970."""


class Credential(Protocol):
    """Gives access tokens, as the Azure SDK's asynchronous credentials do."""

    async def get_token(self, *scopes: str) -> Token:
        """A token for ``scopes``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited.

    Attributes:
        timeout_s: for everything that is asked, from the first request on.
        sleep: how to wait between two tries.
        now: the clock for ``timeout_s``.
    """

    timeout_s: float = 60.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic


class _Page(BaseModel):
    value: list[dict[str, Any]]
    next_link: str | None = Field(default=None, alias="@odata.nextLink", max_length=20_000)


class Graph:
    """Microsoft Graph of one cloud, for one credential; to be used as an asynchronous context manager."""

    def __init__(
        self,
        cloud: Cloud,
        credential: Credential,
        *,
        tenant_id: str | None = None,
        proxy: str | None = None,
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            cloud: whose Graph.
            credential: gives the tokens; their tenant is the one that is asked about.
            tenant_id: the tenant that is meant, for remedies.
            proxy: ``http://host:port`` of a web proxy on the way; None for the environment's, if any.
            limits: how long is waited.
            transport: another way to ask than the network.
        """  # noqa: D205, D212
        self.cloud = cloud
        self.tenant_id = tenant_id
        self._credential = credential
        self._limits = limits or Limits()
        self._ends = self._limits.now() + self._limits.timeout_s
        self._token: Token | None = None
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The time for everything together is bounded; each request has what is left of it.
        self._client = httpx.AsyncClient(
            verify=context,
            proxy=proxy,
            transport=transport,
            follow_redirects=False,
            timeout=None,  # noqa: S113
            headers={
                "User-Agent": f"causeway/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    @property
    def scope(self) -> str:
        """OAuth scope of Graph's tokens in this cloud."""
        return f"https://{self.cloud.graph}/.default"

    async def token(self) -> Token:
        """The access token; kept until shortly before it ends.

        Raises:
            AzureFailed: there is none to be had.
        """
        if self._token is None or self._token.expires_on - time.time() < _RENEW_BEFORE_S:
            self._token = await self._within(self._credential.get_token(self.scope))
        return self._token

    async def get(self, path: str, model: type[M], *, appearing: bool = False) -> M:
        """One object.

        Args:
            path: behind ``/v1.0``, with its query.
            model: what is read of it.
            appearing: it was made just now, so that "not found" is no answer yet.

        Raises:
            AzureNotFound: there is none.
            AzureFailed: of the kind that fits.
        """
        answer = await self._answer("GET", self._url(path), None, {}, repeatable=True, appearing=appearing)
        return self._read(answer, model)

    async def every(self, path: str, model: type[M], *, eventual: bool = False) -> list[M]:
        """A whole collection, page by page.

        Args:
            path: behind ``/v1.0``, with its query.
            model: what is read of each.
            eventual: the query is one of those that Graph answers from an index that may lag.

        Raises:
            AzureFailed: of the kind that fits.
        """
        headers = {"ConsistencyLevel": "eventual"} if eventual else {}
        url, found = self._url(path), list[M]()
        for _ in range(MAX_PAGES):
            answer = await self._answer("GET", url, None, headers, repeatable=True, appearing=False)
            page = self._read(answer, _Page)
            found += [self._valid(each, model) for each in page.value]
            if page.next_link is None:
                return found
            url = page.next_link
            if not of_origin(url, self.cloud.graph):
                raise AzureAnswer(f"{self.cloud.graph}: its next page is said to be elsewhere: {one_line(url[:200])}")
        raise AzureAnswer(f"{self.cloud.graph}: more than {MAX_PAGES} pages")

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        create_if_missing: bool = False,
        repeatable: bool = True,
        appearing: bool = False,
    ) -> Answer:
        """Change something.

        Args:
            method: ``POST`` or ``PATCH``.
            path: behind ``/v1.0``.
            body: as JSON.
            create_if_missing: a ``PATCH`` makes what is not there.
            repeatable: doing it twice is the same as once, so that it is tried again where the answer is lost.
            appearing: what it needs was made just now, so that "not found" is no answer yet.

        Raises:
            AzureFailed: of the kind that fits.
        """
        headers = {"Prefer": "create-if-missing"} if create_if_missing else {}
        return await self._answer(method, self._url(path), body, headers, repeatable=repeatable, appearing=appearing)

    def read(self, answer: Answer, model: type[M]) -> M:
        """What an answer holds.

        Raises:
            AzureAnswer: it is something else.
        """
        return self._read(answer, model)

    async def _answer(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        *,
        repeatable: bool,
        appearing: bool,
    ) -> Answer:
        pause_s, renewed, tries = _FIRST_PAUSE_S, False, 0
        while True:
            tries += 1
            wait_s = pause_s
            try:
                answer = await self._once(method, url, body, headers)
                if answer.ok:
                    return answer
                error = refusal(answer, f"{method} {httpx.URL(url).path}", self.cloud, self.tenant_id)
                if answer.status == httpx.codes.UNAUTHORIZED and not renewed:
                    # Once anew, since a kept token may have been revoked; a fresh one that is refused, is.
                    self._token, renewed = None, True
                    continue
                if answer.status in _BUSY and (repeatable or answer.status == httpx.codes.TOO_MANY_REQUESTS):
                    wait_s = max(retry_after_s(answer) or 0.0, pause_s)
                elif not (appearing and absent_yet(answer)):
                    raise error
            except AzureUnreachable as unreachable:
                if not repeatable:
                    raise
                error = unreachable
            if tries == MAX_TRIES:
                raise error
            if wait_s >= (left_s := self._left_s()):
                raise self._too_long(error, wait_s, left_s)
            await self._limits.sleep(wait_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _too_long(self, error: AzureFailed, wait_s: float, left_s: float) -> AzureFailed:
        if isinstance(error, AzureThrottled):
            return AzureThrottled(
                f"{self.cloud.graph}: too many questions: it asks to wait {wait_s:.0f} s, and {max(left_s, 0):.0f} s "
                "are left; try again later, or with a longer --timeout"
            )
        return error

    async def _once(self, method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Answer:
        token = (await self.token()).token
        try:
            return await self._within(self._exchange(method, url, body, headers, token))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            text = one_line(str(error) or type(error).__name__)
            remedy = f"open HTTPS to {self.cloud.graph}, or name a web proxy in HTTPS_PROXY"
            if "certificate verify failed" in text.lower():
                remedy = "where a proxy opens TLS on the way, let SSL_CERT_FILE name a file that has its authority, too"
            raise AzureUnreachable(f"{self.cloud.graph}: not reached: {text}; {remedy}") from None

    async def _exchange(
        self, method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], token: str
    ) -> Answer:
        sent = {**headers, "Authorization": f"Bearer {token}"}
        async with self._client.stream(method, url, json=body, headers=sent) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise AzureAnswer(f"{self.cloud.graph}: an encoding that was not asked for")
            found = bytearray()
            async for chunk in response.aiter_raw():
                found += chunk
                if len(found) > MAX_ANSWER_BYTES:
                    raise AzureAnswer(f"{self.cloud.graph}: an answer of more than {MAX_ANSWER_BYTES} bytes")
            return Answer(response.status_code, response.headers, bytes(found))

    async def _within(self, work: Awaitable[T]) -> T:
        left_s = self._left_s()
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                return await work
        except TimeoutError:
            raise AzureUnreachable(
                f"{self.cloud.graph}: no whole answer within {self._limits.timeout_s:.0f} s; try again later, or with "
                "a longer --timeout"
            ) from None

    def _left_s(self) -> float:
        return self._ends - self._limits.now()

    def _url(self, path: str) -> str:
        return f"https://{self.cloud.graph}/v1.0{path}"

    def _read(self, answer: Answer, model: type[M]) -> M:
        try:
            return model.model_validate_json(answer.body)
        except ValidationError as error:
            raise self._unreadable(error) from None

    def _valid(self, value: Any, model: type[M]) -> M:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: ValidationError) -> AzureAnswer:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "all of it"
        why = one_line(f"{where}: {first['msg']}")
        return AzureAnswer(
            f"{self.cloud.graph}: the answer cannot be read: {why}; see that no proxy on the way answers in its place, "
            "and try again"
        )

    async def close(self) -> None:
        """Forget the token and close the connections."""
        self._token = None
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def of_origin(link: str, host: str) -> bool:
    """Whether ``link`` is HTTPS to ``host`` at its own port, and says no user."""
    try:
        url = httpx.URL(link)
    except httpx.InvalidURL:
        return False
    return (url.scheme, url.host, url.port or 443, url.userinfo) == ("https", host, 443, b"")
