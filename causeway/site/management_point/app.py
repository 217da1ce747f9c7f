"""The URLs of the management point, as handlers by lower-case path: the protocol ignores case."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from causeway.messaging.errors import TooLargeError
from causeway.site.budget import Share
from causeway.site.context import Site
from causeway.site.errors import ClientCertificateRequired, MethodNotAllowed, NotFound, SiteTokenNotForThis
from causeway.site.management_point import dispatch, key_information, policy_body
from causeway.site.peer import Client
from causeway.site.token_service import Presented

Answer = Callable[[Site, Client, Request], Awaitable[Response]]

_XML = "text/xml; charset=utf-8"
_OCTETS = "application/octet-stream"


async def messages(site: Site, client: Client, request: Request) -> Response:
    """``/ccm_system/request``: over TLS, for clients with a certificate."""
    _require_method(request, "CCM_POST", "POST")
    if client.secure and client.certificate_fingerprint is None:
        raise ClientCertificateRequired("ccm_system was called without a client certificate")
    return await _message(site, client, request)


async def messages_altauth(site: Site, client: Client, request: Request) -> Response:
    """``/ccm_system_altauth/request``: for clients without one."""
    _require_method(request, "CCM_POST", "POST")
    _require_altauth(site)
    return await _message(site, client, request)


async def locations(site: Site, _client: Client, request: Request) -> Response:
    """``/SMS_MP/.sms_aut``."""
    _require_method(request, "GET", "HEAD")
    text = await run_in_threadpool(key_information.answer, site.in_force, request.scope["query_string"])
    return Response(text, media_type=_XML)


async def policy(site: Site, client: Client, request: Request) -> Response:
    """``/SMS_MP/.sms_pol``."""
    _require_method(request, "GET", "HEAD")
    query = request.scope["query_string"]
    body = await run_in_threadpool(policy_body.answer, site, client, query, request.headers)
    return Response(body, media_type=_OCTETS)


async def locations_altauth(site: Site, client: Client, request: Request) -> Response:
    """``/SMS_MP_AltAuth/.sms_aut``."""
    _require_altauth(site)
    return await locations(site, client, request)


async def policy_altauth(site: Site, client: Client, request: Request) -> Response:
    """``/SMS_MP_AltAuth/.sms_pol``."""
    _require_altauth(site)
    return await policy(site, client, request)


async def messages_tokenauth(site: Site, client: Client, request: Request) -> Response:
    """``/ccm_system_tokenauth/request``: for clients with a token."""
    _require_method(request, "CCM_POST", "POST")
    presented = await _presented(site, client, request)
    return await _message(site, client, request, presented)


async def locations_tokenauth(site: Site, client: Client, request: Request) -> Response:
    """``/SMS_MP_TokenAuth/.sms_aut``."""
    await _presented(site, client, request)
    return await locations(site, client, request)


async def policy_tokenauth(site: Site, client: Client, request: Request) -> Response:
    """``/SMS_MP_TokenAuth/.sms_pol``."""
    _require_method(request, "GET", "HEAD")
    presented = await _presented(site, client, request)
    if not presented.opens_messages:
        raise SiteTokenNotForThis(f"the token of {presented.identity.name} does not open policies")
    query = request.scope["query_string"]
    body = await run_in_threadpool(policy_body.answer, site, client, query, request.headers, presented)
    return Response(body, media_type=_OCTETS)


URLS: dict[str, Answer] = {
    "/ccm_system/request": messages,
    "/ccm_system_altauth/request": messages_altauth,
    "/sms_mp/.sms_aut": locations,
    "/sms_mp/.sms_pol": policy,
    "/sms_mp_altauth/.sms_aut": locations_altauth,
    "/sms_mp_altauth/.sms_pol": policy_altauth,
    "/ccm_system_tokenauth/request": messages_tokenauth,
    "/sms_mp_tokenauth/.sms_aut": locations_tokenauth,
    "/sms_mp_tokenauth/.sms_pol": policy_tokenauth,
}
MESSAGE_URLS = frozenset(url for url in URLS if url.startswith("/ccm_system"))


async def _presented(site: Site, client: Client, request: Request) -> Presented:
    """The token that a ``*_TokenAuth`` directory wants."""
    if not client.secure:
        raise NotFound("tokens travel inside TLS alone")
    return await run_in_threadpool(site.admission.required, request.headers, site.now().timestamp())


async def _message(site: Site, client: Client, request: Request, presented: Presented | None = None) -> Response:
    content_type = request.headers.get("content-type", "")
    with site.buffered.share() as share:
        body = await _read(request, site, share)
        reply = await run_in_threadpool(dispatch.answer, site, client, content_type, body, presented)
    if reply is None:
        return Response()
    return Response(reply[1], media_type=reply[0])


async def _read(request: Request, site: Site, share: Share) -> bytes:
    limit = site.config.management_point.max_message_bytes
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise TooLargeError(f"message of {length[:20]} bytes, and at most {limit} are accepted")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        share.take(len(chunk))
        chunks.append(chunk)
        if size > limit:
            raise TooLargeError(f"message of more than {limit} bytes")
    return b"".join(chunks)


def _require_method(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise MethodNotAllowed(f"{request.method[:32]} is not among {', '.join(methods)}")


def _require_altauth(site: Site) -> None:
    if not site.config.management_point.altauth:
        raise NotFound("the management point serves no clients without a certificate")
