"""``GET /causeway/gateway-settings``: how connection points fetch the settings, waiting for the next version."""

from starlette.requests import Request
from starlette.responses import Response

from causeway.site.context import Site
from causeway.site.errors import ConnectionPointRequired, ParameterWrong
from causeway.site.peer import Client

PATH = "/causeway/gateway-settings"
MEDIA_TYPE = "application/jose"
MAX_WAIT_S = 60.0


async def answer(request: Request, client: Client, site: Site) -> Response:
    """The newest version if it is above ``newer_than``, at once or within ``wait_s`` seconds; 204 otherwise.

    Raises:
        ParameterWrong: ``newer_than`` or ``wait_s`` is no number.
        ConnectionPointRequired: the connection's certificate is not a connection point's.
    """
    if client.tls is None or not client.tls.is_connection_point:
        raise ConnectionPointRequired("only a connection point reads the gateway settings")
    try:
        version = int(request.query_params.get("newer_than", "0"))
        wait_s = float(request.query_params.get("wait_s", "0"))
    except ValueError:
        raise ParameterWrong("newer_than and wait_s are numbers") from None
    if not 0 <= wait_s < float("inf"):
        raise ParameterWrong("wait_s is not negative and not infinite")
    with site.metrics.settings_waiting.track_inprogress():
        published = await site.publisher.newer_than(version, wait_s=min(wait_s, MAX_WAIT_S))
    if published is None:
        return Response(status_code=204)
    return Response(published.signed, media_type=MEDIA_TYPE)
