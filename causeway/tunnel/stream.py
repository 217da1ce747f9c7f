"""One side of one stream: sends within its credit, and counts what it receives."""

from typing import Final, Protocol

from causeway.tunnel.credit import INITIAL_CREDIT, ReceiveCredit
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.frames import END, MAX_PAYLOAD_BYTES, FrameType

_DATA: Final = int(FrameType.DATA)
_DATA_END: Final = _DATA | END
_TRAILERS_END: Final = int(FrameType.TRAILERS) | END
_CREDIT: Final = int(FrameType.CREDIT)


class Carrier(Protocol):
    """What a stream needs of its tunnel."""

    paused: bool
    """The tunnel's socket does not keep up; nothing large may be sent."""

    def send(self, kind: int, stream: int, payload: bytes) -> None:
        """Send one frame."""

    def wait(self, stream: "Stream") -> None:
        """Call ``stream.release()`` when the tunnel is writable again."""

    def held_changed(self, count: int) -> None:
        """``count`` more streams (or fewer, when negative) hold bytes back for want of credit."""


class Stream(ReceiveCredit):
    """Base of both ends' exchanges, with the credit of what it receives.

    A subclass says what to do with what arrives, and how to slow its source.
    """

    __slots__ = ("_held", "_held_end", "_held_trailers", "credit_out", "number", "tunnel")

    def __init__(self, tunnel: Carrier, number: int) -> None:
        super().__init__()
        self.tunnel = tunnel
        self.number = number
        self.credit_out = INITIAL_CREDIT
        self._held: bytes | None = None
        self._held_end: bool  # these two are set when something is held
        self._held_trailers: bytes

    def pause_source(self) -> None:
        """Bytes are held back: read no more from where they come."""
        raise NotImplementedError

    def resume_source(self) -> None:
        """Nothing is held back any more."""
        raise NotImplementedError

    def send_data(self, data: bytes, *, end: bool = False) -> None:
        """Send ``data`` as far as credit and socket allow, hold the rest and pause the source."""
        size = len(data)
        if self._held is None and size <= self.credit_out and size <= MAX_PAYLOAD_BYTES and not self.tunnel.paused:
            self.credit_out -= size
            self.tunnel.send(_DATA_END if end else _DATA, self.number, data)
            return
        self._held_end = end
        if self._held is not None:
            self._held += data
            return
        self._held, self._held_trailers = data, b""
        self.tunnel.held_changed(1)
        if not self.release():
            self.pause_source()

    def send_end(self, trailers: bytes = b"") -> None:
        """Say that the body is complete."""
        if self._held is not None:
            self._held_end, self._held_trailers = True, trailers
        elif trailers:
            self.tunnel.send(_TRAILERS_END, self.number, trailers)
        else:
            self.tunnel.send(_DATA_END, self.number, b"")

    def add_credit(self, payload: bytes) -> None:
        """The receiver grants more.

        Raises:
            TunnelError: the frame is malformed, or grants more than any receiver would.
        """
        granted = int.from_bytes(payload, "big")
        self.credit_out += granted
        if len(payload) != 4 or self.credit_out > 1 << 31:
            raise TunnelError("a malformed CREDIT frame")
        if self._held is not None and self.release():
            self.resume_source()

    def release(self) -> bool:
        """Send what is held back, as far as credit and socket allow. True where nothing is held any more."""
        held = self._held
        if held is None:
            return True
        position, size = 0, len(held)
        while position < size:
            if self.tunnel.paused:
                self.tunnel.wait(self)
                break
            length = min(size - position, self.credit_out, MAX_PAYLOAD_BYTES)
            if length == 0:
                break
            self.credit_out -= length
            self.tunnel.send(_DATA, self.number, held[position : position + length])
            position += length
        if position < size:
            self._held = held[position:]
            return False
        self.drop_held()
        if self._held_end:
            self.send_end(self._held_trailers)
        return True

    def drop_held(self) -> None:
        """Forget what is held back: it was sent, or nobody wants it any more."""
        if self._held is not None:
            self._held = None
            self.tunnel.held_changed(-1)

    @property
    def holding(self) -> bool:
        """Whether bytes are held back."""
        return self._held is not None

    def count_received(self, count: int) -> None:
        """Count bytes of the body that came.

        Raises:
            TunnelError: the sender went beyond its credit.
        """
        if not self.received(count):
            raise TunnelError("data beyond the credit of its stream")

    def grant_credit(self) -> None:
        """Everything received has been passed on: let the sender send more."""
        granted = self.grant()
        if granted:
            self.tunnel.send(_CREDIT, self.number, granted.to_bytes(4, "big"))
