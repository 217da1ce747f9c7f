"""Accepts devices' connections and brings them through the TLS handshake."""

import socket
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from causeway.gateway.addresses import Address, Addresses
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
        addresses: what each client address has.
    """

    def __init__(self, worker: "Worker", sock: socket.socket) -> None:
        self._worker = worker
        self._socket = sock
        self._limits = worker.config.limits
        self._handshakes: dict[TlsServerTransport, tuple[float, str, Address]] = {}  # the oldest first
        self._refused: Counter[str] = Counter()
        self._accepting = False
        self.addresses = Addresses()
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
            from_there = self.addresses.of(peer)
            if from_there.connections >= self._limits.max_connections_per_address:
                sock.close()
                self._refused[peer] += 1
                continue
            from_there.connections += 1
            try:
                sock.setblocking(False)
                self._begin(sock, address, peer, from_there)
            except (OSError, ValueError):
                sock.close()
                self.left(from_there)

    def _begin(self, sock: socket.socket, address: tuple[str, int], peer: str, from_there: Address) -> None:
        # Whoever is slowest gives way: honest clients finish within a few round trips. One address makes its own wait
        # before it makes others wait.
        if len(from_there.handshakes) >= self._limits.max_handshakes_per_address:
            self._give_way(next(iter(from_there.handshakes)))
        elif len(self._handshakes) >= self._limits.max_handshakes:
            self._give_way(next(iter(self._handshakes)))
        protocol = ClientConnection(self._worker, peer, from_there)
        contexts = self._worker.contexts
        tls = contexts.sessions.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        # OpenSSL stays with the first one for sessions, and takes all else from this one.
        tls.context = contexts.service
        transport = TlsServerTransport(self._worker.loop, tls, protocol, address, self._handshake_done)
        from_there.handshakes[transport] = None
        self._handshakes[transport] = (self._worker.now() + self._limits.handshake_timeout_s, peer, from_there)
        transport.start()

    def _give_way(self, transport: TlsServerTransport) -> None:
        transport.fail_handshake(TimeoutError("gave way to newer handshakes"))

    def _handshake_done(self, transport: TlsServerTransport, error: Exception | None) -> None:
        _, peer, address = self._handshakes.pop(transport)
        del address.handshakes[transport]
        metrics = self._worker.metrics
        if error is None:
            metrics.handshakes += 1
            metrics.handshakes_resumed += bool(transport.get_extra_info("ssl_object").session_reused)
            return
        self.left(address)
        reason = failure_reason(error)
        metrics.handshake_failures[reason] += 1
        log.info("handshake failed", peer=peer, reason=reason, details=str(error)[:200])

    def left(self, address: Address) -> None:
        """One of its connections ended."""
        address.connections -= 1
        if not address.connections:
            self.addresses.forget(address)

    def sweep(self, now: float) -> None:
        """End handshakes that take too long, accept again where there is room, and tell of those turned away."""
        late = [transport for transport, (deadline, *_) in self._handshakes.items() if deadline < now]
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
