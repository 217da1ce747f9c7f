"""Ctrl-C ends a watch, whatever it meets."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence

import pytest

from causeway.cli.check.watch import watch
from causeway.observability.checks import CheckResult, Status
from causeway.preflight.probe import Probe


async def look() -> list[CheckResult]:
    return [CheckResult("one", "here", Status.FAIL, "as before", "mend it")]


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0)  # where Python notices the signal


@pytest.mark.timeout(20)
@pytest.mark.parametrize("when", ["before_a_look", "within_it", "at_its_very_end"])
def test_ctrl_c_is_not_lost(when: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = 0

    async def pressing() -> list[CheckResult]:
        press()
        if when == "at_its_very_end":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)
        else:
            await asyncio.sleep(1)
        return await look()

    def probes() -> Sequence[Probe]:
        nonlocal asked
        asked += 1
        if asked == 2 and when == "before_a_look":
            press()
        return [Probe("one", "here", pressing if asked == 2 else look)]

    before = signal.getsignal(signal.SIGINT)
    assert watch(probes, timeout_s=5, interval_s=0, until_pass=False, as_json=True) == 1
    assert asked == 2
    assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().out.count("\n") == 1
