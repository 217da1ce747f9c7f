"""Accepts connection points and brings them through the TLS handshake."""

import asyncio
import socket
from typing import TYPE_CHECKING

import structlog

from causeway.gateway.handshakes import failure_reason
from causeway.gateway.tunnel import GatewayTunnel
from causeway.transport import for_uvloop

if TYPE_CHECKING:
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_HANDSHAKE_S = 10.0
_MAX_HANDSHAKES = 256


class TunnelListener:
    """One listening socket of one worker. A task for each handshake: there are few, and one that fails is told of."""

    def __init__(self, worker: "Worker", sock: socket.socket) -> None:
        self._worker = worker
        self._socket = sock
        self._handshakes: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._open = False

    def start(self) -> None:
        """Accept."""
        self._open = True
        self._worker.loop.add_reader(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more; handshakes under way go on."""
        if self._open:
            self._open = False
            self._worker.loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _accept(self) -> None:
        try:
            sock, address = self._socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError as error:
            self._worker.loop.remove_reader(self._socket.fileno())  # out of descriptors or memory: a pause, not a loop
            self._worker.loop.call_later(1.0, self._accept_again)
            log.warning("accept failed", reason=str(error))
            return
        sock.setblocking(False)
        if len(self._handshakes) >= _MAX_HANDSHAKES:
            next(iter(self._handshakes)).cancel()
        task = self._worker.loop.create_task(self._shake_hands(sock, address[0]))
        self._handshakes[task] = None
        task.add_done_callback(self._handshakes.pop)

    def _accept_again(self) -> None:
        if self._open:
            self._worker.loop.add_reader(self._socket.fileno(), self._accept)

    async def _shake_hands(self, sock: socket.socket, peer: str) -> None:
        loop, context = self._worker.loop, self._worker.contexts.tunnel
        try:
            async with asyncio.timeout(_HANDSHAKE_S):
                await loop.connect_accepted_socket(for_uvloop(lambda: GatewayTunnel(self._worker)), sock, ssl=context)
        except (OSError, TimeoutError) as error:
            reason = failure_reason(error)
            self._worker.metrics.tunnel_handshake_failures[reason] += 1
            log.info("tunnel handshake failed", peer=peer, reason=reason, details=str(error)[:200])
