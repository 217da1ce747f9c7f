"""Who is at the other end of a connection, and which of its requests may pass."""

import math
import time
from typing import TYPE_CHECKING

import structlog

from causeway.gateway.publishing import Route
from causeway.http import RequestHead
from causeway.identity import ANONYMOUS
from causeway.identity.certificate import identity_of, still_trusted
from causeway.refusals import Refused

if TYPE_CHECKING:
    from causeway.gateway.worker import Worker

log = structlog.get_logger()


class Client:
    """Decided once a connection, and again when the settings have changed or a date has passed.

    Attributes:
        identity: by the certificate that the handshake verified, or anonymous.
        peer_bytes: its address, as logs want it.
        prelude: the client's part of a request's prelude.
        verified_under: the version of the settings whose trusted roots the handshake used.
    """

    __slots__ = (
        "_certificate",
        "_details",
        "_good_until",
        "_refusal",
        "_settings_seen",
        "_worker",
        "identity",
        "peer",
        "peer_bytes",
        "prelude",
        "verified_under",
    )

    def __init__(self, worker: "Worker", peer: str, certificate: bytes | None, verified_under: int) -> None:
        """Decide who the client is; ``certificate`` (DER) was verified in the handshake."""
        self._worker = worker
        self._certificate = certificate
        self.verified_under = verified_under
        self.peer = peer
        self.peer_bytes = peer.encode()
        self.identity = ANONYMOUS if certificate is None else identity_of(certificate)
        self.prelude = b" %b %b " % (self.peer_bytes, self.identity.encode())
        self._settings_seen = worker.settings_version
        self._details = ""
        self._good_until = math.inf
        self._refusal = self._decide()

    def _decide(self) -> str:
        """The word for which this client is refused, or nothing."""
        worker = self._worker
        self._settings_seen = worker.settings_version
        settings, trust = worker.store.current, worker.client_trust
        if self._certificate is None or settings is None or trust is None:
            return ""
        self._details = f"certificate {self.identity.fingerprint}"
        self._good_until = math.inf
        if self.identity.fingerprint in worker.blocked:
            return "CMGService_ClientCertificateBlocked"
        if self.verified_under < worker.roots_removed_at and not still_trusted(
            self._certificate, settings.trusted_roots
        ):
            return "CMGService_ClientCertificateUntrusted"
        decision = trust.decide(self._certificate, time.time())
        self._good_until = decision.good_until
        if decision.denial is not None:
            self._details += f": {decision.denial.details}"
            return decision.denial.word
        if decision.unchecked:
            worker.metrics.certificates_unchecked += 1
        return ""

    @property
    def name(self) -> str:
        """For logs."""
        return self.identity.subject or self.identity.fingerprint or "anonymous"

    def route(self, head: RequestHead) -> Route:
        """Where a request goes.

        Raises:
            Refused: nowhere.
        """
        worker = self._worker
        if head.forged:
            worker.metrics.forged_headers += 1
            names = b", ".join(head.forged).decode("latin-1")
            log.warning("forged headers dropped", peer=self.peer, headers=names[:200], client=self.name)
        if worker.publishing is None:
            raise Refused("CMGService_NoSettings")
        return worker.publishing.find(head.path)

    def admit(self, head: RequestHead, route: Route) -> None:
        """Let a request pass.

        Raises:
            Refused: with the word for why not.
        """
        if self._settings_seen != self._worker.settings_version or self._good_until <= time.time():
            self._refusal = self._decide()
        if self._refusal:
            raise Refused(self._refusal, self._details)
        if route.needs_certificate and self.identity is ANONYMOUS:
            raise Refused("CMGConnector_ClientCertificateRequired")
        if head.method not in route.methods:
            raise Refused("CMGService_MethodNotAllowed", head.method.decode())
        if head.content_length is not None and head.content_length > route.max_body_bytes:
            raise Refused("CMGService_BodyTooLarge", f"{head.content_length} bytes, {route.max_body_bytes} allowed")
