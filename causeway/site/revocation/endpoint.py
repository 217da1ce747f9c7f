"""``POST /causeway/certificate-status``: how a gateway asks, through its connection point, about one certificate."""

from starlette.requests import Request
from starlette.responses import Response

from causeway.gateway_settings.status import MAX_CERTIFICATE_BYTES, STATUS_PATH, sign_status
from causeway.site.context import Site
from causeway.site.errors import ConnectionPointRequired, ParameterWrong
from causeway.site.peer import Client

PATH = STATUS_PATH
MEDIA_TYPE = "application/jose"


async def answer(request: Request, client: Client, site: Site) -> Response:
    """How the certificate (DER) in the body stands, signed by the site.

    Raises:
        ParameterWrong: it is no POST, or its body is too large.
        ConnectionPointRequired: the connection's certificate is not a connection point's.
    """
    if client.tls is None or not client.tls.is_connection_point:
        raise ConnectionPointRequired("only a connection point asks about certificates")
    if request.method != "POST":
        raise ParameterWrong("the certificate is posted")
    certificate = bytearray()
    async for piece in request.stream():
        certificate += piece
        if len(certificate) > MAX_CERTIFICATE_BYTES:
            raise ParameterWrong(f"a certificate has no more than {MAX_CERTIFICATE_BYTES} bytes")
    status = await site.certificates.of(bytes(certificate))
    return Response(sign_status(status, site.in_force.settings_key), media_type=MEDIA_TYPE)
