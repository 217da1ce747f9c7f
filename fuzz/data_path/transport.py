"""One end of a connection in memory."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

_HIGH_WATER_BYTES = 64 * 1024


class TlsFacts:
    """What a protocol asks of a TLS object once the handshake is done."""

    def __init__(self, *, certificate: bytes | None = None, role: str = "", alpn: str = "") -> None:
        self._certificate = certificate
        self._role = role
        self._alpn = alpn

    def getpeercert(self, binary_form: bool = False) -> Any:  # the ssl module's signature
        """The peer's certificate: DER, or the names in it."""
        return self._certificate if binary_form else {"subjectAltName": (("URI", self._role),)}

    def selected_alpn_protocol(self) -> str:
        """The protocol that the handshake agreed on."""
        return self._alpn


class MemoryTransport(asyncio.Transport):
    """What its protocol writes stays here until it is taken, and what it is to read until ``turn`` delivers it.

    Attributes:
        stalled: the other side takes nothing.
        closed: the connection is gone.
    """

    def __init__(self, protocol: Any, tls: TlsFacts) -> None:
        super().__init__({"ssl_object": tls, "peername": ("192.0.2.7", 50000)})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._incoming: deque[bytes] = deque()
        self._end_of_input = False
        self._out: list[bytes] = []
        self._buffered = 0
        self._high = _HIGH_WATER_BYTES
        self._paused = False
        self._reading = True
        self._closing = False
        self.stalled = False
        self.closed = False

    # The other side.

    def feed(self, data: bytes) -> None:
        """Bytes from the other side."""
        if data:
            self._incoming.append(data)

    def feed_end(self) -> None:
        """The other side sends no more."""
        self._end_of_input = True

    def take(self) -> bytes:
        """What was written, unless the other side is stalled."""
        if self.stalled or not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        self._buffered = 0
        if self._closing:
            self._lost(None)
        elif self._paused:
            self._paused = False
            self._protocol.resume_writing()
        return data

    def lose(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        self._lost(error)

    def turn(self) -> bool:
        """Deliver one piece of what has come; False where there was none, or nobody reads."""
        if self.closed or self._closing or not self._reading:
            return False
        if self._incoming:
            self._deliver(self._incoming.popleft())
            return True
        if self._end_of_input:
            self._end_of_input = False
            keep_open = self._protocol.eof_received()
            if keep_open:
                self.pause_reading()
            else:
                self.close()
            return True
        return False

    def _deliver(self, data: bytes) -> None:
        protocol = self._protocol
        if hasattr(protocol, "get_buffer"):
            while data:
                buffer = memoryview(protocol.get_buffer(-1))
                count = min(len(buffer), len(data))
                buffer[:count] = data[:count]
                protocol.buffer_updated(count)
                data = data[count:]
        else:
            protocol.data_received(data)

    # The protocol's side: asyncio's interface, and what our TLS transport adds to it.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep ``data`` for the other side."""
        if self.closed or self._closing:
            return
        self._out.append(bytes(data))
        self._buffered += len(self._out[-1])
        if self._buffered > self._high and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Keep all of it."""
        self.write(b"".join(list_of_data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        """Set above how many bytes the protocol is paused."""
        self._high = _HIGH_WATER_BYTES if high is None else high

    def get_write_buffer_size(self) -> int:
        """Bytes that the other side has not taken."""
        return self._buffered

    def pause_reading(self) -> None:
        """Deliver no more."""
        self._reading = False

    def resume_reading(self) -> None:
        """Deliver again."""
        self._reading = True

    def is_reading(self) -> bool:
        """Whether bytes are delivered."""
        return self._reading and not self.closed

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._closing or self.closed

    def close(self) -> None:
        """Close once the other side has taken everything."""
        self._closing = True
        if not self._out:
            self._lost(None)

    def notice_reset(self) -> None:
        """Here everybody is told at once."""

    def close_lingering(self) -> None:
        """Close; what the other side still sends is read away."""
        self.close()

    def abort(self) -> None:
        """Close at once."""
        self._lost(None)

    def _lost(self, error: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._incoming.clear()
            if not self._closing:
                self._out.clear()
                self._buffered = 0
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)
