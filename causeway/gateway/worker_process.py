"""A worker as a process: its life, and the snapshot of its counters that it hands to the admin process."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import structlog
import uvloop

from causeway.compiled import data_path_is_compiled
from causeway.gateway.config import GatewayConfig
from causeway.gateway.ticket_keys import TicketKeys
from causeway.gateway.worker import Worker, WorkerSockets
from causeway.observability import logging

log = structlog.get_logger()

_SWITCH_S = 0.0005


def run_worker(
    config: GatewayConfig, number: int, sockets: WorkerSockets, folder: Path, ticket_keys: TicketKeys
) -> None:
    """The life of a worker process. Its snapshot is served on a socket in ``folder``, for the admin process."""
    logging.configure("gateway", level=config.log.level, form=config.log.format)
    structlog.contextvars.bind_contextvars(worker=number)

    # Tokens are verified in a thread; what the event loop has to do does not wait for long until it lets go.
    sys.setswitchinterval(_SWITCH_S)

    async def main() -> None:
        worker = Worker(config, number, sockets, ticket_keys)

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(json.dumps(snapshot_of(worker)).encode())
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()

        path = folder / f"worker-{number}.sock"
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(answer, path)

        def ready() -> None:
            log.info(
                "serving", pid=os.getpid(), settings_version=worker.settings_version, compiled=data_path_is_compiled()
            )
            with contextlib.suppress(BrokenPipeError):  # nobody waits
                os.write(sockets.ready, b"\n")
            os.close(sockets.ready)

        await worker.run(ready)
        server.close()  # the path stays: it may be a successor's by now

    uvloop.run(main())


def snapshot_of(worker: Worker) -> dict[str, Any]:
    """All counters, as JSON takes them."""
    metrics = worker.metrics
    tunnels = [tunnel for tunnel in worker.tunnels if tunnel.name]
    names = {tunnel.name for tunnel in tunnels}
    return {
        "endpoints": {name: endpoint.snapshot() for name, endpoint in metrics.endpoints.items()},
        "refusals": dict(metrics.refusals),
        "handshakes": metrics.handshakes,
        "handshakes_resumed": metrics.handshakes_resumed,
        "handshake_failures": dict(metrics.handshake_failures),
        "settings_refused": dict(metrics.settings_refused),
        "forged_headers": metrics.forged_headers,
        "certificates_unchecked": metrics.certificates_unchecked,
        "certificate_questions": dict(metrics.certificate_questions),
        "token_verifications": dict(metrics.token_verifications),
        "addresses_limited": metrics.addresses_limited,
        "tokens_known": len(worker.tokens),
        "entra_keys": worker.entra_keys.snapshot(),
        "tunnel_handshake_failures": dict(metrics.tunnel_handshake_failures),
        "tunnel_refusals": dict(metrics.tunnel_refusals),
        "tunnels_lost": metrics.tunnels_lost,
        "connections_refused": metrics.connections_refused,
        "connections": worker.listener.open_connections,
        "requests_in_flight": sum(len(tunnel.streams) for tunnel in tunnels),
        "tunnels": {name: sum(t.name == name and t.usable for t in tunnels) for name in names},
        "streams": {name: sum(len(t.streams) for t in tunnels if t.name == name) for name in names},
        "streams_held": {name: sum(t.held_streams for t in tunnels if t.name == name) for name in names},
        "settings_version": worker.settings_version,
        "certificate_not_after_seconds": {
            one.name: one.not_after for one in worker.contexts.certificates if one.not_after
        },
        "draining": worker.draining,
    }
