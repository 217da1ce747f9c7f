"""Credit: how much of a body may be on its way in one direction of one stream.

Every stream starts with the same small credit in both directions. The receiver grants more as it passes bytes on, and
grants more at a time the faster they drain, so that a stalled reader costs little and a fast one is not held back.
"""

from typing import Final

INITIAL_CREDIT: Final = 64 * 1024
MAX_CREDIT: Final = 2 * 1024 * 1024


class ReceiveCredit:
    """The receiver's side of one direction of one stream.

    Attributes:
        outstanding: bytes that the sender may still send.
    """

    __slots__ = ("_target", "outstanding")

    def __init__(self) -> None:
        self.outstanding = INITIAL_CREDIT
        self._target = INITIAL_CREDIT

    def received(self, count: int) -> bool:
        """Count bytes that came. False where the sender went beyond its credit."""
        self.outstanding -= count
        return self.outstanding >= 0

    def grant(self) -> int:
        """What to grant now that everything received has been passed on: 0 while the sender has enough."""
        if self.outstanding > self._target >> 1:
            return 0
        self._target = min(self._target << 1, MAX_CREDIT)
        granted = self._target - self.outstanding
        self.outstanding = self._target
        return granted

    def stalled(self) -> None:
        """The reader behind this stream does not keep up: start again with little."""
        self._target = INITIAL_CREDIT
