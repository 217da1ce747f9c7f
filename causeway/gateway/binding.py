"""A client's connection that belongs to one of the connection point's, for Negotiate and NTLM."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.gateway.tunnel import GatewayTunnel
    from causeway.gateway.worker import Worker


class Binding:
    """Leads the connection-bound requests of one client down one tunnel, under one number."""

    __slots__ = ("_number", "_tunnel", "_worker")

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._tunnel: GatewayTunnel | None = None
        self._number = 0

    def tunnel(self) -> "tuple[GatewayTunnel, bytes]":
        """The tunnel and the number in the request's prelude; new ones where the tunnel is gone.

        Raises:
            Refused: no tunnel can take it.
        """
        if self._tunnel is None or not self._tunnel.usable:
            self._tunnel = self._worker.tunnels.choose()
            self._number = self._worker.next_binding()
        return self._tunnel, b"%d" % self._number

    def release(self) -> None:
        """The client is gone: its connection to the site system may go, too."""
        if self._tunnel is not None:
            self._tunnel.release_binding(self._number)
            self._tunnel = None
