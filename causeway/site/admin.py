"""Health, readiness and metrics on the admin address."""

import contextlib

from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from causeway.site.context import Site
from causeway.site.database import devices, revocation
from causeway.site.errors import DatabaseUnavailable
from causeway.site.metrics import CONTENT_TYPE


def admin_app(site: Site) -> Starlette:
    """The application behind ``/healthz``, ``/readyz`` and ``/metrics``."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        reasons = await not_ready(site)
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def metrics(_request: Request) -> Response:
        await run_in_threadpool(_count, site)
        return Response(generate_latest(site.metrics.registry), media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


async def not_ready(site: Site) -> list[str]:
    """Why the site should get no requests just now; nothing where it should."""
    reasons = []
    if site.draining:
        reasons.append("the site is stopping")
    if site.publisher.version == 0:
        reasons.append("no gateway settings are published yet")
    try:
        await run_in_threadpool(site.database.ping)
    except DatabaseUnavailable as error:
        reasons.append(str(error))
    return reasons


def _count(site: Site) -> None:
    site.metrics.settings_version.set(site.publisher.version)
    # Metrics are wanted most when the database is away: the rest of them still comes.
    with contextlib.suppress(DatabaseUnavailable):
        site.metrics.revocation_next_update.clear()
        for source in revocation.sources(site.database):
            next_update = source.next_update.timestamp() if source.next_update else 0.0
            site.metrics.revocation_next_update.labels(source=source.source).set(next_update)
        for state, number in devices.count_by_approval(site.database).items():
            site.metrics.devices.labels(approval=state).set(number)
