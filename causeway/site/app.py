"""The site's web application: who calls, which handler answers, and how a refusal looks."""

import secrets
import time

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from causeway.messaging.errors import MessagingError, SignatureError, TooLargeError, UnsupportedError
from causeway.site import refusals
from causeway.site.context import Site
from causeway.site.errors import CertificateBlocked, NotAccepted, NotFound, Refused
from causeway.site.http_server import REASON_HEADER
from causeway.site.management_point.app import MESSAGE_URLS, URLS, Answer
from causeway.site.peer import Client, client_of
from causeway.site.revocation import endpoint as certificate_status
from causeway.site.settings import endpoint as settings_endpoint
from causeway.site.token_service import endpoint as token_service

REQUEST_ID_HEADER = "x-request-id"

_log = structlog.get_logger(__name__)


async def _gateway_settings(site: Site, client: Client, request: Request) -> Response:
    return await settings_endpoint.answer(request, client, site)


async def _certificate_status(site: Site, client: Client, request: Request) -> Response:
    return await certificate_status.answer(request, client, site)


_URLS: dict[str, Answer] = {
    **URLS,
    settings_endpoint.PATH: _gateway_settings,
    certificate_status.PATH: _certificate_status,
    token_service.PATH: token_service.answer,
}


class SiteApp:
    """The ASGI application of the site's server."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        client = client_of(request)
        request_id = client.request_id or secrets.token_hex(8)
        path = request.url.path.lower()
        url = path if path in _URLS else "other"
        metrics = self._site.metrics
        began = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            metrics.in_flight.track_inprogress(),
        ):
            try:
                response = await self._answer(client, request, path)
            except ClientDisconnect:
                return
            except (Refused, MessagingError) as error:
                refusals.note(metrics, client, error, method=request.method[:32], url=path[:200])
                response = refusal(error, to_message=path in MESSAGE_URLS)
            seconds = time.perf_counter() - began
            if self._site.in_force.config.log.requests:
                _log.info(
                    "request",
                    method=request.method[:32],
                    path=path[:200],
                    status=response.status_code,
                    ms=round(seconds * 1000, 2),
                    client=client.address,
                )
        metrics.requests.labels(url=url, status=str(response.status_code)).inc()
        metrics.seconds.labels(url=url).observe(seconds)
        response.headers[REQUEST_ID_HEADER] = request_id
        await response(scope, receive, send)

    async def _answer(self, client: Client, request: Request, path: str) -> Response:
        for fingerprint in client.fingerprints:
            if self._site.is_blocked(fingerprint):
                raise CertificateBlocked(f"the certificate {fingerprint} is blocked")
        if name := self._site.blocked_name(client.names):
            raise CertificateBlocked(f"the name {name} of the certificate is blocked")
        handler = _URLS.get(path)
        if handler is None:
            raise NotFound("the site has nothing at this URL")
        return await handler(self._site, client, request)


def refusal(error: Refused | MessagingError, *, to_message: bool) -> Response:
    """How a refusal looks: its status, its word as the reason phrase, and a page that says no more than that.

    A message that could be read and is not accepted gets an empty answer. A client that fetches a policy takes an
    answer that begins with ``<HTML>`` as the demand for a client token.
    """
    if to_message and isinstance(error, NotAccepted | SignatureError | UnsupportedError):
        return Response()
    reason = error.word
    if isinstance(error, Refused):
        status, reason = error.status, error.reason or error.word
    elif isinstance(error, TooLargeError):
        status = 413
    else:
        status = 404 if isinstance(error, UnsupportedError) else 400
    page = f"<HTML><HEAD><TITLE>{status} {reason}</TITLE></HEAD><BODY>{error.word}</BODY></HTML>"
    return Response(page, status, {REASON_HEADER.decode(): reason}, media_type="text/html")
