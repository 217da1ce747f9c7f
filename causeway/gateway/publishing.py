"""What is published: from the external path of a request to the endpoint that serves it, or nothing."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from causeway.gateway.metrics import EndpointMetrics
from causeway.gateway.own_answers import OwnAnswer, aad_auth_info, service_metadata
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.identity import Kind
from causeway.recent import Recent
from causeway.refusals import Refused

# A segment that climbs, in any disguise: dots or slashes percent-encoded, once or twice, backslashes, path parameters.
_SEPARATOR: Final = rb"(?:/|\\|%(?:25)*2[fF]|%(?:25)*5[cC])"
_DOT: Final = rb"(?:\.|%(?:25)*2[eE])"
_CLIMBS: Final = re.compile(_SEPARATOR + _DOT + rb"{2}(?:" + _SEPARATOR + rb"|;|$)|\\|%(?:25)*00")

# Encodings that are none, and that servers have been seen to decode: IIS's %u002e, overlong UTF-8 (RFC 3629, 10).
_CONTINUED: Final = rb"%(?:25)*[89aAbB]"
_NO_ENCODING: Final = re.compile(
    rb"%(?:25)*(?:[uU]|[cC][01]" + _CONTINUED + rb"|[eE]0%(?:25)*[89]|[fF]0%(?:25)*8" + rb")"
)

# What servers behind may read as another path: encoded characters, doubled slashes, single dots (apt sends those),
# path parameters, and dots and spaces at the end of a name, which Windows drops.
_UNUSUAL: Final = re.compile(rb"[%;]|//|[.](?:/|$)")
_DROPPED: Final = re.compile(rb"(?:;[^/]*|[. ]+)(?=/|$)")
_EMPTY_SEGMENTS: Final = re.compile(rb"/+(?=/|$)")
_MOST_DECODINGS: Final = 4

_METADATA_PATHS: Final[tuple[bytes, ...]] = (
    b"/ccm_proxy_mutualauth/servicemetadata",
    b"/ccm_proxy_serverauth/servicemetadata",
)
_AAD_AUTH_INFO_PATH: Final = b"/ccm_proxy_serverauth/aadauthinfo"
_TOKEN_KINDS: Final = {
    Authentication.TOKEN: (Kind.SITE_TOKEN,),
    Authentication.BULK_TOKEN: (Kind.BULK_TOKEN,),
    Authentication.ENTRA: (Kind.ENTRA_DEVICE, Kind.ENTRA_USER),
}
_OWN_METHODS: Final = frozenset((b"GET", b"HEAD"))


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A published endpoint in the form that the data path wants.

    Attributes:
        name: the endpoint's name; the label of metrics.
        methods: those that pass.
        needs_certificate: nothing but a certificate is taken.
        takes_certificate: a client with a certificate passes.
        open: anybody passes.
        token_kinds: the kinds of clients that pass by a token; empty where tokens are not looked at.
        forward_token: the token passes on to the site system.
        max_body_bytes: of a request.
        upgrades: changes of protocol that pass, in lower case.
        connection_bound: the client's connection is bound to one of the connection point's.
        metrics: its counters.
        answer: how the gateway answers itself, by a request's query; None where it passes the request on.
    """

    name: bytes
    methods: frozenset[bytes]
    needs_certificate: bool
    max_body_bytes: int
    connection_bound: bool
    metrics: EndpointMetrics
    upgrades: frozenset[bytes] = frozenset()
    answer: OwnAnswer | None = None
    takes_certificate: bool = False
    open: bool = False
    token_kinds: frozenset[Kind] = frozenset()
    forward_token: bool = False


class PublishingTable:
    """All routes of one version of the settings."""

    def __init__(self, settings: GatewaySettings, metrics_of: dict[str, EndpointMetrics]) -> None:
        """Build the table; ``metrics_of`` keeps an endpoint's counters from one version to the next."""
        routes: dict[bytes, Route] = {}
        for endpoint in settings.endpoints:
            routes[endpoint.path.lower().encode()] = _route(endpoint, metrics_of)
        for path in _METADATA_PATHS:
            routes[path] = _own("ServiceMetadata", service_metadata(settings), metrics_of)
        routes[_AAD_AUTH_INFO_PATH] = _own("AADAuthInfo", aad_auth_info(settings), metrics_of)
        self._as_published = _Prefixes(routes)
        self._as_read = _Prefixes({_readings(path)[-1]: route for path, route in routes.items()})
        self._found: Recent[Route] = Recent(most=2048, most_bytes=256)

    def find(self, path: bytes) -> Route:
        """The route with the longest path of whole segments that ``path`` begins with, without regard to case.

        Raises:
            Refused: there is none, the path climbs, or a server behind could read it as another endpoint's.
        """
        found = self._found.get(path)
        if found is not None:
            return found
        if _CLIMBS.search(path) or (b"%" in path and _NO_ENCODING.search(path)):
            raise Refused("CMGService_BadRequest", "the path climbs, or has encoded separators")
        route = self._as_published.find(path)
        if route is None:
            raise Refused("CMGService_NotPublished")
        if _UNUSUAL.search(path):
            *others, last = map(self._as_read.find, _readings(path))
            if last is not route or any(other not in (None, route) for other in others):
                raise Refused("CMGService_BadRequest", "the path could be read as another endpoint's")
        self._found.keep(path, route)
        return route


class _Prefixes:
    """Routes by path, in lower case; the longest of whole segments counts."""

    def __init__(self, routes: dict[bytes, Route]) -> None:
        self._routes = routes
        self._depths = sorted({path.count(b"/") for path in routes}, reverse=True)
        self._deepest = self._depths[0]

    def find(self, path: bytes) -> Route | None:
        segments = path.lower().split(b"/", self._deepest + 1)
        routes = self._routes
        for depth in self._depths:
            if depth < len(segments):
                route = routes.get(b"/".join(segments[: depth + 1]))
                if route is not None:
                    return route
        return None


def _readings(path: bytes) -> list[bytes]:
    """How servers behind may read ``path``, which may be encoded more than once."""
    readings = []
    for _ in range(_MOST_DECODINGS):
        decoded = unquote_to_bytes(path)
        readings.append(_EMPTY_SEGMENTS.sub(b"", _DROPPED.sub(b"", _DROPPED.sub(b"", decoded))))
        if decoded == path:
            break
        path = decoded
    return readings


def _route(endpoint: Endpoint, metrics_of: dict[str, EndpointMetrics]) -> Route:
    return Route(
        name=endpoint.name.encode(),
        methods=frozenset(method.encode() for method in endpoint.methods),
        needs_certificate=endpoint.authentication == (Authentication.CERTIFICATE,),
        max_body_bytes=endpoint.max_body_bytes,
        connection_bound=endpoint.connection_bound,
        metrics=metrics_of.setdefault(endpoint.name, EndpointMetrics()),
        upgrades=frozenset(upgrade.encode() for upgrade in endpoint.upgrades),
        takes_certificate=Authentication.CERTIFICATE in endpoint.authentication,
        open=Authentication.NONE in endpoint.authentication,
        token_kinds=frozenset(kind for one in endpoint.authentication for kind in _TOKEN_KINDS.get(one, ())),
        forward_token=endpoint.forward_token,
    )


def _own(name: str, answer: OwnAnswer, metrics_of: dict[str, EndpointMetrics]) -> Route:
    metrics = metrics_of.setdefault(name, EndpointMetrics())
    return Route(name.encode(), _OWN_METHODS, False, 0, False, metrics, answer=answer, open=True)
