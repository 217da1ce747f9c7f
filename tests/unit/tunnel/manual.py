"""A loop that is moved by hand and a transport that keeps what is written, for tests without time and sockets."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from fuzz.frames import FrameDecoder

Frame = tuple[int, bool, int, bytes]


class Timer:
    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def cancel(self) -> None:
        self.callback = None

    def run(self) -> None:
        if self.callback is not None:
            self.callback(*self.args)


class ManualLoop:
    """As much of an event loop as protocols use; ``advance`` moves its time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._soon: list[Timer] = []
        self._later: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(callback, args)
        self._soon.append(timer)
        return timer

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(callback, args)
        heapq.heappush(self._later, (self.now + delay, next(self._count), timer))
        return timer

    def create_future(self) -> "Future[Any]":
        return Future()

    def turn(self) -> None:
        """Run what was called soon, and what that calls soon in its turn."""
        while self._soon:
            soon, self._soon = self._soon, []
            for timer in soon:
                timer.run()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        self.turn()
        while self._later and self._later[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._later)
            timer.run()
            self.turn()
        self.now = end


class FakeTransport(asyncio.Transport):
    """Keeps what is written; ``stuck`` is a peer that reads nothing."""

    def __init__(self, protocol: Any = None, extra: dict[str, Any] | None = None) -> None:
        super().__init__(extra)
        self.protocol = protocol
        self.written = b""
        self.closed = self.aborted = self.lingers = False
        self.reading = True
        self.high = 64 * 1024
        self.stuck = False
        self.buffered = 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.closed:
            return
        self.written += bytes(data)
        if self.stuck:
            before, self.buffered = self.buffered, self.buffered + len(data)
            if before <= self.high < self.buffered:
                self.protocol.pause_writing()

    def unstick(self) -> None:
        self.stuck = False
        if self.buffered > self.high:
            self.buffered = 0
            self.protocol.resume_writing()
        self.buffered = 0

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def notice_reset(self) -> None:
        """Here everybody is told at once."""

    def close_lingering(self) -> None:
        self.closed = self.lingers = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def take(self) -> bytes:
        data, self.written = self.written, b""
        return data


def frames_of(data: bytes) -> list[Frame]:
    """The frames in ``data``."""
    frames: list[Frame] = []
    decoder = FrameDecoder(lambda *frame: frames.append(frame))
    feed(decoder, data)
    return frames


def feed(decoder: FrameDecoder, data: bytes, *, step: int | None = None) -> None:
    position = 0
    while position < len(data):
        room = decoder.buffer()
        size = min(len(room), len(data) - position, step or len(data))
        room[:size] = data[position : position + size]
        decoder.received(size)
        position += size
