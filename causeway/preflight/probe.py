"""Probes, and how they run: all at once, each within the time limit, each to an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from causeway.errors import CausewayError, OperatorError
from causeway.observability.checks import CheckResult, Status


class Group(StrEnum):
    """What can be checked alone; in the order in which it is printed."""

    NAMES = "names"
    AZURE = "azure"
    CERTIFICATE = "certificate"
    DNS = "dns"
    NETWORK = "network"
    DIRECTORY = "directory"
    SITE = "site"
    ENTRA = "entra"


@dataclass(frozen=True, slots=True)
class Probe:
    """Something to look at.

    Attributes:
        name: the check that fails where ``look`` raises or does not end.
        target: what is looked at.
        look: gives the results; may raise.
        action: what to do where it raises, unless the error says so itself.
    """

    name: str
    target: str
    look: Callable[[], Awaitable[Sequence[CheckResult]]]
    action: str = ""


async def run_probes(
    probes: Iterable[Probe], *, timeout_s: float, ended: Callable[[Probe], None] = lambda _: None
) -> list[CheckResult]:
    """The results of all probes, in the probes' order. Nothing is raised: what goes wrong is a result.

    Args:
        probes: what to look at, all at the same time.
        timeout_s: for each, and so for all.
        ended: told of each that has come to its end.
    """

    async def run(probe: Probe) -> Sequence[CheckResult]:
        results = await _run(probe, timeout_s)
        ended(probe)
        return results

    found = await asyncio.gather(*map(run, probes))
    return [result for results in found for result in results]


async def _run(probe: Probe, timeout_s: float) -> Sequence[CheckResult]:
    try:
        return await asyncio.wait_for(probe.look(), timeout_s)
    except TimeoutError:
        why, action = f"no answer within {timeout_s:g} s", probe.action or "Try again with a longer --timeout."
    except OperatorError as error:
        message, _, remedy = str(error).removeprefix(f"{probe.target}: ").partition("; ")
        why, action = message, remedy or probe.action
    except CausewayError as error:
        why, action = f"{error.word}: {str(error).removeprefix(f'{probe.target}: ')}", probe.action
    except Exception as error:  # whatever came from outside, it is a line and no traceback
        first = (str(error) or "no reason given").splitlines()[0]
        why, action = f"{type(error).__name__}: {first}", probe.action
    return [CheckResult(probe.name, probe.target, Status.FAIL, why, action)]
