"""The gateway's admin process: asks the workers and answers for all of them."""

import asyncio
import json
import os
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop
from prometheus_client.core import Metric

from causeway.gateway.config import GatewayConfig
from causeway.gateway.metrics import families
from causeway.observability import logging
from causeway.observability.admin import admin_app, admin_server

_ASK_TIMEOUT_S = 2.0


async def _ask(path: Path) -> dict[str, Any] | None:
    """A worker's snapshot, or None where it does not answer."""
    try:
        async with asyncio.timeout(_ASK_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                snapshot: dict[str, Any] = json.loads(await reader.read())
                return snapshot
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None


class _Workers:
    def __init__(self, config: GatewayConfig, folder: Path) -> None:
        self._paths = [folder / f"worker-{number}.sock" for number in range(config.workers)]

    async def snapshots(self) -> dict[int, dict[str, Any]]:
        answers = await asyncio.gather(*map(_ask, self._paths))
        return {number: answer for number, answer in enumerate(answers) if answer is not None}

    async def unhealthy(self) -> Sequence[str]:
        answered = await self.snapshots()
        return [f"worker {number} does not answer" for number in range(len(self._paths)) if number not in answered]

    async def not_ready(self) -> Sequence[str]:
        answered = await self.snapshots()
        reasons = [f"worker {number} does not answer" for number in range(len(self._paths)) if number not in answered]
        for number, snapshot in answered.items():
            if snapshot["draining"]:
                reasons.append(f"worker {number} is draining")
            if not snapshot["settings_version"]:
                reasons.append(f"worker {number} has no gateway settings yet")
            if not any(snapshot["tunnels"].values()):
                reasons.append(f"worker {number} has no connection point")
        return reasons

    async def metrics(self) -> Iterable[Metric]:
        return families(await self.snapshots())


def run_admin(config: GatewayConfig, sock: socket.socket, folder: Path, parent: int) -> None:
    """The life of the admin process."""
    logging.configure("gateway", level=config.log.level, form=config.log.format)
    structlog.contextvars.bind_contextvars(worker="admin")
    workers = _Workers(config, folder)
    app = admin_app(unhealthy=workers.unhealthy, not_ready=workers.not_ready, metrics=workers.metrics)
    server = admin_server(app)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        # The supervisor ends this process last; were the supervisor gone, the pipe would say so.
        loop.add_reader(parent, lambda: os._exit(0))
        await server.serve(sockets=[sock])

    uvloop.run(main())
