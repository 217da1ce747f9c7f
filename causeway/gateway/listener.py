"""Accepts devices' connections and brings them through the TLS handshake."""

import socket
import ssl
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from causeway.gateway.client_connection import ClientConnection
from causeway.gateway.handshakes import failure_reason
from causeway.transport import TlsServerTransport

if TYPE_CHECKING:
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_ACCEPTS_PER_TURN = 8  # each costs a signature, and others wait for their turn
_BACKLOG = 4096
_ROOM = 64


class Listener:
    """One listening socket of one worker.

    Attributes:
        context: for the next connection; replaced when settings or certificates change.
    """

    def __init__(self, worker: "Worker", sock: socket.socket, context: ssl.SSLContext) -> None:
        self._worker = worker
        self._socket = sock
        self._limits = worker.config.limits
        self._handshakes: dict[TlsServerTransport, tuple[float, str]] = {}  # the oldest first
        self._by_address: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._accepting = False
        self.context = context
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # of those accepted, too: Linux has them inherit it

    @property
    def open_connections(self) -> int:
        """Those in the handshake and those past it."""
        return len(self._handshakes) + len(self._worker.connections)

    def start(self) -> None:
        """Accept."""
        if not self._accepting:
            self._accepting = True
            self._worker.loop.add_reader(self._socket.fileno(), self._accept)

    def stop(self) -> None:
        """Accept no more for now; what waits in the kernel's queue stays there."""
        if self._accepting:
            self._accepting = False
            self._worker.loop.remove_reader(self._socket.fileno())

    def close(self) -> None:
        """Accept no more for good. Whoever waits in the kernel's queue is let in first: closing would turn it away."""
        if self._accepting:
            self._accept(_BACKLOG)
        self.stop()
        self._socket.close()

    def _accept(self, most: int = _ACCEPTS_PER_TURN) -> None:
        for _ in range(most):
            if self.open_connections >= self._limits.max_connections:
                if not self._worker.close_idle(_ROOM):
                    self.stop()  # all are busy; the sweep starts it again when there is room
                    log.warning("as many connections as allowed", connections=self.open_connections)
                return  # those closed are gone with the next turn
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # gone already
            except OSError as error:
                self.stop()  # out of descriptors or memory; the sweep starts it again
                log.warning("accept failed", reason=str(error), connections=self.open_connections)
                return
            peer = address[0].partition("%")[0]
            if self._by_address[peer] >= self._limits.max_connections_per_address:
                sock.close()
                self._refused[peer] += 1
                continue
            try:
                sock.setblocking(False)
                self._begin(sock, address, peer)
            except (OSError, ValueError):
                sock.close()

    def _begin(self, sock: socket.socket, address: tuple[str, int], peer: str) -> None:
        if len(self._handshakes) >= self._limits.max_handshakes:
            # Whoever is slowest gives way: honest clients finish within a few round trips.
            oldest = next(iter(self._handshakes))
            oldest.fail_handshake(TimeoutError("gave way to newer handshakes"))
        loop = self._worker.loop
        protocol = ClientConnection(self._worker, peer)
        transport = TlsServerTransport(loop, sock, self.context, protocol, address, self._handshake_done)
        self._by_address[peer] += 1
        self._handshakes[transport] = (self._worker.now() + self._limits.handshake_timeout_s, peer)
        transport.start()

    def _handshake_done(self, transport: TlsServerTransport, error: Exception | None) -> None:
        _, peer = self._handshakes.pop(transport)
        metrics = self._worker.metrics
        if error is None:
            metrics.handshakes += 1
            return
        self.left(peer)
        reason = failure_reason(error)
        metrics.handshake_failures[reason] += 1
        log.info("handshake failed", peer=peer, reason=reason, details=str(error)[:200])

    def left(self, peer: str) -> None:
        """A connection from ``peer`` ended."""
        self._by_address[peer] -= 1
        if not self._by_address[peer]:
            del self._by_address[peer]

    def sweep(self, now: float) -> None:
        """End handshakes that take too long, accept again where there is room, and tell of those turned away."""
        late = [transport for transport, (deadline, _) in self._handshakes.items() if deadline < now]
        for transport in late:
            transport.fail_handshake(TimeoutError("the handshake took too long"))
        if not self._worker.draining and not self._accepting and self.open_connections < self._limits.max_connections:
            self.start()
        if self._refused:
            total = self._refused.total()
            self._worker.metrics.connections_refused += total
            peer, most = self._refused.most_common(1)[0]
            log.warning("too many connections from one address", refused=total, peer=peer, refused_of_it=most)
            self._refused.clear()
