"""What the checks in Azure share: one connection for all that run at the same time, and how failures become results."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from causeway.azure.errors import AzureFailed, AzureSignIn
from causeway.azure.sign_in import CredentialSource
from causeway.clouds import CLOUDS
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.preflight.probe import Probe

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

Look = Callable[["Azure"], Awaitable[Sequence[CheckResult]]]


class Connection:
    """The plan's subscription; opened by whoever uses it first and closed by whoever uses it last."""

    def __init__(self, plan: Plan, source: CredentialSource) -> None:
        self._plan = plan
        self._source = source
        self._lock: asyncio.Lock
        self._users = 0
        self._open: contextlib.AsyncExitStack | None = None
        self._azure: Azure | None = None

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator["Azure"]:
        """The connection.

        Raises:
            AzureSignIn: the environment's credentials cannot be read.
        """
        if not self._users:
            self._lock = asyncio.Lock()  # one for each look, since each may have an event loop of its own
        self._users += 1
        try:
            async with self._lock:
                if self._azure is None:
                    self._open = contextlib.AsyncExitStack()
                    self._azure = await self._open.enter_async_context(self._connect())
                azure = self._azure
            yield azure
        finally:
            self._users -= 1
            if not self._users and self._open is not None:
                opened, self._open, self._azure = self._open, None, None
                await opened.aclose()

    def _connect(self) -> contextlib.AbstractAsyncContextManager["Azure"]:
        from causeway.azure.clients import Target, connect  # noqa: PLC0415  # an extra, and slow to load

        where = self._plan.azure
        return connect(
            Target(
                CLOUDS[where.cloud], where.subscription_id or "", where.tenant_id, self._source, self._plan.proxy.url
            )
        )


def probe(name: str, target: str, connection: Connection, look: Look, *, signed_out: Status = Status.SKIP) -> Probe:
    """A probe that asks Azure.

    Args:
        name: the check.
        target: what is looked at.
        connection: the way to Azure.
        look: gives the results; may raise ``AzureFailed``.
        signed_out: how it ends where signing in fails, which one check alone reports as a failure.
    """

    async def looked() -> Sequence[CheckResult]:
        signed_in = False
        try:
            async with connection.use() as azure:
                try:
                    return await look(azure)
                finally:
                    signed_in = azure.credential.used is not None
        except AzureSignIn as error:
            # Who had a token, and is refused with it, has another problem than who has none.
            return [failed(name, target, error, Status.FAIL if signed_in else signed_out)]
        except AzureFailed as error:
            return [failed(name, target, error)]

    return Probe(name, target, looked)


def said(result: CheckResult) -> Probe:
    """A probe for what is known already."""

    async def look() -> Sequence[CheckResult]:
        return [result]

    return Probe(result.name, result.target, look)


def failed(name: str, target: str, error: AzureFailed, status: Status = Status.FAIL) -> CheckResult:
    """A check that could not be made, with the error's own remedy."""
    what, _, remedy = str(error).partition("; ")
    if status is Status.SKIP:  # whose action is not printed
        return CheckResult(name, target, status, f"not looked at: {what}" + (f"; {remedy}" if remedy else ""))
    return CheckResult(name, target, status, f"{error.word}: {what}", sentence(remedy))


def sentence(text: str) -> str:
    """With a capital letter and a full stop, unless it begins with a command."""
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
