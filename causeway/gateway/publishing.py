"""What is published: from the external path of a request to the endpoint that serves it, or nothing."""

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from causeway.gateway.metrics import EndpointMetrics
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.refusals import Refused

# A segment that climbs, in any disguise: dots or slashes percent-encoded, once or twice, backslashes, path parameters.
_SEPARATOR = rb"(?:/|\\|%(?:25)*2[fF]|%(?:25)*5[cC])"
_DOT = rb"(?:\.|%(?:25)*2[eE])"
_CLIMBS = re.compile(_SEPARATOR + _DOT + rb"{2}(?:" + _SEPARATOR + rb"|;|$)|\\|%(?:25)*00")

# What servers behind may read as another path: encoded characters, doubled slashes, single dots (apt sends those).
_UNUSUAL = re.compile(rb"%|//|/\.(?:/|$)")
_EMPTY_SEGMENTS = re.compile(rb"(?:/\.?)+(?=/|$)")

_METADATA_PATHS = (b"/ccm_proxy_mutualauth/servicemetadata", b"/ccm_proxy_serverauth/servicemetadata")
_METADATA_METHODS = frozenset((b"GET", b"HEAD"))


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A published endpoint in the form that the data path wants.

    Attributes:
        name: the endpoint's name; the label of metrics.
        methods: those that pass.
        needs_certificate: an anonymous client is refused.
        max_body_bytes: of a request.
        upgrades: changes of protocol that pass, in lower case.
        connection_bound: the client's connection is bound to one of the connection point's.
        metrics: its counters.
        answer: the body of a path that the gateway answers itself; None for one that is passed on.
    """

    name: bytes
    methods: frozenset[bytes]
    needs_certificate: bool
    max_body_bytes: int
    connection_bound: bool
    metrics: EndpointMetrics
    upgrades: frozenset[bytes] = frozenset()
    answer: bytes | None = None


class PublishingTable:
    """All routes of one version of the settings."""

    def __init__(self, settings: GatewaySettings, metrics_of: dict[str, EndpointMetrics]) -> None:
        """Build the table; ``metrics_of`` keeps an endpoint's counters from one version to the next."""
        self._routes: dict[bytes, Route] = {}
        for endpoint in settings.endpoints:
            self._routes[endpoint.path.lower().encode()] = _route(endpoint, metrics_of)
        metadata = json.dumps(
            {"ServiceName": settings.service_name, "SiteCode": settings.site_code, "SettingsVersion": settings.version}
        ).encode()
        own = metrics_of.setdefault("ServiceMetadata", EndpointMetrics())
        for path in _METADATA_PATHS:
            self._routes[path] = Route(b"ServiceMetadata", _METADATA_METHODS, False, 0, False, own, answer=metadata)
        self._depths = sorted({path.count(b"/") for path in self._routes}, reverse=True)
        self._deepest = self._depths[0]

    def find(self, path: bytes) -> Route:
        """The route with the longest path of whole segments that ``path`` begins with, without regard to case.

        Raises:
            Refused: there is none, the path climbs, or a server behind could read it as another endpoint's.
        """
        if _CLIMBS.search(path):
            raise Refused("CMGService_BadRequest", "the path climbs, or has encoded separators")
        route = self._lookup(path)
        if route is None:
            raise Refused("CMGService_NotPublished")
        if _UNUSUAL.search(path):
            plain = _EMPTY_SEGMENTS.sub(b"", unquote_to_bytes(path))
            if self._lookup(plain) is not route:
                raise Refused("CMGService_BadRequest", "the path could be read as another endpoint's")
        return route

    def _lookup(self, path: bytes) -> Route | None:
        segments = path.lower().split(b"/", self._deepest + 1)
        routes = self._routes
        for depth in self._depths:
            if depth < len(segments):
                route = routes.get(b"/".join(segments[: depth + 1]))
                if route is not None:
                    return route
        return None


def _route(endpoint: Endpoint, metrics_of: dict[str, EndpointMetrics]) -> Route:
    return Route(
        name=endpoint.name.encode(),
        methods=frozenset(method.encode() for method in endpoint.methods),
        needs_certificate=endpoint.authentication is Authentication.CERTIFICATE,
        max_body_bytes=endpoint.max_body_bytes,
        connection_bound=endpoint.connection_bound,
        metrics=metrics_of.setdefault(endpoint.name, EndpointMetrics()),
        upgrades=frozenset(upgrade.encode() for upgrade in endpoint.upgrades),
    )
