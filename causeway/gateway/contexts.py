"""The TLS contexts of a worker: what its next handshakes use."""

import ssl

from causeway.gateway.config import GatewayConfig
from causeway.gateway.ticket_keys import TicketKeys
from causeway.gateway.tls import service_context, tunnel_context
from causeway.pki.in_use import CertificateInUse

_MOST_SESSIONS = 1024


class Contexts:
    """Replaced as a whole when the certificate, its key, an authority or the trusted roots change.

    Connections that stand are not touched.

    Attributes:
        service: for devices, with certificate and trusted roots.
        sessions: what devices' connections begin under: its keys are those of session tickets.
        tunnel: for connection points.
        version: the version of the settings whose trusted roots new handshakes use.
        certificates: what to tell of in metrics.
    """

    service: ssl.SSLContext
    sessions: ssl.SSLContext
    tunnel: ssl.SSLContext

    def __init__(
        self, config: GatewayConfig, ticket_keys: TicketKeys, *, roots: tuple[str, ...], version: int, now: float
    ) -> None:
        """Read the files.

        Args:
            config: names them.
            ticket_keys: shared with the other workers.
            roots: trusted for client certificates, PEM.
            version: of the settings that they are of; 0 for none.
            now: monotonic, in seconds.

        Raises:
            StateError: a file is missing or does not fit.
        """
        self._config = config
        self._ticket_keys = ticket_keys
        self._roots = roots
        self._version = version
        self.version = 0
        service = config.service
        self._server = CertificateInUse(
            "server", service.certificate, service.key, config.tunnel.authority, take=self._take
        )
        self._server.take()
        self.sessions = ticket_keys.context(now)
        self.follow_ticket_keys(now)

    def _take(self) -> None:
        service = service_context(self._config, self._roots)
        self.tunnel = tunnel_context(self._config)
        self.service = service
        self.version = self._version

    @property
    def certificates(self) -> tuple[CertificateInUse, ...]:
        """Those in use."""
        return (self._server,)

    def apply(self, roots: tuple[str, ...], version: int, now: float) -> None:
        """Trust ``roots``, of the settings of ``version``, from the next handshake on; as soon as that is possible."""
        self._roots = roots
        self._version = version
        self.reload(now)

    def reload(self, now: float) -> bool:
        """Read the files again; where they cannot be used, what is in force stays, and every sweep tries again."""
        good = self._server.renew()
        self.follow_ticket_keys(now)
        return good

    def sweep(self, now: float) -> None:
        """Called every second: take files that were replaced, and the day's ticket keys."""
        self._server.look()
        self.follow_ticket_keys(now)

    def follow_ticket_keys(self, now: float) -> None:
        """Have connections begin under the day's keys.

        A TLS 1.2 client that takes no tickets has its session, with its certificate, kept by OpenSSL: where such
        sessions pile up, they go with the context that has them.
        """
        if self.sessions.session_stats()["number"] > _MOST_SESSIONS:
            self._ticket_keys.leave()
        sessions = self._ticket_keys.context(now)
        # These two OpenSSL takes from the context that a connection begins under.
        sessions.verify_mode = self.service.verify_mode
        sessions.num_tickets = self.service.num_tickets
        self.sessions = sessions
