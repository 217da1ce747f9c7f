"""The admin endpoints of every part: ``/healthz``, ``/readyz`` with reasons, ``/metrics`` for Prometheus."""

import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from causeway.errors import OperatorError

Reasons = Callable[[], Awaitable[Sequence[str]]]
"""Why the part is not healthy, or not ready: a sentence each; empty where it is."""

Families = Callable[[], Awaitable[Iterable[Metric]]]


class _Fixed(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def admin_app(*, unhealthy: Reasons, not_ready: Reasons, metrics: Families) -> Starlette:
    """The ASGI application of a part's admin address."""

    async def healthz(_request: Request) -> Response:
        return _state("healthy", await unhealthy())

    async def readyz(_request: Request) -> Response:
        return _state("ready", await not_ready())

    async def scrape(_request: Request) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Fixed(list(await metrics())))
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)])


def _state(word: str, reasons: Sequence[str]) -> Response:
    return JSONResponse({word: not reasons, "reasons": list(reasons)}, status_code=503 if reasons else 200)


class EmbeddedServer(uvicorn.Server):
    """A server within a process that handles its signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def admin_server(app: Starlette) -> EmbeddedServer:
    """A server for ``app``; ``await server.serve(sockets=[...])``, and set ``should_exit`` to end it."""
    return EmbeddedServer(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False))


def listen(address: str, port: int, purpose: str, *, shared: int = 1) -> list[socket.socket]:
    """Listening sockets on one port, ``shared`` of them: the kernel spreads connections over them.

    Raises:
        OperatorError: the port is busy or may not be used; one line that names it.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sockets: list[socket.socket] = []
    try:
        # Sockets that share a port never complain of each other, so ask first whether anybody else is there.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
        for _ in range(shared):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared > 1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((address, port))
            sock.listen(4096)
            sock.setblocking(False)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise OperatorError(
            f"{address}:{port}: cannot listen there for {purpose}: {error.strerror}; free the port or choose another"
        ) from error
    return sockets
