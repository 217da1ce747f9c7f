"""The checks in Azure share one connection, each time that they look."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.azure.errors import AzureSignIn, AzureThrottled
from causeway.azure.sign_in import CredentialSource
from causeway.observability.checks import CheckResult, Status
from causeway.preflight.azure.connection import Connection, probe
from causeway.preflight.probe import run_probes
from tests.unit.plan.plans import contoso


class Counted(Connection):
    """Opens nothing, and counts; a connection that takes a moment to open."""

    def __init__(self) -> None:
        super().__init__(contoso(), CredentialSource.ANY)
        self.opened = self.closed = 0

    @contextlib.asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        self.opened += 1
        try:
            yield SimpleNamespace(credential=SimpleNamespace(used=None))
        finally:
            self.closed += 1


def test_many_checks_open_it_once_a_look_and_every_look_may_have_its_own_event_loop() -> None:
    connection = Counted()

    async def look(_: Any) -> list[CheckResult]:
        await asyncio.sleep(0)
        return [CheckResult("azure x", "y", Status.PASS, "well")]

    for looks in (1, 2):
        found = asyncio.run(run_probes([probe("azure x", "y", connection, look)] * 5, timeout_s=5))
        assert [each.status for each in found] == [Status.PASS] * 5
        assert (connection.opened, connection.closed) == (looks, looks)


@pytest.mark.parametrize(
    ("error", "used", "status", "details"),
    [
        (AzureSignIn("no credentials; sign in"), None, Status.SKIP, "not looked at: no credentials; sign in"),
        (
            AzureSignIn("not signed in: expired; sign in"),
            "azure-cli",
            Status.FAIL,
            "AzureSignIn: not signed in: expired",
        ),
        (AzureThrottled("busy; try later"), None, Status.FAIL, "AzureThrottled: busy"),
    ],
)
def test_only_who_never_had_a_token_is_skipped(error: Exception, used: Any, status: Status, details: str) -> None:
    async def look(azure: Any) -> list[CheckResult]:
        azure.credential.used = used
        raise error

    (found,) = asyncio.run(run_probes([probe("azure x", "y", Counted(), look)], timeout_s=5))
    assert (found.status, found.details) == (status, details)
