"""Probes run at the same time and each comes to an answer, whatever it does."""

import asyncio
from collections.abc import Sequence

import pytest

from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.errors import HostUnreachable
from causeway.preflight.probe import Probe, run_probes

GOOD = CheckResult("x", "here", Status.PASS, "good")


def raising(error: Exception) -> Probe:
    async def look() -> Sequence[CheckResult]:
        raise error

    return Probe("x", "here", look, "look there")


@pytest.mark.parametrize(
    ("error", "details", "action"),
    [
        (OperatorError("here: no such file; name another"), "no such file", "name another"),
        (OperatorError("odd"), "odd", "look there"),
        (HostUnreachable("here: refused"), "HostUnreachable: refused", "look there"),
        (ValueError("first\nsecond"), "ValueError: first", "look there"),
        (ZeroDivisionError(), "ZeroDivisionError: no reason given", "look there"),
    ],
)
async def test_a_probe_that_raises_is_a_failure_with_its_reason(error: Exception, details: str, action: str) -> None:
    assert await run_probes([raising(error)], timeout_s=30) == [CheckResult("x", "here", Status.FAIL, details, action)]


async def test_a_probe_that_does_not_end_fails_and_the_others_answer() -> None:
    async def never() -> Sequence[CheckResult]:
        await asyncio.Event().wait()
        return []

    async def good() -> Sequence[CheckResult]:
        return [GOOD]

    slow, fine = await run_probes([Probe("x", "there", never), Probe("x", "here", good)], timeout_s=0.05)
    assert (slow.status, slow.details) == (Status.FAIL, "no answer within 0.05 s")
    assert "--timeout" in slow.action
    assert fine == GOOD


async def test_probes_run_at_the_same_time() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> Sequence[CheckResult]:
        await met.wait()
        return [GOOD]

    assert await run_probes([Probe("x", "a", meet), Probe("x", "b", meet)], timeout_s=30) == [GOOD, GOOD]
