"""Whether a known client may call an endpoint, for people. How it becomes known: ``causeway.identity.explain``."""

from causeway.gateway.publishing import PublishingTable, Route
from causeway.gateway_settings import GatewaySettings
from causeway.identity import Identity, Kind
from causeway.observability.checks import CheckResult, Status
from causeway.refusals import Refused

_NAME = "endpoint"


def explain_endpoint(settings: GatewaySettings, path: str, identity: Identity) -> CheckResult:
    """Whether the endpoint at an external ``path`` takes ``identity``, by the table that gateways use."""
    try:
        route = PublishingTable(settings, {}).find(path.partition("?")[0].encode())
    except Refused as refused:
        remedy = "Compare the path with what the site publishes."
        return CheckResult(_NAME, path, Status.FAIL, f"{refused.refused_word}: {refused}", remedy)
    endpoint = next((one for one in settings.endpoints if one.name.encode() == route.name), None)
    wanted = "anybody" if endpoint is None else ", ".join(endpoint.authentication)
    if _takes(route, identity):
        return CheckResult(_NAME, path, Status.PASS, f"{route.name.decode()} takes {wanted}")
    by_certificate = identity.kind is Kind.CERTIFICATE
    word = "CMGService_TokenRequired" if by_certificate else "CMGService_TokenNotAccepted"
    if route.needs_certificate:
        word = "CMGConnector_ClientCertificateRequired"
    return CheckResult(
        _NAME,
        path,
        Status.FAIL,
        f"{word}: {route.name.decode()} takes {wanted}, and this is {identity.kind}",
        "Send the client to the URL for its kind of identity, or let the endpoint accept it.",
    )


def _takes(route: Route, identity: Identity) -> bool:
    if route.open or identity.kind in route.token_kinds:
        return True
    return identity.kind is Kind.CERTIFICATE and (route.takes_certificate or route.needs_certificate)
