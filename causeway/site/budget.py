"""How much of what clients send may be in memory at once, all clients together."""

import contextlib
from collections.abc import Iterator

from causeway.site.errors import Busy


class ByteBudget:
    """Counts bytes that are held. Whoever would go beyond the limit is refused, and nobody waits for another.

    Bytes count when they have come, not when they are announced: who is slow to send holds only what it sent.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """A client's part of the budget; what it holds is given back in the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held


class Share:
    """What one request holds."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, size: int) -> None:
        """Hold ``size`` bytes more.

        Raises:
            Busy: that is beyond the limit.
        """
        budget = self._budget
        if budget.held + size > budget.limit:
            raise Busy(f"{budget.held} bytes of messages are in memory, and the limit is {budget.limit}")
        budget.held += size
        self.held += size
