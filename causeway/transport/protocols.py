"""Protocols of the event loop that descend from none of asyncio's.

A class that descends from an interpreted one cannot be compiled well, and uvloop asks a protocol for its methods only:
one that has ``get_buffer`` is read into its buffer, any other has ``data_received``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from causeway.transport.tls import TlsServerTransport


class PlainProtocol(Protocol):
    """What gets the plain bytes of a TLS connection."""

    def connection_made(self, transport: "TlsServerTransport") -> None:
        """The handshake is done."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""

    def eof_received(self) -> bool | None:
        """The peer sends no more; True keeps the connection open."""

    def pause_writing(self) -> None:
        """The peer does not keep up."""

    def resume_writing(self) -> None:
        """It keeps up again."""


def for_uvloop(make: Callable[[], Any]) -> Callable[[], Any]:
    """``make`` as the loop's methods take it, whose types ask for a descendant of ``asyncio.BaseProtocol``."""
    return make
