"""Who is at the other end of a connection, and which of its requests may pass."""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from causeway.gateway.publishing import Route
from causeway.http import RequestHead
from causeway.identity import ANONYMOUS, Denial, Denied
from causeway.identity.certificate import identity_of, names_of, still_trusted
from causeway.pki.fingerprints import fingerprints_of
from causeway.refusals import Refused

if TYPE_CHECKING:
    from causeway.gateway.tokens import Bearer
    from causeway.gateway.worker import Worker

log = structlog.get_logger()


def _nothing() -> None:
    """Nobody waits for the answer."""


class Client:
    """Decided once a connection, and again when the settings have changed or a date has passed.

    Attributes:
        identity: by the certificate that the handshake verified, or anonymous.
        peer_bytes: its address, as logs want it.
        prelude: its part of the prelude of requests that are admitted by no token.
        verified_under: the version of the settings whose trusted roots the handshake used.
    """

    __slots__ = (
        "_asks",
        "_bearer",
        "_certificate",
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
        self._bearer: Bearer | None = None  # of the token by which the last request was admitted
        self._settings_seen = worker.settings_version
        self._good_until = math.inf
        self._asks = False
        self._refusal = self._decide()

    def _decide(self) -> Denial | None:
        """Why the certificate is refused, whatever the request."""
        worker = self._worker
        self._settings_seen = worker.settings_version
        self._asks = False
        settings, trust = worker.store.current, worker.client_trust
        if self._certificate is None or settings is None or trust is None:
            return None
        self._good_until = math.inf
        blocks = worker.blocks
        names = names_of(self._certificate) if blocks.names else frozenset[str]()
        fingerprints = fingerprints_of(self._certificate) if blocks.certificates else frozenset[str]()
        if (denial := blocks.denial(self.identity, names, fingerprints=fingerprints)) is not None:
            return denial
        if self.verified_under < worker.roots_removed_at and not still_trusted(
            self._certificate, settings.trusted_roots
        ):
            return Denial(
                "CMGService_ClientCertificateUntrusted",
                f"certificate {self.identity.fingerprint}",
                "Give the device a certificate of a root that is trusted.",
            )
        now = time.time()
        decision = trust.decide(
            self._certificate, now, worker.certificate_statuses.known(self.identity.fingerprint, now)
        )
        self._good_until, self._asks = decision.good_until, decision.asks
        if decision.unchecked:
            worker.metrics.certificates_unchecked += 1
        return decision.denial

    @property
    def name(self) -> str:
        """For logs."""
        return (self._bearer or self).identity.name

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

    def _unchanged(self) -> bool:
        """Whether neither the settings have changed nor a date has passed since it was decided who the client is."""
        return self._settings_seen == self._worker.settings_version and time.time() < self._good_until

    def admits_again(self) -> bool:
        """Whether a request that was admitted with ``prelude``, by no token, would be admitted again as it was.

        Someone else may have looked in the meantime, and found the client refused or in doubt.
        """
        self._bearer = None
        return self._refusal is None and not self._asks and self._unchanged()

    def admit(self, head: RequestHead, route: Route, again: Callable[[], None]) -> tuple[RequestHead, bytes] | None:
        """Let a request pass.

        Returns:
            The head that passes on and the client's part of its prelude. None while the client's token is being
            verified or the site is asked about its certificate; ``again`` is called when that is done, and the request
            is to be admitted anew.

        Raises:
            Refused: with the word for why not.
        """
        if not self._unchanged():
            self._refusal = self._decide()
        if self._asks and self._ask(again):
            return None
        if self._refusal is not None:
            raise Denied.of(self._refusal)
        prelude = self.prelude
        if route.token_kinds and not self._certificate_counts(route):
            headers = self._worker.tokens.headers
            token = headers.find(head.fields)
            bearer = self._bearer = self._bearer_of(token, route, again)
            if token:
                if bearer is None:
                    return None
                prelude = b" %b %b " % (self.peer_bytes, bearer.encoded)
                if not route.forward_token:
                    head = head.with_fields(headers.without(head.fields))
        elif route.needs_certificate and self.identity is ANONYMOUS:
            raise Refused("CMGConnector_ClientCertificateRequired")
        if head.method not in route.methods:
            raise Refused("CMGService_MethodNotAllowed", head.method.decode())
        if head.content_length is not None and head.content_length > route.max_body_bytes:
            raise Refused("CMGService_BodyTooLarge", f"{head.content_length} bytes, {route.max_body_bytes} allowed")
        return head, prelude

    def _ask(self, again: Callable[[], None]) -> bool:
        """Whether the site is being asked about the certificate; it may have answered on another connection."""
        self._refusal = self._decide()
        if not self._asks or self._certificate is None:
            return False
        return self._worker.certificate_statuses.ask(self._certificate, self.identity.fingerprint, again)

    def _certificate_counts(self, route: Route) -> bool:
        """A client with both a certificate and a token shows the certificate, unless a token is wanted."""
        return route.takes_certificate and self.identity is not ANONYMOUS

    def _bearer_of(self, token: bytes, route: Route, again: Callable[[], None]) -> "Bearer | None":
        self._bearer = None
        if not token:
            if route.open:
                return None
            raise Refused("CMGService_TokenRequired")
        bearer = self._worker.tokens.bearer(token, self.peer, again)
        if bearer is None:
            return None
        if bearer.denial is not None:
            if bearer.good:
                self._bearer = bearer  # so that the log can name it
            raise Denied.of(bearer.denial)
        if bearer.identity.kind not in route.token_kinds:
            self._bearer = bearer
            raise Refused("CMGService_TokenNotAccepted", f"a {bearer.identity.kind}")
        return bearer

    def refused_now(self, route: Route) -> Denial | None:
        """Why the request under way, which was admitted to ``route``, would be refused by now; None where it would not.

        For requests that last, such as a WebSocket: a client that is blocked, or whose token or certificate has ended,
        is not to go on for hours.
        """
        if not self._unchanged():
            self._refusal = self._decide()
        if self._asks:
            self._ask(_nothing)  # whoever only waits makes no request that would ask; the next look sees the answer
        if self._asks:
            return None  # nobody knows yet
        bearer = self._bearer if route.token_kinds and not self._certificate_counts(route) else None
        if self._refusal is None and bearer is not None:
            return self._worker.tokens.still_good(bearer)
        return self._refusal
