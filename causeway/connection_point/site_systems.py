"""From published endpoints to the internal URLs behind them."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from causeway.connection_point.metrics import EndpointMetrics
from causeway.connection_point.questions import Questions
from causeway.connection_point.route import SiteSystemRoute
from causeway.connection_point.signed_identity import IdentitySigner, SignedIdentities, audience_of, issuer_of
from causeway.connection_point.upstream_pool import Origin, UpstreamPool
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.gateway_settings.status import MAX_CERTIFICATE_BYTES, STATUS_ENDPOINT, STATUS_PATH

_STATUS_TIMEOUT_S = 15.0


class SiteSystems:
    """All routes of one version of the settings. Pools outlive a version: kept connections stay kept.

    Attributes:
        routes: by the endpoint's name.
        questions: reads what gateways ask.
        pools: kept connections by site system.
        metrics: by the endpoint's name.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        signer: IdentitySigner | None = None,
        *,
        connect_timeout_s: float,
        idle_timeout_s: float,
        limit: int,
    ) -> None:
        """Call them with ``context``; without a ``signer``, endpoints that want identities signed are refused."""
        self._context = context
        self._signer = signer
        self._connect_timeout_s = connect_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._limit = limit
        self.routes: dict[bytes, SiteSystemRoute] = {}
        self.questions = Questions(self.routes)
        self.pools: dict[Origin, UpstreamPool] = {}
        self.metrics: dict[str, EndpointMetrics] = {}

    def apply(self, settings: GatewaySettings) -> None:
        """Take the endpoints of ``settings``."""
        endpoints = [*settings.endpoints, *_own_endpoints(settings)]
        issuer = issuer_of(settings.site_code)
        self.routes = {endpoint.name.encode(): self._route(endpoint, issuer) for endpoint in endpoints}
        self.questions = Questions(self.routes)
        used = {route.pool for route in self.routes.values()}
        for origin, pool in list(self.pools.items()):
            if pool not in used:
                pool.close_idle()
                del self.pools[origin]

    def use(self, context: ssl.SSLContext) -> None:
        """Make new connections with ``context``, which has a renewed certificate."""
        self._context = context
        for pool in self.pools.values():
            if pool.origin.tls:
                pool.context = context

    def _route(self, endpoint: Endpoint, issuer: str) -> SiteSystemRoute:
        url = urlsplit(endpoint.upstream)
        tls = url.scheme == "https"
        origin = Origin(url.hostname or "", url.port or (443 if tls else 80), tls)
        pool = self.pools.get(origin)
        if pool is None:
            pool = self.pools[origin] = UpstreamPool(
                origin,
                self._context if tls else None,
                connect_timeout_s=self._connect_timeout_s,
                idle_timeout_s=self._idle_timeout_s,
                limit=self._limit,
            )
        return SiteSystemRoute(
            name=endpoint.name,
            external=endpoint.path.lower().encode(),
            internal=url.path.rstrip("/").encode(),
            host=url.netloc.encode(),
            pool=pool,
            methods=frozenset(method.encode() for method in endpoint.methods),
            max_body_bytes=endpoint.max_body_bytes,
            response_timeout_s=endpoint.response_timeout_s,
            connection_bound=endpoint.connection_bound,
            upgrades=frozenset(upgrade.encode() for upgrade in endpoint.upgrades),
            metrics=self.metrics.setdefault(endpoint.name, EndpointMetrics()),
            signed=self._signed(endpoint, issuer) if endpoint.sign_identity else None,
        )

    def _signed(self, endpoint: Endpoint, issuer: str) -> SignedIdentities:
        return SignedIdentities(self._signer, issuer, audience_of(endpoint.upstream), endpoint.name)

    def close(self) -> None:
        """Close what is kept."""
        for pool in self.pools.values():
            pool.close_idle()


def _own_endpoints(settings: GatewaySettings) -> Iterator[Endpoint]:
    """What gateways themselves ask the site; nothing of it is published."""
    upstream = settings.revocation.ask_upstream
    if upstream is not None:
        yield Endpoint(
            name=STATUS_ENDPOINT,
            path=STATUS_PATH,
            upstream=upstream.rstrip("/") + STATUS_PATH,
            authentication=(Authentication.NONE,),
            methods=("POST",),
            max_body_bytes=MAX_CERTIFICATE_BYTES,
            response_timeout_s=_STATUS_TIMEOUT_S,
        )
