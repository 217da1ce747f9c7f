"""The tunnel's adapter to asyncio: one TLS connection, frames in both directions, written once per turn of the loop.

A buffered protocol with one preallocated buffer, and writes cut so that the TLS layer's memory buffer never grows: of
all the ways measured this costs the least per byte.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from causeway.tunnel.errors import TunnelError, TunnelLost
from causeway.tunnel.frames import HEADER, FrameReader, FrameType
from causeway.tunnel.handshake import PING_INTERVAL_S, PING_TIMEOUT_S
from causeway.tunnel.stream import Stream

_WRITE_BYTES: Final = 64 * 1024
_HIGH_WATER_BYTES: Final = 1024 * 1024
_pack: Final = HEADER.pack
_DATA: Final = int(FrameType.DATA)
_CREDIT: Final = int(FrameType.CREDIT)
_PING: Final = int(FrameType.PING)
_PONG: Final = int(FrameType.PONG)


class Tunnel(FrameReader):
    """What both ends share: framing, writing, pings, and the table of streams. A buffered protocol for uvloop.

    A subclass takes the frames that are its own in ``control`` and ``stream_frame``, and ``ended`` once at the end.

    Attributes:
        streams: the streams under way, by number.
        paused: the socket does not keep up.
        held_streams: how many streams hold bytes back for want of credit.
        last_heard: loop time of the last bytes from the peer.
        asked: loop time of the first PING since then; 0 for none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.streams: dict[int, Any] = {}
        self.paused = False
        self.held_streams = 0
        self.last_heard = 0.0
        self.asked = 0.0
        self.bytes_in = 0
        self.bytes_out = 0
        self._out: list[bytes] = []
        self._flush_scheduled = False
        self._waiting: dict[Stream, None] = {}  # in the order in which they began to wait
        self._after_batch: list[Callable[[], None]] = []
        self._pinger: asyncio.TimerHandle | None = None
        self._failure: TunnelError | None = None

    # What a subclass adds.

    def opened(self) -> None:
        """The connection stands."""

    def control(self, kind: int, end: bool, payload: bytes) -> None:
        """A frame of stream 0 other than PING and PONG."""
        raise NotImplementedError

    def stream_frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """A frame of a stream other than CREDIT and DATA for a stream under way."""
        raise NotImplementedError

    def data_for_unknown(self, number: int) -> None:
        """DATA, CREDIT or RESET for a stream that is not under way: fine if it was, an error if it never was."""
        raise NotImplementedError

    def ended(self, error: TunnelError | None) -> None:
        """The tunnel is gone; None where it was closed in good order."""
        raise NotImplementedError

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to ping, and tell the subclass."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self.last_heard = self.loop.time()
        self._pinger = self.loop.call_later(PING_INTERVAL_S, self._ping)
        self.opened()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        """Where the next bytes go."""
        return self.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Decode what has come, then let those who gathered output for it write it at once."""
        self.last_heard = self.loop.time()
        self.asked = 0.0
        self.bytes_in += nbytes
        try:
            self.received(nbytes)
        except TunnelError as error:
            self.fail(error)
        if self._after_batch:
            batch, self._after_batch = self._after_batch, []
            for callback in batch:
                callback()

    def eof_received(self) -> bool:
        """A peer that sends no more has closed the tunnel."""
        return False

    def after_batch(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when all frames that came together have been handled."""
        self._after_batch.append(callback)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the subclass why."""
        if self._pinger is not None:
            self._pinger.cancel()
        self.transport = None
        self._out.clear()
        self._waiting.clear()
        if self._failure is None and (exc is not None or self.streams):
            self._failure = TunnelLost(str(exc) if exc else "the peer closed the connection")
        self.ended(self._failure)

    def pause_writing(self) -> None:
        """The socket does not keep up: streams hold their data."""
        self.paused = True

    def resume_writing(self) -> None:
        """The socket keeps up again: streams that hold data for its sake go on."""
        self.paused = False
        while self._waiting and not self.paused:
            stream = next(iter(self._waiting))
            del self._waiting[stream]
            if self.streams.get(stream.number) is stream and stream.release():
                stream.resume_source()
            self._flush()  # at once: the socket may have enough already, and the others go on waiting

    def frame(self, kind: int, end: bool, number: int, payload: bytes) -> None:
        """Pings are answered here, streams take their own, the rest is the subclass's."""
        if number == 0:
            if kind == _PING:
                if not self.paused:  # a peer that reads nothing gets no answers piled up for it
                    self.send(_PONG, 0, b"")
            elif kind != _PONG:
                self.control(kind, end, payload)
        elif kind == _DATA:
            stream = self.streams.get(number)
            if stream is None:
                self.data_for_unknown(number)
            else:
                stream.data_received(payload, end)
        elif kind == _CREDIT:
            stream = self.streams.get(number)
            if stream is None:
                self.data_for_unknown(number)
            else:
                stream.add_credit(payload)
        else:
            self.stream_frame(kind, end, number, payload)

    # The streams' side.

    def send(self, kind: int, stream: int, payload: bytes) -> None:
        """Send one frame with this turn of the loop; ``kind`` may carry END."""
        out = self._out
        out.append(_pack(kind, stream, len(payload)))
        if payload:
            out.append(payload)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush)

    def send_two(self, kind: int, stream: int, first: bytes, second: bytes) -> None:
        """Send one frame with two pieces as its payload."""
        self._out += (_pack(kind, stream, len(first) + len(second)), first, second)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush)

    def wait(self, stream: Stream) -> None:
        """Release ``stream`` when the socket keeps up again."""
        self._waiting[stream] = None

    def held_changed(self, count: int) -> None:
        """Count the streams that hold bytes back."""
        self.held_streams += count

    def _flush(self) -> None:
        self._flush_scheduled = False
        transport = self.transport
        if transport is None or not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        self.bytes_out += len(data)
        if len(data) <= _WRITE_BYTES:
            transport.write(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), _WRITE_BYTES):
            transport.write(view[start : start + _WRITE_BYTES])

    # Ends.

    def fail(self, error: TunnelError) -> None:
        """Close the tunnel because of ``error``."""
        if self.transport is not None and self._failure is None:
            self._failure = error
            self.transport.abort()

    def close(self) -> None:
        """Close in good order, after what was sent."""
        if self.transport is not None:
            self._flush()
            self.transport.close()

    def ask(self) -> None:
        """Ask for a sign of life."""
        self.send(_PING, 0, b"")
        self.asked = self.asked or self.loop.time()

    def _ping(self) -> None:
        """Ask a silent peer for a sign of life; give a tunnel up that has been silent for both times."""
        silent = self.loop.time() - self.last_heard
        if silent >= PING_INTERVAL_S + PING_TIMEOUT_S:
            self.fail(TunnelLost(f"no sign of life for {silent:.0f} s"))
            return
        if silent >= PING_INTERVAL_S / 2:
            self.ask()
        self._pinger = self.loop.call_later(PING_INTERVAL_S / 2, self._ping)
