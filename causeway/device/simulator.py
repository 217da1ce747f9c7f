"""Many devices, each with the code of one: they register, get their policy and send a heartbeat."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace

import httpx

from causeway.device.access import Access, Authentication
from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.errors import CausewayError, OperatorError


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """How far one device came, and by what it is known.

    ``identity`` is its SMSID or empty; ``error`` says why it stopped, empty: it did not.
    """

    name: str
    authentication: Authentication
    identity: str = ""
    registered: bool = False
    policy: bool = False
    heartbeat: bool = False
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything went through."""
        return self.registered and self.policy and self.heartbeat

    @classmethod
    def not_yet(cls, config: DeviceConfig) -> "DeviceResult":
        """That of a device which has yet to begin."""
        return cls(config.name, Access.of(config).authentication)

    def to_json(self) -> dict[str, str | bool]:
        """Return what programs are shown of a result."""
        return {
            "name": self.name,
            "authentication": self.authentication,
            "identity": self.identity,
            "registered": self.registered,
            "policy": self.policy,
            "heartbeat": self.heartbeat,
        }


async def simulate(
    devices: Iterable[DeviceConfig],
    *,
    concurrency: int = 8,
    wait_s: float = 30.0,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncGenerator[DeviceResult, None]:
    """Run each device once and yield its result as it comes to its end.

    Each device has a state folder of its own, so a second run meets the same devices again.

    Args:
        devices: the devices, told apart by name and state folder; taken one by one as there is room.
        concurrency: how many are under way at once.
        wait_s: how long each goes on asking while its approval is pending.
        transport: httpx's transport, for tests; None connects with TLS.

    Raises:
        OperatorError: a device's folder or certificate cannot be used.
    """
    waiting = iter(devices)
    running: set[asyncio.Task[DeviceResult]] = set()
    done: set[asyncio.Task[DeviceResult]] = set()
    try:
        while True:
            while len(running) < concurrency and (config := next(waiting, None)) is not None:
                running.add(asyncio.create_task(run_device(config, wait_s=wait_s, transport=transport)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, *done, return_exceptions=True)


async def run_device(
    config: DeviceConfig, *, wait_s: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
) -> DeviceResult:
    """Register one device, get its policy, send its heartbeat; what goes wrong on the way is in the result.

    Raises:
        OperatorError: its folder or its certificate cannot be used, which no second try mends.
    """
    result = DeviceResult.not_yet(config)
    try:
        async with DeviceClient(config, transport=transport) as client:
            state = await client.register(wait_s=wait_s)
            result = replace(result, identity=state.identity, registered=state.registered)
            await client.policy()
            result = replace(result, policy=True)
            await client.heartbeat()
            result = replace(result, heartbeat=True)
    except OperatorError:
        raise
    except CausewayError as problem:
        result = replace(result, error=f"{problem.word}: {problem}")
    return result
