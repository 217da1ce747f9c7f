"""No gateway at all: what the load and the origin can do."""

from bench.systems.base import Edge, System
from bench.workbench import Workbench


class OriginAlone(System):
    """Plain HTTP, straight to the origin."""

    name = "origin"
    title = "origin alone (plain HTTP)"
    tls = False

    def start(self, edge: Edge) -> None:
        """Nothing to start: the origin runs already."""
        self.port = edge.origin.port
        self.book("edge", edge.origin.process)

    def stop(self) -> None:
        """Nothing to end: whoever started the origin ends it."""
        self._hops.clear()

    def prefix(self, *, certificate: bool) -> str:  # noqa: ARG002  # the same for both
        """The origin's own paths."""
        return ""

    @classmethod
    def version(cls, bench: Workbench) -> str:  # noqa: ARG003  # it has none of its own
        """The programs."""
        return "nginx for fixed answers, a server on uvloop for bodies and events"
