"""Connections to one site system, kept and used again."""

import asyncio
import ssl
from typing import NamedTuple

from causeway.connection_point.upstream import UpstreamConnection
from causeway.refusals import Refused
from causeway.transport import for_uvloop


class Origin(NamedTuple):
    """A site system's address."""

    host: str
    port: int
    tls: bool


class UpstreamPool:
    """Kept connections to one site system, the last used first.

    Attributes:
        context: of new connections; None where it does not speak TLS.
        open: connections that stand, whoever uses them.
    """

    def __init__(
        self,
        origin: Origin,
        context: ssl.SSLContext | None,
        *,
        connect_timeout_s: float,
        idle_timeout_s: float,
        limit: int,
    ) -> None:
        self.origin = origin
        self.context = context
        self._connect_timeout_s = connect_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._limit = limit
        self._idle: list[UpstreamConnection] = []  # the last used at the end
        self._connecting = 0
        self.open = 0

    def take(self, now: float) -> UpstreamConnection | None:
        """An idle connection that is still good, or None."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.alive and now - connection.idle_since < self._idle_timeout_s:
                return connection
            connection.abort()
        return None

    def keep(self, connection: UpstreamConnection, now: float) -> None:
        """Give a connection back. Whether it is still good is seen when it is taken."""
        connection.idle_since = now
        self._idle.append(connection)

    async def connect(self) -> UpstreamConnection:
        """A new connection.

        Raises:
            Refused: the site system cannot be reached, its certificate is not good, or there are too many.
        """
        if self.open + self._connecting >= self._limit:
            raise Refused("CMGConnector_Busy", f"{self.open} connections to {self.origin.host}")
        self._connecting += 1
        loop = asyncio.get_running_loop()
        host, port, tls = self.origin
        connection: UpstreamConnection
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await loop.create_connection(
                    for_uvloop(lambda: UpstreamConnection(self)),
                    host,
                    port,
                    ssl=self.context,
                    server_hostname=host if tls else None,
                )
        except ssl.SSLError as error:
            raise Refused("CMGConnector_SiteSystemCertificate", f"{host}:{port}: {error}") from error
        except (OSError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise Refused("CMGConnector_SiteSystemUnreachable", f"{host}:{port}: {reason}") from error
        finally:
            self._connecting -= 1
        return connection

    def opened(self, connection: UpstreamConnection) -> None:  # noqa: ARG002  # it is nobody's yet
        """A connection stands."""
        self.open += 1

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection ended."""
        self.open -= 1
        if connection.owner is None and connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long; the oldest come first."""
        while self._idle and now - self._idle[0].idle_since >= self._idle_timeout_s:
            self._idle.pop(0).abort()

    def close_idle(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop().abort()
