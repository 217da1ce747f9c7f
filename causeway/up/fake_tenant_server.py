"""The fake tenant on loopback: OpenID metadata, keys and tokens over TLS, inside the process of ``causeway up``.

What it cannot do: ``fake_tenant``.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from causeway.site.http_server import listen, make_server
from causeway.up.fake_tenant import NAME, FakeTenant, Unknown

_ADDRESS = "127.0.0.1"
_JSON = "application/json"
_MAX_REQUEST_BYTES = 4096
_MAX_FIELDS = 10
_MAX_CONNECTIONS = 100
_REQUEST_TIMEOUT_S = 10.0
_DRAIN_S = 1


@contextlib.asynccontextmanager
async def serving(tenant: FakeTenant, *, port: int, certificate: Path, key: Path) -> AsyncIterator[None]:
    """Serve ``tenant`` for as long as the block lasts.

    Raises:
        OperatorError: the port is taken.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    # Uvicorn's warnings are about clients that are none of ours.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = make_server(
        FakeTenantApp(tenant),
        context=context,
        request_timeout_s=_REQUEST_TIMEOUT_S,
        max_connections=_MAX_CONNECTIONS,
        drain_s=_DRAIN_S,
        on_refused=lambda _client, _error: None,
        identify=lambda _der: None,
    )
    with listen(_ADDRESS, port, NAME) as listener:
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await task


class FakeTenantApp:
    """The ASGI application."""

    def __init__(self, tenant: FakeTenant) -> None:
        self._tenant = tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        match request.method, request.url.path:
            case "GET", self._tenant.metadata_path:
                return Response(self._tenant.metadata(), media_type=_JSON)
            case "GET", self._tenant.keys_path:
                return Response(self._tenant.key_set(), media_type=_JSON)
            case "POST", self._tenant.token_path:
                return await self._token(request)
            case _:
                return Response(f"{NAME}: nothing here\n", 404)

    async def _token(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_REQUEST_BYTES:
                return Response(b'{"error": "invalid_request"}', 413, media_type=_JSON)
        headers = {"Cache-Control": "no-store"}
        try:
            asked = dict(parse_qsl(body.decode("ascii"), max_num_fields=_MAX_FIELDS))
            return Response(self._tenant.token(asked, int(time.time())), media_type=_JSON, headers=headers)
        except ValueError:
            return Response(b'{"error": "invalid_request"}', 400, media_type=_JSON)
        except Unknown:
            return Response(b'{"error": "invalid_client"}', 401, media_type=_JSON)
