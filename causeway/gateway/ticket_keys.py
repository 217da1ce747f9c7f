"""Keys for TLS session tickets, the same in every worker of an instance.

OpenSSL draws a context's ticket keys when the context is made, and Python has no way to set them. But what a process
has made is also its children's. So the supervisor makes a bare context for each day to come before it forks the
workers. A device's connection begins under the day's context, whose keys it keeps, and is handed the context with the
certificate and the trusted roots before the handshake (``Listener``).
"""

import ssl

DAY_S = 24 * 3600.0
_DAYS = 32


class TicketKeys:
    """One bare context a day.

    A day's keys are thrown away when it is over, so that nobody learns later what was said under them, and so that a
    client proves at least once a day that it has the key of its certificate. After the last day each process draws keys
    of its own: tickets are then good at the worker that issued them. Replacing the workers begins anew.
    """

    def __init__(self, now: float, *, tickets: bool, days: int = _DAYS) -> None:
        """Make the contexts at ``now`` (monotonic, in seconds); without ``tickets``, such as issue none."""
        self._tickets = tickets
        self._ahead = [self._make() for _ in range(days)]
        self._context = self._ahead.pop()
        self._ends = now + DAY_S

    def context(self, now: float) -> ssl.SSLContext:
        """What connections begin under at ``now`` (monotonic, in seconds)."""
        while now >= self._ends:
            self._context = self._ahead.pop() if self._ahead else self._make()
            self._ends += DAY_S
        return self._context

    def leave(self) -> None:
        """Go on with keys of this process's own until the day is over."""
        self._context = self._make()

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        harden(context)
        if self._tickets:
            context.options &= ~ssl.OP_NO_TICKET
        return context


def harden(context: ssl.SSLContext) -> None:
    """What holds for every TLS server of a gateway."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
