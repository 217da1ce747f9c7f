"""One published endpoint, seen from inside."""

from dataclasses import dataclass

from causeway.connection_point.metrics import EndpointMetrics
from causeway.connection_point.signed_identity import SignedIdentities
from causeway.connection_point.upstream_pool import UpstreamPool
from causeway.http import RequestHead
from causeway.refusals import Refused


@dataclass(frozen=True, slots=True, eq=False)
class SiteSystemRoute:
    """Where its requests go.

    Attributes:
        external: the path prefix that devices use, in lower case.
        internal: the path that replaces it.
        host: the Host header for the site system.
        pool: kept connections to it.
        signed: who clients are, signed; None where that is not wanted.
    """

    name: str
    external: bytes
    internal: bytes
    host: bytes
    pool: UpstreamPool
    methods: frozenset[bytes]
    max_body_bytes: int
    response_timeout_s: float
    connection_bound: bool
    upgrades: frozenset[bytes]
    metrics: EndpointMetrics
    signed: SignedIdentities | None = None

    def internal_target(self, head: RequestHead) -> bytes:
        """The target at the site system; everything behind the prefix passes byte for byte.

        Raises:
            Refused: the request is not one of this endpoint; the gateway should have known.
        """
        size = len(self.external)
        target = head.target
        if target[:size].lower() != self.external or target[size : size + 1] not in (b"/", b"?", b""):
            raise Refused("CMGConnector_NotPublished")
        if head.method not in self.methods:
            raise Refused("CMGConnector_NotPublished", "the method is not published")
        if head.content_length is not None and head.content_length > self.max_body_bytes:
            raise Refused("CMGService_BodyTooLarge")
        rest = target[size:]
        if not self.internal and not rest.startswith(b"/"):
            return b"/" + rest
        return self.internal + rest
