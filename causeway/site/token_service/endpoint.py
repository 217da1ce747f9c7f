"""``POST /CCM_STS``: the token service on the site's server."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from causeway.messaging.errors import TooLargeError
from causeway.messaging.tokens import MAX_REQUEST_BYTES, MEDIA_TYPE
from causeway.site.context import Site
from causeway.site.errors import MediaTypeWrong, MethodNotAllowed, NotFound
from causeway.site.peer import Client
from causeway.site.token_service import service

PATH = "/ccm_sts"
_XML = {"text/xml", "application/xml"}


async def answer(site: Site, client: Client, request: Request) -> Response:
    """The tokens that a device asks for, with or without a token that led it here.

    On the premises a device comes without one: what counts is that it proves its key. A token that comes along has to
    hold all the same.

    Raises:
        MethodNotAllowed: not a POST.
        NotFound: not inside TLS.
        MediaTypeWrong: not XML by its own account.
        TooLargeError: longer than requests are.
        Refused, MessagingError: as for ``service.answer`` and ``Admission.presented``.
    """
    if request.method not in {"POST", "CCM_POST"}:
        raise MethodNotAllowed(f"{request.method[:32]} is not among POST, CCM_POST")
    if not client.secure:
        raise NotFound("tokens travel inside TLS alone")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _XML:
        raise MediaTypeWrong(f"a request is text/xml, not {media_type[:64]!r}")
    presented = await run_in_threadpool(site.admission.presented, request.headers, site.now().timestamp())
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            raise TooLargeError(f"a request of more than {MAX_REQUEST_BYTES} bytes")
    text = await run_in_threadpool(service.answer, site, client, bytes(body), presented)
    return Response(text, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
