"""Keeps a tunnel to every worker of one gateway instance."""

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from causeway.connection_point.config import GatewaySection
from causeway.connection_point.tls import gateway_context
from causeway.connection_point.tunnel import ConnectionPointTunnel
from causeway.errors import StateError
from causeway.transport import for_uvloop
from causeway.transport.proxy import connect_through
from causeway.transport.reasons import why
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.handshake import GatewayHello

if TYPE_CHECKING:
    from causeway.connection_point.service import ConnectionPoint

log = structlog.get_logger()

_FIRST_PAUSE_S = 0.1
_DIAL_TIMEOUT_S = 15.0


class Dialer:
    """Dials one instance. Its first worker tells how many there are; each listens on the port after the last."""

    def __init__(self, point: "ConnectionPoint", gateway: GatewaySection) -> None:
        self._point = point
        self._gateway = gateway
        host, _, port = gateway.address.rpartition(":")
        self._host = host.strip("[]")
        self._port = int(port)
        self._workers: dict[int, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Dial the first worker."""
        self._keep(0)

    def stop(self) -> None:
        """Dial no more; tunnels that stand are not touched."""
        for task in self._workers.values():
            task.cancel()

    def _keep(self, worker: int) -> None:
        if worker not in self._workers:
            self._workers[worker] = asyncio.create_task(self._keep_tunnel(worker), name=f"dial {self._host} {worker}")

    def _learned(self, hello: GatewayHello) -> None:
        """How many workers there are, which may change from one start of the gateway to the next."""
        for worker in range(hello.workers):
            self._keep(worker)
        for worker in [number for number in self._workers if number >= hello.workers]:
            self._workers.pop(worker).cancel()

    async def _keep_tunnel(self, worker: int) -> None:
        """Dial, wait until the tunnel drains or ends, dial again; pause longer after each failure in a row."""
        failures = 0
        while True:
            reason = ""
            try:
                tunnel = await self._dial(worker)
                hello = await tunnel.ready
                failures = 0
                self._point.metrics.dials["connected"] += 1
                if worker == 0:
                    self._learned(hello)
                await tunnel.leaving.wait()
            except (OSError, TunnelError, TimeoutError, StateError) as error:
                reason = why(error)
            if reason:
                failures += 1
                self._point.metrics.dials["failed"] += 1
                log.warning(
                    "gateway not reached",
                    gateway=f"{self._host}:{self._port + worker}",
                    attempt=failures,
                    reason=reason,
                )
            longest = self._point.config.limits.max_retry_s
            pause = min(longest, _FIRST_PAUSE_S * 2 ** min(failures, 16))
            # Jitter keeps many connection points from coming back in step.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # not a secret

    async def _dial(self, worker: int) -> ConnectionPointTunnel:
        loop = asyncio.get_running_loop()
        config = self._point.config
        # Read anew each time, so that a renewed certificate is taken without a restart.
        context = gateway_context(config, self._gateway)
        host, port = self._host, self._port + worker
        tunnel: ConnectionPointTunnel
        async with asyncio.timeout(_DIAL_TIMEOUT_S):
            proxy = config.proxy.web_proxy
            if proxy is not None:
                sock = await connect_through(proxy, host, port)
                _, tunnel = await loop.create_connection(
                    for_uvloop(lambda: ConnectionPointTunnel(self._point)),
                    sock=sock,
                    ssl=context,
                    server_hostname=self._gateway.name or host,
                )
            else:
                _, tunnel = await loop.create_connection(
                    for_uvloop(lambda: ConnectionPointTunnel(self._point)),
                    host,
                    port,
                    ssl=context,
                    server_hostname=self._gateway.name or host,
                )
        return tunnel
