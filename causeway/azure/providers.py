"""Resource providers of a subscription: looked at, registered, and waited for."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from causeway.azure.clients import Azure

REGISTERED = "Registered"
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 10.0

Report = Callable[[Mapping[str, str]], None]
"""Is told the state of each provider, each time that they were looked at."""


async def states(azure: Azure, names: Sequence[str]) -> dict[str, str]:
    """What Azure says of each: ``Registered``, ``Registering``, ``NotRegistered``, ``Unregistering``.

    Raises:
        AzureFailed: Azure cannot be asked.
    """
    return dict(zip(names, await asyncio.gather(*(_state(azure, name) for name in names)), strict=True))


async def _state(azure: Azure, name: str) -> str:
    with azure.explained(f"the resource provider {name}"):
        return str((await azure.resources.providers.get(name)).registration_state)


async def register(azure: Azure, names: Sequence[str], report: Report) -> dict[str, str]:
    """Register those that are not, and wait until all are; nothing is done where they are already.

    Ends only when all are registered: who calls it bounds the time, and what was last reported is what there is.

    Raises:
        AzureFailed: Azure refuses, or cannot be asked.
    """
    found = await states(azure, names)
    report(found)
    for name, state in found.items():
        if state not in {REGISTERED, "Registering"}:
            with azure.explained(f"registering {name}"):
                await azure.resources.providers.register(name)
    wait_s = _FIRST_WAIT_S
    while waiting := [name for name, state in found.items() if state != REGISTERED]:
        await asyncio.sleep(wait_s)
        wait_s = min(_LONGEST_WAIT_S, wait_s * 1.5)
        found |= await states(azure, waiting)
        report(found)
    return found
